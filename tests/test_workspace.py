# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The ROS way: colcon builds both packages, in ros2_ws and in anybody's workspace, or says what is missing."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
WORKSPACE = ROOT / "ros2_ws"
INDEX = "share/ament_index/resource_index/packages"
EMPTY_MESSAGES = """cmake_minimum_required(VERSION 3.16)
project(ris_msgs NONE)
find_package(ament_cmake REQUIRED)
ament_package()
"""
pytestmark = pytest.mark.ros


def run(*command: str, folder: Path = WORKSPACE) -> str:
    """Run a command in the workspace; its output."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def colcon() -> str:
    program = shutil.which("colcon") or shutil.which("colcon", path=str(Path(sys.executable).parent))
    assert program, "no colcon: `make test` installs it"
    return program


def test_colcon_finds_both_packages(colcon: str) -> None:
    listed = {tuple(line.split("\t")) for line in run(colcon, "list", "--base-paths", "src").splitlines()}
    assert listed == {
        ("ris_msgs", "src/ris_msgs", "(ros.ament_cmake)"),
        ("ris_node", "src/ris_node", "(ros.ament_python)"),
    }


@pytest.mark.parametrize("options", [(), ("--symlink-install",)], ids=["copied", "linked"])
def test_colcon_builds_the_node(colcon: str, options: tuple[str, ...], tmp_path: Path) -> None:
    places = ("--build-base", str(tmp_path / "build"), "--install-base", str(tmp_path / "install"))
    # ris_msgs is not built again, which takes a minute: the one in force is found.
    run(colcon, "--log-base", str(tmp_path / "log"), "build", *places, *options, "--base-paths", "src/ris_node")
    prefix = tmp_path / "install" / "ris_node"
    for program in ("ris", "grounding_node"):
        assert (prefix / "lib" / "ris_node" / program).is_file()
    share = prefix / "share" / "ris_node"
    for folder in ("launch", "config", "engines"):
        assert any((share / folder).iterdir())
    assert (share / "package.xml").is_file()
    assert (prefix / "share/ament_index/resource_index/packages/ris_node").exists()
    script = f'. "{tmp_path}/install/local_setup.sh" && exec "{prefix}/lib/ris_node/ris" --version'
    assert run("sh", "-c", script).startswith("ris_node ")


@pytest.fixture
def foreign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Somebody's workspace with a checkout in src/ and no ris_msgs in force; its messages are empty, to build fast."""
    checkout = tmp_path / "src" / "my_ris"
    (checkout / "msgs").mkdir(parents=True)
    for name in ("ris_node", "ris_scene", "resource", "package.xml", "setup.cfg"):
        (checkout / name).symlink_to(ROOT / name)
    shutil.copy(ROOT / "setup.py", checkout)
    shutil.copy(ROOT / "msgs" / "package.xml", checkout / "msgs")
    (checkout / "msgs" / "CMakeLists.txt").write_text(EMPTY_MESSAGES)
    for variable in ("AMENT_PREFIX_PATH", "CMAKE_PREFIX_PATH"):
        prefixes = [p for p in os.environ[variable].split(":") if not Path(p, INDEX, "ris_msgs").exists()]
        monkeypatch.setenv(variable, ":".join(prefixes))
    return tmp_path


def cure_of(*command: str, folder: Path) -> str:
    """Run a build that has to fail; what it says to do first."""
    failed = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert failed.returncode and "ris_node needs the package ris_msgs" in failed.stderr
    cure = re.search(r"^ {4}(.*) && colcon build$", failed.stderr, re.MULTILINE)
    assert cure, failed.stderr
    return cure[1]


@pytest.mark.parametrize("options", [(), ("--symlink-install",)], ids=["copied", "linked"])
def test_a_foreign_workspace_builds_both_or_says_how(colcon: str, options: tuple[str, ...], foreign: Path) -> None:
    command = (colcon, "build", *options)
    run("sh", "-c", cure_of(*command, folder=foreign), folder=foreign)
    run(*command, folder=foreign)
    for package in ("ris_msgs", "ris_node"):
        assert (foreign / "install" / package / INDEX / package).exists()


def test_the_cure_fits_where_colcon_was_started(colcon: str, foreign: Path) -> None:
    checkout, linking = foreign / "src" / "my_ris", foreign / "another"
    assert cure_of(colcon, "build", folder=checkout) == "cd ros2_ws"
    (linking / "src").mkdir(parents=True)
    (linking / "src" / "here").symlink_to(checkout)
    assert cure_of(colcon, "build", folder=linking) == f"ln -s {checkout}/msgs {linking}/src/ris_msgs"


def test_pip_builds_without_the_messages(foreign: Path) -> None:
    pip = (sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index", ".")
    run(*pip, folder=foreign / "src" / "my_ris")
    assert list((foreign / "src" / "my_ris").glob("ris_node-*.whl"))
