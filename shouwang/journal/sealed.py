"""Columns that are sealed at rest: the text is readable in Python only, and found by its fingerprint only."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.db.models.lookups import Exact, IsNull

from shouwang.kernel.sealing import (
    FINGERPRINT_HEX,
    Keys,
    SealBroken,
    fingerprint,
    new_keys,
    parse_keys,
    seal,
    unseal,
    write_keys,
)

if TYPE_CHECKING:
    _Text = models.TextField[str, str]
    _Chars = models.CharField[str, str]
else:
    _Text, _Chars = models.TextField, models.CharField

FRESH_S = 5.0
_kept: dict[str, tuple[float, float, Keys]] = {}


def keys(*, anew: bool = False) -> Keys:
    """Return the installation's keys: from the setting, else from the key file, looked at every five seconds. Raises KeysInvalid.

    The file is made at first use, readable by its owner only.
    """
    given = settings.SHOUWANG_FIELD_KEYS
    if given:
        return _kept.setdefault(given, (0.0, 0.0, parse_keys(given)))[2]
    path = key_file()
    looked_s, changed_s, known = _kept.get(str(path), (float("-inf"), 0.0, None))
    if known is not None and not anew and time.monotonic() - looked_s < FRESH_S:
        return known
    if not path.exists():
        _make(path)
    changed_now_s = path.stat().st_mtime
    if known is None or changed_now_s != changed_s or anew:
        known = parse_keys(path.read_text("ascii"))
    _kept[str(path)] = (time.monotonic(), changed_now_s, known)
    return known


def key_file() -> Path:
    """Return where the keys lie when no setting gives them."""
    return Path(settings.SHOUWANG_DATA_DIR) / "field_keys"


def save_keys(changed: Keys) -> None:
    """Replace the key file, whole or not at all."""
    part = key_file().with_name("field_keys.part")
    part.unlink(missing_ok=True)
    _write(part, changed)
    part.replace(key_file())
    keys(anew=True)


def fingerprint_of(about: str, text: str) -> str:
    """Return the fingerprint of `text` in the column called `about`."""
    return fingerprint(text, keys(), about=about)


def opened(value: str, *, about: str) -> str:
    """Return the text of a sealed value of the column called `about`, as it lies in the table. Raises SealBroken."""
    if not value:
        return value
    try:
        return unseal(value, keys(), about=about)
    except SealBroken:
        return unseal(value, keys(anew=True), about=about)  # keys that were rotated a moment ago


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        _write(path.with_name(f"field_keys.{os.getpid()}"), new_keys())
        os.link(path.with_name(f"field_keys.{os.getpid()}"), path)  # the first of several processes makes them
    except FileExistsError:
        pass
    finally:
        path.with_name(f"field_keys.{os.getpid()}").unlink(missing_ok=True)


def _write(path: Path, text: Keys) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(write_keys(text))
        file.flush()
        os.fsync(file.fileno())


class NothingIn(Exact):
    """Whether a sealed column is empty: the only thing that can be asked of it."""

    def get_prep_lookup(self) -> str:
        """Return "" and refuse anything else: equal texts are sealed differently."""
        if self.rhs != "":
            message = f"{self.lhs.target.name} is sealed: look for its fingerprint, or for its being empty"
            raise TypeError(message)
        return ""


class SealedField(_Text):
    """A text that is sealed in the table. `about` names it, and is bound into every value."""

    def __init__(self, *args: Any, about: str = "", **kwargs: Any) -> None:
        self.about = about
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        """Return what migrations need to make the field again."""
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "about": self.about}

    def from_db_value(self, value: str | None, *_: object) -> str | None:
        """Return the text of a sealed value. Raises SealBroken."""
        return opened(value, about=self.about) if value else value

    def get_prep_value(self, value: Any) -> str | None:
        """Return a text sealed."""
        return None if value is None else seal(str(value), keys(), about=self.about)

    def get_lookup(self, lookup_name: str) -> Any:
        """Return the two questions that may be asked: is it empty, is it null."""
        return {"exact": NothingIn, "isnull": IsNull}.get(lookup_name)


class FingerprintField(_Chars):
    """The fingerprint of another column of the row, kept with it: equal texts have equal ones."""

    def __init__(self, *args: Any, of: str = "", about: str = "", **kwargs: Any) -> None:
        self.of, self.about = of, about
        super().__init__(*args, **{"max_length": FINGERPRINT_HEX, "blank": True, "editable": False, **kwargs})

    def deconstruct(self) -> Any:
        """Return what migrations need to make the field again."""
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "of": self.of, "about": self.about}

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        """Return the fingerprint of what the row holds now."""
        del add
        found = fingerprint_of(self.about, getattr(model_instance, self.of))
        setattr(model_instance, self.attname, found)
        return found
