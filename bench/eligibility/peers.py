"""The peers' own process, in an environment of its own (`make .venv/peers`): they are run, never imported."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from bench.eligibility.translating import names_of, places_of, rules_of
from bench.harness import ROOT, Bench
from shouwang.eligibility import Program
from shouwang.eligibility.bulk import Marks, Table

ZEN_PEOPLE = 2_000
NAMES = ("openfisca", "polars", "zen")


class Peers:
    """OpenFisca-core, Polars and ZEN, asked one after the other over a pipe. Without their environment they are named in `skipped`."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        python = Path(bench.options.values.get("peers", str(ROOT / ".venv/peers/bin/python")))
        self._child: subprocess.Popen[str] | None = None
        self.names: tuple[str, ...] = ()
        if not python.exists():
            bench.skipped += [f"{name} (make .venv/peers)" for name in NAMES]
            return
        environment = {key: value for key, value in os.environ.items() if key not in {"PYTHONPATH", "DJANGO_SETTINGS_MODULE"}}
        self._child = subprocess.Popen(
            [str(python), str(Path(__file__).with_name("peer_worker.py"))], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, cwd=bench.folder,
        )
        self.names = NAMES
        bench.peer |= self._ask(do="versions")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._child is not None:
            self._child.stdin.close()  # type: ignore[union-attr]
            try:
                self._child.wait(20)
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.wait()

    def _ask(self, **command: Any) -> dict[str, Any]:
        assert self._child is not None
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._child.stdin.write(json.dumps(command) + "\n")
        self._child.stdin.flush()
        line = self._child.stdout.readline()
        if not line:
            raise RuntimeError(f"the peers' process ended at {command['do']}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def load(self, program: Program, tables: list[Table]) -> None:
        """Give the peers the columns, in the widths they like, and the rules."""
        if self._child is None:
            return
        facts = sorted(tables[0].columns)
        self._program, self._names = program, names_of(program, facts)
        for place, table in enumerate(tables):
            for name, column in table.columns.items():
                kind = {"b": np.bool_, "f": np.float32}.get(column.values.dtype.kind, np.int32)
                np.save(self._bench.folder / f"{place}-{self._names[name]}.npy", column.values.astype(kind))
                if column.known is not None:
                    np.save(self._bench.folder / f"{place}-{self._names[name]}-known.npy", column.known)
        places = places_of(program)
        rules = {style: rules_of(program, facts, places, style) for style in ("numpy", "polars", "zen")}
        self._ask(do="load", sets=len(tables), facts=[self._names[name] for name in facts], rules=rules, asked=[self._names[name] for name in program.asked], zen_people=ZEN_PEOPLE)

    def timed(self, name: str, place: int) -> tuple[float, float]:
        """Return the wall and processor seconds of one peer on one set of columns."""
        answer = self._ask(do="run", peer=name, place=place)
        return answer["wall_s"], answer["cpu_s"]

    def differing(self, known: dict[str, Marks], partial: dict[str, Marks]) -> int:
        """Return in how many cells the peers' outputs on the first set differ from ours."""
        if self._child is None:
            return 0
        wrong = 0
        for peer in self.names:
            self._ask(do="run", peer=peer, place=0, keep=True)
            for name in self._program.asked:
                got = np.load(self._bench.folder / f"{peer}-{self._names[name]}.npy")
                ours = (partial if peer == "polars" else known)[name].outcomes()
                wrong += int((got != (ours if peer == "polars" else (ours == 1)[:len(got)])).sum())
        return wrong
