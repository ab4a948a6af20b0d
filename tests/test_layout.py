# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The repository is a valid pair of ROS packages: links, metadata, versions, messages against enums."""

from __future__ import annotations

import ast
import os
import re
import xml.etree.ElementTree as ET
from enum import IntEnum
from pathlib import Path

import pytest

from ris_node import types

ROOT = Path(__file__).resolve().parent.parent
SRC = ROOT / "ros2_ws" / "src"
NEEDED_LINKS = {"package.xml", "setup.py", "setup.cfg", "pyproject.toml", "resource", "ris_node", "ris_scene", "tests"}
PREFIXES = {
    ("msg/Query.msg", "KIND"): types.QueryKind,
    ("msg/Query.msg", "MANOEUVRE"): types.Manoeuvre,
    ("msg/Grounding.msg", "STATUS"): types.Status,
    ("msg/RegionTarget.msg", "STATUS"): types.TargetStatus,
    ("msg/RegionTarget.msg", "METHOD"): types.TargetMethod,
}


def data_folders() -> tuple[str, ...]:
    """Return DATA_FOLDERS of setup.py without running it."""
    for node in ast.parse((ROOT / "setup.py").read_text()).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "DATA_FOLDERS":
            folders = ast.literal_eval(node.value)
            assert isinstance(folders, tuple)
            return folders
    raise AssertionError("setup.py has no DATA_FOLDERS")


def test_every_link_of_the_workspace_resolves_inside_the_repository() -> None:
    links = [path for path in SRC.rglob("*") if path.is_symlink()]
    assert links
    for link in links:
        assert link.exists(), f"{link} points at nothing"
        assert ROOT in link.resolve().parents, f"{link} leaves the repository"
        assert not link.readlink().is_absolute(), f"{link} would break in another folder"


def test_the_workspace_links_all_that_setup_py_installs() -> None:
    linked = {path.name for path in (SRC / "ris_node").iterdir() if path.is_symlink()}
    assert linked >= NEEDED_LINKS | set(data_folders())


def test_no_link_leads_back_to_a_folder_above_it() -> None:
    links = []
    for root, folders, files in os.walk(ROOT):
        folders[:] = [name for name in folders if name not in (".venv", ".git")]
        links += [path for name in (*folders, *files) if (path := Path(root) / name).is_symlink()]
    assert links
    assert [link for link in links if link.resolve() in link.parents] == []


@pytest.mark.parametrize(("package", "build_type"), [(".", "ament_python"), ("msgs", "ament_cmake")])
def test_package_xml(package: str, build_type: str) -> None:
    tree = ET.parse(ROOT / package / "package.xml").getroot()
    assert tree.get("format") == "3"
    assert tree.findtext("license") == "Apache-2.0"
    assert tree.findtext("export/build_type") == build_type


def test_versions_agree() -> None:
    found = {ET.parse(ROOT / folder / "package.xml").getroot().findtext("version") for folder in (".", "msgs")}
    found |= set(re.findall(r'version="([^"]+)"', (ROOT / "setup.py").read_text()))
    found |= set(re.findall(r"^version: (.+)$", (ROOT / "CITATION.cff").read_text(), re.MULTILINE))
    assert len(found) == 1, f"different versions: {found}"


def test_every_message_file_is_built() -> None:
    listed = set(re.findall(r'"((?:msg|srv|action)/\w+\.\w+)"', (ROOT / "msgs" / "CMakeLists.txt").read_text()))
    there = {str(path.relative_to(ROOT / "msgs")) for path in (ROOT / "msgs").glob("*/*.*")}
    assert listed == there


@pytest.mark.parametrize(("file", "prefix"), PREFIXES)
def test_message_constants_are_the_enums(file: str, prefix: str) -> None:
    text = (ROOT / "msgs" / file).read_text()
    constants = {name: int(value) for name, value in re.findall(rf"^uint8 {prefix}_(\w+)=(\d+)", text, re.MULTILINE)}
    enum: type[IntEnum] = PREFIXES[file, prefix]
    assert constants == {member.name: member.value for member in enum}
