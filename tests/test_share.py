# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import site
import sys
from pathlib import Path

from ris_node import share

ROOT = Path(__file__).resolve().parents[1]


def test_the_source_tree_comes_first():
    assert share.share_folders("engines")[0] == ROOT / "engines"
    assert share.share_folders("no such folder") == []


def test_every_way_of_installing_is_looked_at_in_order(tmp_path, monkeypatch):
    places = {name: tmp_path / name / "share/ris_node/config" for name in ("target", "prefix", "user", "a", "b")}
    for folder in places.values():
        folder.mkdir(parents=True)
    monkeypatch.setattr(share, "_PACKAGE", tmp_path / "target/ris_node")
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "prefix"))
    monkeypatch.setattr(site, "USER_BASE", str(tmp_path / "user"))
    monkeypatch.setattr(site, "ENABLE_USER_SITE", True)
    monkeypatch.setenv("AMENT_PREFIX_PATH", f"{tmp_path / 'a'}:{tmp_path / 'b'}")
    assert share.share_folders("config") == list(places.values())
    monkeypatch.setattr(site, "ENABLE_USER_SITE", False)
    assert places["user"] not in share.share_folders("config")
