"""Readings that wait until the watermark has passed them, and where streams stand in a state: shared by all that judge by habit.

Waiting rows grow in place behind the arrays of a state, so that a batch costs what it holds and not what waits already.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from shouwang.detectors.contract import Columns, Int64s, State

LEAST_ROOM = 1024
Kind = TypeVar("Kind", bound=np.generic)
Arrays = Mapping[str, NDArray[np.generic]]


def with_waiting(state: Arrays, columns: Columns) -> Columns:
    """Return the rows that wait in `state` followed by `columns`."""
    kept = waiting(state)
    if not len(columns):
        return kept
    return Columns(_grown(kept.stream, columns.stream), _grown(kept.at_us, columns.at_us), _grown(kept.value, columns.value))


def waiting(state: Arrays) -> Columns:
    """Return the rows that wait in `state`."""
    none = np.zeros(0, np.int64)
    return Columns(
        state.get("pending_stream", none).astype(np.int64, copy=False), state.get("pending_at_us", none).astype(np.int64, copy=False),
        state.get("pending_value", np.zeros(0)).astype(np.float64, copy=False),
    )


def as_state(rows: Columns) -> State:
    """Return waiting rows as arrays of a state."""
    return {"pending_stream": rows.stream, "pending_at_us": rows.at_us, "pending_value": rows.value}


def _grown(kept: NDArray[Kind], more: NDArray[Kind]) -> NDArray[Kind]:
    """Return `kept` followed by `more`, in the room behind `kept` where there is enough of it."""
    room, size = kept.base, len(kept) + len(more)
    fits = (
        isinstance(room, np.ndarray) and room.flags.writeable and room.ndim == 1 and room.dtype == kept.dtype
        and len(room) >= size and room.ctypes.data == kept.ctypes.data and len(kept) > 0
    )
    if not fits:
        room = np.empty(max(2 * size, LEAST_ROOM), kept.dtype)
        room[: len(kept)] = kept
    assert room is not None
    room[len(kept) : size] = more
    return room[:size]


def places(known: Int64s, streams: Int64s) -> Int64s:
    """Return where each of `streams` stands in the ascending `known`, −1 where it does not.

    Numbers that were given out in turn are found where they would be if evenly spaced; the others by bisection.
    """
    if not len(known):
        return np.full(len(streams), -1, np.int64)
    first, span, last = int(known[0]), int(known[-1]) - int(known[0]), len(known) - 1
    guess = streams - first
    if span == last and len(streams) and guess.min() >= 0 and guess.max() <= last:
        return guess
    if span != last:
        guess = np.rint(guess * (last / max(span, 1))).astype(np.int64)
    found = np.clip(guess, 0, last)
    wrong = np.flatnonzero(known[found] != streams)
    if len(wrong):
        near = np.minimum(np.searchsorted(known, streams[wrong]), last)
        found[wrong] = np.where(known[near] == streams[wrong], near, -1)
    return found


def with_new(known: Int64s, streams: Int64s) -> tuple[Int64s, Int64s | None, Int64s]:
    """Return `known` with those of `streams` it lacks, where the known ones stand in it (None where nothing is new), and where `streams` do."""
    place = places(known, streams)
    new = np.unique(streams[place < 0]) if len(place) and place.min() < 0 else streams[:0]
    if not len(new):
        return known, None, place
    joined = np.concatenate([known, new])
    joined.sort()
    return joined, np.searchsorted(joined, known), places(joined, streams)


def taken(array: NDArray[np.generic], fresh: NDArray[Kind], place: Int64s | None) -> NDArray[Kind]:
    """Return `array` ready to be written to; with `place` its rows moved there in `fresh`.

    What has several figures a stream is laid out figure by figure: an hour concerns one figure of all streams.
    """
    if place is not None:
        fresh[place] = array
        return fresh
    ready: NDArray[Kind] = np.asfortranarray(array, fresh.dtype)
    return ready if ready.flags.writeable else ready.copy(order="F")
