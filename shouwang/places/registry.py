"""The settings that may differ by area, declared by the rooms that use them when the program starts."""

from __future__ import annotations

from shouwang.places.rules.errors import SettingUnknown
from shouwang.places.rules.settings import OWN, SettingSpec, check_value

_specs: dict[str, SettingSpec] = {spec.key: spec for spec in OWN}


def declare(spec: SettingSpec) -> SettingSpec:
    """Make a setting known and return it. Raises SettingInvalid when its default does not fit its kind."""
    check_value(spec, spec.default)
    _specs[spec.key] = spec
    return spec


def spec_of(key: str) -> SettingSpec:
    """Return the setting `key`. Raises SettingUnknown."""
    if key not in _specs:
        raise SettingUnknown(key=key, expected=", ".join(sorted(_specs)))
    return _specs[key]


def specs() -> list[SettingSpec]:
    """Return every declared setting by key."""
    return [_specs[key] for key in sorted(_specs)]
