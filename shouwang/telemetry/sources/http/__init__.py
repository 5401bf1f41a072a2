"""Readings over HTTP: JSON in, columns out; the answer is given only after the commit."""

from shouwang.telemetry.sources.http.decode import Readings
from shouwang.telemetry.sources.http.receive import MAX_BODY_BYTES, RIGHT, ReadingsTaken, Response, receive, release, take

__all__ = ["MAX_BODY_BYTES", "RIGHT", "Readings", "ReadingsTaken", "Response", "receive", "release", "take"]
