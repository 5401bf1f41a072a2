"""A county from a columnar snapshot: written, read and decided, and the day after with one person in a hundred changed."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from bench.eligibility.people import people, records
from bench.harness import Bench
from shouwang.eligibility import Library, Program, decide
from shouwang.eligibility.bulk import Column, Table, decide_table


def run(bench: Bench, library: Library, program: Program, count: int) -> dict[str, Any]:
    """Return the seconds to write, to read and decide, and to find what changed overnight."""
    path, later = bench.folder / "county.arrow", bench.folder / "later.arrow"
    table = people(library, count, seed=bench.seed + 11, unknown=0.1)
    started = time.perf_counter()
    write(table, path)
    snapshot_s = time.perf_counter() - started
    started = time.perf_counter()
    before = decide_table(program, read(path, library))
    county_s = time.perf_counter() - started
    rows = np.random.default_rng(bench.seed).choice(count, count // 100, replace=False)
    write(changed(table, people(library, count, seed=bench.seed + 12, unknown=0.1), rows), later)
    started = time.perf_counter()
    after = decide_table(program, read(later, library))
    turned = {name: np.flatnonzero(np.unpackbits((each.true ^ before[name].true) | (each.false ^ before[name].false), count=count)) for name, each in after.items()}
    nightly_s = time.perf_counter() - started
    outside = sum(int(np.isin(each, rows, invert=True).sum()) for each in turned.values())
    sample = np.sort(rows[:200])
    wrong = outside + sum(
        int(after[name].outcomes()[row]) != (-1 if each.outcome is None else int(each.outcome))
        for row, facts in zip(sample, records(read(later, library), sample), strict=True) for name, each in decide(program, facts).items()
    )
    return {
        "snapshot_s": round(snapshot_s, 2), "snapshot_mb": round(path.stat().st_size / 1e6, 1), "county_s": round(county_s, 3), "nightly_s": round(nightly_s, 3),
        "nightly_turned": sum(len(each) for each in turned.values()), "county_wrong": wrong,
    }


def write(table: Table, path: Path) -> None:
    """Write a register as an Arrow file: a column of values and one of what is known for each fact."""
    arrays, names = [], []
    for name, column in table.columns.items():
        for label, values in ((name, column.values), (f"{name}?", column.known)):
            arrays.append(pa.array(np.asarray(values).view(np.uint8) if np.asarray(values).dtype == bool else np.asarray(values)))
            names.append(label)
    batch = pa.record_batch(arrays, names)
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, batch.schema) as writer:
        writer.write_batch(batch)


def read(path: Path, library: Library) -> Table:
    """Return a register from its Arrow file, mapped and not copied."""
    batch = pa.ipc.open_file(pa.memory_map(str(path))).get_batch(0)
    columns = {}
    for name, spec in library.facts.items():
        values = batch.column(name).to_numpy()
        truth = values.view(np.bool_) if spec.kind == "BOOLEAN" else values
        categories = tuple(str(each) for each in spec.choices) if spec.kind == "TEXT" else None
        columns[name] = Column(truth, batch.column(f"{name}?").to_numpy().view(np.bool_), categories=categories)
    return Table(batch.num_rows, columns)


def changed(table: Table, other: Table, rows: np.ndarray) -> Table:
    """Return a table in which `rows` are as in another one."""
    columns = {}
    for name, column in table.columns.items():
        values, known = column.values.copy(), np.array(column.known)
        values[rows], known[rows] = other.columns[name].values[rows], np.array(other.columns[name].known)[rows]
        columns[name] = Column(values, known, categories=column.categories)
    return Table(table.count, columns)
