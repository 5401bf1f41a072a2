"""Water meters that speak CJ/T 188 over TCP: behind a concentrator, or behind a modem that passes bytes through."""

from functools import partial

from shouwang.telemetry.listening import Listening, run
from shouwang.telemetry.sources import settings_of, sources_found
from shouwang.telemetry.sources.cjt188.listen import Cjt188Settings, Line

SOURCE = "cjt188"
SETTINGS = Cjt188Settings

__all__ = ["SETTINGS", "SOURCE", "Line", "serve"]


def serve(options: Listening) -> None:
    """Listen until told to stop. Raises SourceSettingsInvalid."""
    said = settings_of(SOURCE, Cjt188Settings)
    run(options, source=SOURCE, limits=sources_found()[SOURCE].limits, session=partial(Line, said=said))
