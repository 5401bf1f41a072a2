"""What the figures must be, and how hard the set must be for them to count."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Found = dict[str, Any]


def at_least(name: str, least: float) -> Callable[[Found], bool]:
    """Return whether a figure reaches `least`; a figure that is absent does not."""
    return lambda found: found.get(name) is not None and found[name] >= least


def at_most(name: str, most: float) -> Callable[[Found], bool]:
    """Return whether a figure stays at or under `most`."""
    return lambda found: found.get(name) is not None and found[name] <= most


FIGURES: dict[str, Callable[[Found], bool]] = {
    "recall_1s_day": at_least("recall_1s_day", 0.99), "recall_1s_night": at_least("recall_1s_night", 0.95),
    "false_alarms_empty": at_most("false_alarms_empty", 0), "empty_hours": at_least("empty_hours", 2),
    "delay_p95_s_day": at_most("delay_p95_s_day", 0.6), "delay_p95_s_night": at_most("delay_p95_s_night", 1.5),
    "busy_ms_per_frame_1080p": at_most("busy_ms_per_frame_1080p", 8), "ratio_tiles_to_packed": at_least("ratio_tiles_to_packed", 6),
    "faces_left_in_copies": at_most("faces_left_in_copies", 0),
    "hard: full_frame_recall_1s": at_most("full_frame_recall_1s", 0.5), "hard: blobs_false_per_hour_rain": at_least("blobs_false_per_hour_rain", 30),
    "hard: entries_day": at_least("entries_day", 500), "hard: entries_night": at_least("entries_night", 300), "hard: sprites": at_least("sprites", 20),
    "hard: least_px": at_least("least_px", 36), "hard: most_px": at_most("most_px", 60),
}
