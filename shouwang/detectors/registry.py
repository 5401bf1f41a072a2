"""Finds the detectors: every module of this package that names itself. Nothing is registered by hand."""

from __future__ import annotations

import hashlib
import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import msgspec

from shouwang import detectors
from shouwang.detectors.contract import Judge, Params, TakeStreams


@dataclass(frozen=True)
class Detector:
    """A detector as found in its file."""

    name: str
    version: int
    params: Params
    judge: Judge
    summary: str
    take_streams: TakeStreams

    def settled(self, params: Mapping[str, float]) -> dict[str, float]:
        """Return the defaults with `params` over them. Raises KeyError for a parameter the detector does not have."""
        unknown = sorted(set(params) - set(self.params))
        if unknown:
            message = f"detector {self.name} has no parameter {unknown[0]}; it has {', '.join(sorted(self.params))}"
            raise KeyError(message)
        return {**self.params, **params}


@cache
def detectors_found() -> Mapping[str, Detector]:
    """Return the detectors by name. Raises ValueError when two files claim one name."""
    found: dict[str, Detector] = {}
    for info in pkgutil.iter_modules(detectors.__path__):
        module = importlib.import_module(f"{detectors.__name__}.{info.name}")
        if not hasattr(module, "NAME"):
            continue
        if module.NAME in found:
            message = f"two detector files are named {module.NAME}; rename one of them"
            raise ValueError(message)
        summary = (module.__doc__ or "").strip().splitlines()[0]
        found[module.NAME] = Detector(module.NAME, module.VERSION, module.PARAMS, module.judge, summary, module.take_streams)
    return found


def params_hash(params: Mapping[str, float]) -> str:
    """Return a short fingerprint of `params`, kept on every finding."""
    encoded = msgspec.json.encode({name: float(value) for name, value in params.items()}, order="deterministic")
    return hashlib.sha256(encoded).hexdigest()[:12]
