"""The web application for any WSGI server."""

from __future__ import annotations

import logging
import os

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.core.management import call_command

_log = logging.getLogger(__name__)


def gather_static_files() -> None:
    """Copy every room's static files and their compressed forms to STATIC_ROOT; where that fails they are served as they lie."""
    try:
        call_command("collectstatic", clear=True, interactive=False, verbosity=0)
    except OSError:
        _log.exception("the static files could not be gathered in %s: they are served uncompressed; make room and restart", settings.STATIC_ROOT)
        settings.WHITENOISE_USE_FINDERS = True


os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shouwang.config.settings")
django.setup(set_prefix=False)
gather_static_files()
application = WSGIHandler()
