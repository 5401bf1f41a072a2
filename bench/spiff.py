"""The peer of `cases`: SpiffWorkflow walks the same graph and saves its state in SQLite at each human step.

It is favoured where the two differ: no timer, no message, no log, no lookup of who is on duty. It walks in three ways:
reading its state back at each step as our action does (the comparison), with the specification kept apart from it, and
never reading it back at all (which only a single process that never ends could do).
"""

from __future__ import annotations

import sqlite3
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.cases import STEPS

BPMN = Path(__file__).parent / "thirteen.bpmn"


def walk(*, count: int, spec_apart: bool = False, restored: bool = True) -> dict[str, Any]:
    """Walk `count` cases, saving at each human step.

    With `restored` each step reads the saved state back first, as any second process or request must; without it the
    workflow stays in memory from the first step to the last. With `spec_apart` the unchanging specification is not saved
    with every state.
    """
    from SpiffWorkflow import TaskState
    from SpiffWorkflow.bpmn.parser import BpmnParser
    from SpiffWorkflow.bpmn.serializer import BpmnWorkflowSerializer
    from SpiffWorkflow.bpmn.specs.bpmn_process_spec import BpmnProcessSpec
    from SpiffWorkflow.bpmn.workflow import BpmnWorkflow

    parser = BpmnParser()
    parser.add_bpmn_file(str(BPMN))
    spec = parser.get_spec("thirteen")
    serializer = BpmnWorkflowSerializer()
    if spec_apart:
        serializer.registry.register(BpmnProcessSpec, lambda kept: {"name": kept.name}, lambda _: spec)
    with tempfile.TemporaryDirectory() as folder:
        database = sqlite3.connect(f"{folder}/peer.sqlite3", isolation_level=None)
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        database.execute("CREATE TABLE workflow (id INTEGER PRIMARY KEY, state TEXT NOT NULL)")
        size, done_in_order = 0, True
        start, cpu = time.perf_counter(), time.process_time()
        for n in range(count):
            workflow = BpmnWorkflow(spec)
            workflow.do_engine_steps()
            saved = serializer.serialize_json(workflow)
            database.execute("INSERT INTO workflow VALUES (?, ?)", (n, saved))
            done = []
            while ready := [task.id for task in workflow.get_tasks(state=TaskState.READY, manual=True)]:
                for task_id in ready:
                    if restored:
                        (kept,) = database.execute("SELECT state FROM workflow WHERE id = ?", (n,)).fetchone()
                        workflow = serializer.deserialize_json(kept)
                    task = workflow.get_task_from_id(task_id)
                    task.run()
                    done.append(task.task_spec.name)
                    workflow.do_engine_steps()
                    saved = serializer.serialize_json(workflow)
                    database.execute("UPDATE workflow SET state = ? WHERE id = ?", (saved, n))
            size = len(saved)
            done_in_order &= workflow.is_completed() and sorted(done) == sorted(STEPS) and done[:3] == list(STEPS[:3]) and done[8:] == list(STEPS[8:])
        seconds, cpu_s = time.perf_counter() - start, time.process_time() - cpu
        (kept,) = database.execute("SELECT COUNT(*) FROM workflow").fetchone()
        database.close()
    restored = serializer.deserialize_json(saved)
    return {
        "per_s": count / seconds, "cpu_s": cpu_s, "bytes": size,
        "correct": bool(done_in_order and kept == count and restored.is_completed()),
    }
