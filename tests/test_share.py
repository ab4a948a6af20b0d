# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ris_node import share

ROOT = Path(__file__).resolve().parents[1]


def test_the_source_tree_comes_first():
    assert share.share_folders("engines")[0] == ROOT / "engines"
    assert share.share_folders("no such folder") == []


@pytest.mark.parametrize("packages", ["lib/python3.12/dist-packages", "lib64/python3.10/site-packages"])
def test_every_way_of_installing_is_looked_at_in_order(tmp_path, monkeypatch, packages):
    below = Path("usr/local", packages)
    places = {name: tmp_path / name / "share/ris_node/config" for name in (below, "usr/local", "prefix", "a", "b")}
    for folder in places.values():
        folder.mkdir(parents=True)
    monkeypatch.setattr(share, "_PACKAGE", tmp_path / below / "ris_node")
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "prefix"))
    monkeypatch.setenv("AMENT_PREFIX_PATH", f"{tmp_path / 'a'}:{tmp_path / 'b'}")
    assert share.share_folders("config") == list(places.values())


def test_a_package_near_the_root_has_no_prefix(monkeypatch):
    monkeypatch.setattr(share, "_PACKAGE", Path("/opt/ris_node"))
    assert share.share_folders("no such folder") == []
