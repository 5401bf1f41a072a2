"""Reads settings from `SHOUWANG_*` variables and one TOML file; says where each value came from. Knows no room."""

from __future__ import annotations

import json
import os
import secrets
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

PREPARE_AFTER = 5
"""How often PostgreSQL is given a statement before it keeps the plan; `?prepare_threshold=` in the address changes it."""
DEFAULTS: Mapping[str, str] = {
    "data_dir": "var",
    "database": "",
    "secret_key": "",
    "hosts": "127.0.0.1,localhost,[::1]",
    "origins": "",
    "address": "http://127.0.0.1:8000",
    "debug": "false",
    "demo": "false",
    "cell": "371500",
    "language": "zh",
    "webhook_allow": "",
    "keep_readings_days": "400",
    "field_keys": "",
    "sources": "{}",
}


@dataclass(frozen=True)
class Value:
    """One setting and where it came from: an environment variable, the TOML file or the default."""

    value: str
    source: str


class Environment:
    """Looks settings up: environment first, then the TOML file, then the default."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.file = Path(environ.get("SHOUWANG_CONFIG", "shouwang.toml"))
        self._toml = tomllib.loads(self.file.read_text("utf-8")) if self.file.is_file() else {}

    def value(self, name: str) -> Value:
        """Return the setting `name` and its source. Raises KeyError for a name without default."""
        variable = "SHOUWANG_" + name.upper()
        if variable in self._environ:
            return Value(self._environ[variable], variable)
        if name in self._toml:
            return Value(str(self._toml[name]), str(self.file))
        return Value(DEFAULTS[name], "default")

    def text(self, name: str) -> str:
        """Return the setting `name`."""
        return self.value(name).value

    def flag(self, name: str) -> bool:
        """Return whether the setting `name` is switched on."""
        return self.text(name).lower() in {"1", "true", "yes", "on"}

    def number(self, name: str, *, least: int) -> int:
        """Return the setting `name` as a whole number. Raises ValueError for anything else, or less than `least`."""
        value = self.value(name)
        if not (value.value.isascii() and value.value.isdigit()) or int(value.value) < least:
            message = f"{name} = {value.value!r} ({value.source}): expected a whole number of at least {least}"
            raise ValueError(message)
        return int(value.value)

    def tables(self, name: str) -> dict[str, dict[str, Any]]:
        """Return the setting `name` as tables by name: `[name.x]` in the TOML file, one JSON object in the variable. Raises ValueError."""
        variable = "SHOUWANG_" + name.upper()
        try:
            found = json.loads(self._environ[variable]) if variable in self._environ else self._toml.get(name, {})
        except json.JSONDecodeError as error:
            message = f"{variable} cannot be read: {error}; expected one JSON object"
            raise ValueError(message) from error
        if not isinstance(found, dict) or not all(isinstance(each, dict) for each in found.values()):
            message = f"{name} ({self.value(name).source}) holds something else than tables; expected [{name}.x] with settings below"
            raise ValueError(message)
        return found

    def words(self, name: str) -> list[str]:
        """Return the comma-separated setting `name` as a list."""
        return [word.strip() for word in self.text(name).split(",") if word.strip()]


def database(url: str, data_dir: Path) -> dict[str, Any]:
    """Return Django's description of the database at `url`; empty means SQLite in the data folder."""
    if not url or url.startswith("sqlite:"):
        name = url.removeprefix("sqlite:").removeprefix("//") or str(data_dir / "shouwang.sqlite3")
        return {"ENGINE": "shouwang.journal.sqlite", "NAME": name, "CONN_MAX_AGE": None, "TEST": {"NAME": str(data_dir / "test.sqlite3")}}
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    host = query.pop("host", parts.hostname or "")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")) or "shouwang",
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": None,
        "OPTIONS": {**query, "prepare_threshold": int(query.get("prepare_threshold", PREPARE_AFTER)) or None},
    }


def secret_key(given: str, data_dir: Path) -> str:
    """Return the given key, or one made once and kept in the data folder, readable by its owner only."""
    if given:
        return given
    kept = data_dir / "secret_key"
    if not kept.exists():
        data_dir.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(kept, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(48))
    return kept.read_text()
