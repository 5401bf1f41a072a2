"""The model files that vision works with: which, how large, whose, and that they are what they should be. None is in the package."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

import httpx
import msgspec

from shouwang.vision.errors import ModelAbsent, ModelUnreachable, ModelWrong

MANIFEST = Path(__file__).with_name("weights.json")
TIMEOUT_S = 60.0
SLACK_BYTES = 1024


class Weights(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One model file as the manifest names it. `address_setting` is the variable that holds where to fetch it from."""

    name: str
    file: str
    size: int
    sha256: str
    licence: str
    origin: str
    role: str
    address_setting: str
    address: str = ""


@cache
def manifest() -> Mapping[str, Weights]:
    """Return the models by name."""
    return {each.name: each for each in msgspec.json.decode(MANIFEST.read_bytes(), type=list[Weights])}


def address_of(weights: Weights, environment: Mapping[str, str] = os.environ) -> str:
    """Return where to fetch a model from: its own setting, the manifest's address, or SHOUWANG_MODELS_URL/file; empty when nothing is set."""
    base = environment.get("SHOUWANG_MODELS_URL", "")
    return environment.get(weights.address_setting) or weights.address or (f"{base.rstrip('/')}/{weights.file}" if base else "")


def path_of(name: str, folder: Path) -> Path:
    """Return the file of a model in `folder`, checked against the manifest. Raises ModelAbsent, ModelWrong."""
    weights = manifest()[name]
    path = folder / weights.file
    if not path.is_file():
        raise ModelAbsent(path=path)
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != weights.sha256:
        raise ModelWrong(name=name, found=found, expected=weights.sha256)
    return path


def fetch(
    weights: Weights, folder: Path, *, address: str, client: httpx.Client, report: Callable[[int], None] = lambda _: None,
) -> bool:
    """Fetch a model into `folder` and return True; False when it is there already and right.

    What comes is at most as large as the manifest says, is checked before it gets its name, and leaves nothing behind when it is
    wrong. Raises ModelUnreachable, ModelWrong.
    """
    target = folder / weights.file
    if target.is_file() and hashlib.sha256(target.read_bytes()).hexdigest() == weights.sha256:
        return False
    content = downloaded(weights, address=address, client=client, report=report)
    found = hashlib.sha256(content).hexdigest()
    if found != weights.sha256:
        raise ModelWrong(name=weights.name, found=found, expected=weights.sha256)
    folder.mkdir(parents=True, exist_ok=True)
    part = target.with_suffix(".part")
    part.write_bytes(content)
    part.replace(target)
    return True


def downloaded(weights: Weights, *, address: str, client: httpx.Client, report: Callable[[int], None]) -> bytes:
    """Return what stands at `address`, never more than the manifest's size. Raises ModelUnreachable."""
    def unreachable(found: object) -> ModelUnreachable:
        return ModelUnreachable(name=weights.name, address=address or "—", found=found, setting=weights.address_setting)

    if not address:
        raise unreachable("no address is set")
    content = bytearray()
    try:
        with client.stream("GET", address, timeout=TIMEOUT_S, follow_redirects=True) as answer:
            if answer.status_code != httpx.codes.OK:
                raise unreachable(f"HTTP {answer.status_code}")
            for part in answer.iter_bytes():
                content += part
                report(len(part))
                if len(content) > weights.size + SLACK_BYTES:
                    raise unreachable(f"more than {weights.size} bytes")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise unreachable(type(error).__name__) from error
    return bytes(content)
