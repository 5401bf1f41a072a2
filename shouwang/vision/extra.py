"""The optional libraries, each loaded when first used, so that the core installs and passes without them."""

from __future__ import annotations

import importlib.util
from functools import cache
from typing import Any

from shouwang.vision.errors import VisionMissing

PACKAGES = {"cv2": "opencv-python-headless", "onnxruntime": "onnxruntime", "av": "av"}


@cache
def library(name: str) -> Any:
    """Return the module `name` of the extra. Raises VisionMissing where it is not installed."""
    try:
        found = importlib.import_module(name)
    except ImportError as error:
        raise VisionMissing(package=PACKAGES[name]) from error
    if name == "cv2":
        found.setNumThreads(1)  # parallel over cameras, never within one
    return found


def missing() -> list[str]:
    """Return the packages of the extra that are not installed."""
    return [package for module, package in PACKAGES.items() if importlib.util.find_spec(module) is None]
