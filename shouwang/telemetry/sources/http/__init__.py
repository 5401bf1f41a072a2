"""Readings over HTTP: JSON in, columns out; the answer is given only after the commit."""

from shouwang.telemetry.placing import Readings
from shouwang.telemetry.receiving import RIGHT, ReadingsTaken
from shouwang.telemetry.sources.http.body import decode
from shouwang.telemetry.sources.http.receive import MAX_BODY_BYTES, Response, receive, take

__all__ = ["MAX_BODY_BYTES", "RIGHT", "Readings", "ReadingsTaken", "Response", "decode", "receive", "take"]
