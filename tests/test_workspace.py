# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The ROS way: colcon finds both packages in ros2_ws and builds what `ros2 run` and `ros2 launch` look for."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
WORKSPACE = ROOT / "ros2_ws"
pytestmark = pytest.mark.ros


def run(*command: str) -> str:
    """Run a command in the workspace; its output."""
    done = subprocess.run(command, cwd=WORKSPACE, capture_output=True, text=True, check=False)
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
