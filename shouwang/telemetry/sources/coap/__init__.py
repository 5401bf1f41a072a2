"""Readings of NB-IoT devices over CoAP (RFC 7252): confirmable requests, answered by 2.04 after the commit."""

from shouwang.telemetry.listening import Listening
from shouwang.telemetry.sources import sources_found
from shouwang.telemetry.sources.coap.listen import run
from shouwang.telemetry.sources.coap.receive import SOURCE

__all__ = ["SOURCE", "serve"]


def serve(options: Listening) -> None:
    """Listen until told to stop. Raises TlsUnknown when a certificate is given."""
    run(options, limits=sources_found()[SOURCE].limits)
