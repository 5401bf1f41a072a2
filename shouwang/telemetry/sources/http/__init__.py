"""Readings over HTTP: JSON in, columns out; the answer is given only after the commit."""

from shouwang.telemetry.sources.http.receive import MAX_BODY_BYTES, Response, receive, release

__all__ = ["MAX_BODY_BYTES", "Response", "receive", "release"]
