# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Processes start where logs cannot be written, and say in one line why ROS does not start where it cannot."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

pytest.importorskip("rclpy")
pytestmark = pytest.mark.ros

from ris_node.cli.doctor import middleware as doctor_ros  # noqa: E402
from ris_node.cli.doctor.finding import OK, WARNING  # noqa: E402
from ris_node.logfolder import log_folder, log_trouble, spare_folder  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
LOG = """
from ris_node.ros.start import start_ros
from rclpy.logging import get_logger
start_ros([])
get_logger("x").info("here")
"""
NO_SPARE = "import tempfile\ntempfile.tempdir = '/proc/none'\n"
VARIABLES = ("ROS_LOG_DIR", "ROS_HOME", "HOME")


def run(script: str, **changes: str | None) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    environment.update({name: value for name, value in changes.items() if value is not None})
    command = [sys.executable, "-c", script]
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT, timeout=60, check=False)


def unwritable(folder: Path) -> str:
    """A path below a file: not even root can make a folder of it."""
    (folder / "file").write_text("")
    return str(folder / "file" / "below")


@pytest.mark.parametrize("variable", [*VARIABLES, None])
def test_a_process_starts_without_a_log_folder(variable: str | None, tmp_path: Path) -> None:
    changes = {variable: unwritable(tmp_path)} if variable else {}
    done = run(LOG, TMPDIR=str(tmp_path), **changes)
    assert done.returncode == 0, done.stderr
    first, *rest = done.stderr.splitlines()
    assert first.startswith("no log folder, ") and "set ROS_LOG_DIR" in first
    assert (variable is None) == ("HOME is not set" in first)
    assert "Traceback" not in done.stderr and "here" in "".join(rest) + done.stdout
    spare = tmp_path / f"ris_node_log_{os.getuid()}"
    assert "here" in "".join(file.read_text() for file in spare.iterdir())


def test_where_nothing_can_be_written_the_terminal_has_the_log(tmp_path: Path) -> None:
    done = run(NO_SPARE + LOG, ROS_LOG_DIR=unwritable(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "logs go to the terminal only" in done.stderr and "here" in done.stderr + done.stdout


def test_a_folder_that_can_be_written_is_used_without_a_word(tmp_path: Path) -> None:
    done = run(LOG, ROS_LOG_DIR="~/logs", HOME=str(tmp_path))
    assert "no log folder" not in done.stderr
    assert "here" in "".join(file.read_text() for file in (tmp_path / "logs").iterdir())


@pytest.mark.parametrize(
    ("environ", "folder"),
    [
        ({"ROS_LOG_DIR": "/a", "ROS_HOME": "/b", "HOME": "/c"}, "/a"),
        ({"ROS_LOG_DIR": "", "ROS_HOME": "/b", "HOME": "/c"}, "/b/log"),
        ({"ROS_HOME": "~/b", "HOME": "/c"}, "/c/b/log"),
        ({"HOME": "/c"}, "/c/.ros/log"),
        ({"HOME": ""}, None),
        ({}, None),
    ],
)
def test_the_log_folder_is_the_one_that_rcl_takes(environ: dict[str, str], folder: str | None) -> None:
    assert log_folder(environ) == (Path(folder) if folder else None)


def test_the_spare_folder_is_this_users_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    trap = tmp_path / "elsewhere"
    trap.mkdir()
    (tmp_path / f"ris_node_log_{os.getuid()}").symlink_to(trap)
    spare = spare_folder()
    assert spare is not None and not spare.is_symlink() and spare.resolve() != trap
    assert not log_trouble(spare)


def test_the_doctor_names_the_log_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROS_LOG_DIR", str(tmp_path))
    (finding,) = doctor_ros.check_logs()
    assert finding.level == OK and str(tmp_path) in finding.what
    monkeypatch.setenv("ROS_LOG_DIR", unwritable(tmp_path))
    (finding,) = doctor_ros.check_logs()
    assert finding.level == WARNING and "file/below" in finding.what and "ROS_LOG_DIR" in finding.advice


@pytest.mark.parametrize(
    ("changes", "arguments", "words"),
    [
        ({"ROS_DOMAIN_ID": "elsewhere"}, [], "ROS_DOMAIN_ID"),
        ({}, ["--ros-args", "-p", "x"], "x'"),
        ({}, ["--ros-args", "-r", "__node:=no good"], "no good"),
        ({}, ["--ros-args", "-r", "__ns:=7/x"], "7/x"),
        ({}, ["--ros-args", "-r", "image:=a b"], "a b"),
        ({}, ["--ros-args", "-r", "image:=/a//b"], "/a//b"),
        ({}, ["--ros-args", "--params-file", "/nowhere.yaml"], "/nowhere.yaml"),
    ],
)
def test_what_ros_refuses_is_one_clear_line(
    changes: dict[str, str], arguments: list[str], words: str, ros_domain: int
) -> None:
    command = [sys.executable, "-m", "ris_node.ros.grounding_node", *arguments]
    environment = {**os.environ, **changes}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT, timeout=60, check=False)
    said = done.stdout + done.stderr
    assert done.returncode == 2, said
    assert "Traceback" not in said and words in said


def test_nothing_else_initialises_rclpy() -> None:
    found = []
    for path in sorted((ROOT / "ris_node").rglob("*.py")):
        calls = [n.func for n in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(n, ast.Call)]
        found += [path.name for call in calls if ast.unparse(call) == "rclpy.init"]
    assert found == ["start.py"]
