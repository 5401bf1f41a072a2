"""Watches of one code at work: the one of everywhere and those of areas. Which of them hears which stream, and moving streams.

A stream is heard by the watch of the nearest area at or above it. What is remembered of it moves along, its open episodes
included, so an alarm is neither lost nor told twice. Until that is stored, readings go to the watch that holds the stream.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from shouwang.detectors.contract import Columns, Int64s, State, drop_streams, dump, only_streams, streams_of
from shouwang.detectors.registry import Detector, params_hash
from shouwang.journal.rules import Lease
from shouwang.telemetry.queries import Catalogue
from shouwang.watch import actions
from shouwang.watch.actions import Judged
from shouwang.watch.queries import WatchRow, stream_paths
from shouwang.watch.rules import nearest

Place = tuple[int, int]


@dataclass
class Held:
    """The state of one watch and partition in this process; `changed` while it differs from what is stored."""

    id: int
    partition: int
    state: State
    cursor: int
    tick_id: int
    changed: bool = False


@dataclass
class Watching:
    """One watch at work."""

    row: WatchRow
    detector: Detector
    params_hash: str
    held: list[Held]
    late: list[Columns] = field(default_factory=list)
    rows_unsaved: int = 0
    saved_us: int = 0

    def judge_by(self, row: WatchRow) -> None:
        """Judge by other parameters from now on; what is remembered stays, and is looked at anew."""
        for held in self.held:
            streams = streams_of(held.state)
            if len(streams):
                held.state = self.detector.take_streams(drop_streams(held.state, streams), held.state)
                held.changed = True
        self.row, self.params_hash = row, params_hash(row.params)


@dataclass
class Family:
    """The watches of one code: `members` judge, `unborn` have no state yet."""

    members: list[Watching]
    unborn: list[WatchRow]
    settled_by: Catalogue | None = None
    _hearer: dict[int, int] = field(default_factory=dict)
    _paths: tuple[Catalogue, dict[int, str]] | None = None

    def __post_init__(self) -> None:
        """Note which watch holds which stream."""
        self.note_held()

    def hearers(self, streams: Int64s, known: Catalogue) -> Int64s:
        """Return the watch that hears each stream: the one that holds it, for a new stream that of the nearest area."""
        unique, places = np.unique(streams, return_inverse=True)
        by_path = {each.row.path: each.row.id for each in self.members if each.row.own or not each.row.path}
        for stream in unique.tolist():
            if stream not in self._hearer:
                self._hearer[stream] = by_path[nearest(self._path(stream, known), by_path)]
        return np.array([self._hearer[stream] for stream in unique.tolist()], np.int64)[places]

    def settle(self, lease: Lease, known: Catalogue) -> list[Watching]:
        """Let every stream be held by the watch that should hear it, in one transaction; return who judges from now on.

        Waits until all have judged the same tick. Watches without a parameter of their own are given up. Raises LeaseLost.
        """
        gone = [each for each in self.members if each.row.path and not each.row.own]
        ticks = {held.tick_id for each in self.members for held in each.held}
        if (known is self.settled_by and not self.unborn and not gone) or len(ticks) > 1:
            return self.members
        born = [self._born(row) for row in self.unborn if row.own]
        members = [*self.members, *born]
        states = dict(self._moved(members, known))
        over = [each.row.id for each in gone] + [row.id for row in self.unborn if not row.own]
        if states or born or over:
            self._store(lease, members, states, born=born, gone=over)
        self.members, self.unborn = [each for each in members if each not in gone], []
        self.settled_by = known
        self.note_held()
        return self.members

    def _born(self, row: WatchRow) -> Watching:
        above = self.members[0]
        held = [Held(0, each.partition, drop_streams(each.state, streams_of(each.state)), each.cursor, each.tick_id) for each in above.held]
        return Watching(row, above.detector, params_hash(row.params), held, saved_us=above.saved_us)

    def _moved(self, members: Sequence[Watching], known: Catalogue) -> Iterator[tuple[Place, State]]:
        """Yield the states that change: those that lose streams, and those that gain them."""
        by_path = {each.row.path: each for each in members if each.row.own or not each.row.path}
        states: dict[Place, State] = {}
        for watching in members:
            for held in watching.held:
                at = (watching.row.id, held.partition)
                for target, streams in self._leaving(watching, held.state, by_path, known).items():
                    to = next(each for each in by_path[target].held if each.partition == held.partition)
                    place = (by_path[target].row.id, held.partition)
                    taken = only_streams(held.state, streams)
                    states[at] = drop_streams(states.get(at, held.state), streams)
                    states[place] = watching.detector.take_streams(states.get(place, to.state), taken)
        yield from states.items()

    def _leaving(self, watching: Watching, state: State, by_path: Mapping[str, Watching], known: Catalogue) -> dict[str, Int64s]:
        """Return the streams of a state that another watch should hear, by the path of that watch."""
        leaving: dict[str, list[int]] = {}
        is_over = watching.row.path not in by_path
        for stream in streams_of(state).tolist():
            path = self._path(stream, known)
            target = nearest(path, by_path) if path or is_over else watching.row.path
            if target != watching.row.path:
                leaving.setdefault(target, []).append(stream)
        return {path: np.array(streams, np.int64) for path, streams in leaving.items()}

    def _path(self, stream: int, known: Catalogue) -> str:
        """Return the path of a stream, empty for one that is not in use."""
        if self._paths is None or self._paths[0] is not known:
            self._paths = (known, stream_paths(known))
        return self._paths[1].get(stream, "")

    def _store(
        self, lease: Lease, members: Sequence[Watching], states: Mapping[Place, State], *, born: Sequence[Watching], gone: Sequence[int],
    ) -> None:
        new = [(each, held) for each in born for held in each.held]
        ids = actions.settle(
            lease,
            born=[
                (each.row.id, held.partition, dump(states.get((each.row.id, held.partition), held.state)), held.cursor, held.tick_id)
                for each, held in new
            ],
            moved=[
                Judged(held.id, dump(states[each.row.id, held.partition]), held.cursor, held.tick_id)
                for each in members if each not in born for held in each.held if (each.row.id, held.partition) in states
            ],
            gone=gone, heir=self.members[0].row.id,
        )
        for (_, held), state_id in zip(new, ids, strict=True):
            held.id = state_id
        for each in members:
            for held in each.held:
                if (each.row.id, held.partition) in states:
                    held.state, held.changed = states[each.row.id, held.partition], False

    def note_held(self) -> None:
        """Note which watch holds which stream."""
        self._hearer = {
            stream: each.row.id for each in self.members for held in each.held for stream in streams_of(held.state).tolist()
        }


def families(rows: Sequence[WatchRow], watching: Mapping[int, Watching], before: Mapping[str, Family]) -> dict[str, Family]:
    """Return the families of those codes that areas have a watch of; one in which nobody came or left is the one of `before`."""
    found: dict[str, Family] = {}
    for code in {row.code for row in rows if row.path}:
        own = [row for row in rows if row.code == code]
        members = [watching[row.id] for row in own if row.id in watching]
        if not members or members[0].row.path:
            continue
        unborn = [row for row in own if row.id not in watching]
        known = before.get(code)
        if known is not None and len(known.members) == len(members) and all(map(_same, known.members, members)):
            known.unborn = unborn
            found[code] = known
        else:
            found[code] = Family(members, unborn)
    return found


def _same(one: Watching, other: Watching) -> bool:
    return one is other
