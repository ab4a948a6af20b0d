# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The set-up: it names all that is missing, does only what is due, and its wrapper sets what ROS needs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

from envsetup import prefix, steps, tools  # noqa: E402
from envsetup.place import Place, SetupError  # noqa: E402
from envsetup.stamps import Stamps, Step  # noqa: E402
from envsetup.talk import Talk  # noqa: E402


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(root=tmp_path, ros_distro="")


def test_everything_missing_is_named_at_once(place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "git").write_text("#!/bin/sh\n")
    (tmp_path / "git").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SetupError, match=r"sudo apt install make cmake g\+\+$"):
        tools.check(place)


def test_an_old_python_is_refused(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools, "MINIMUM", (4, 0))
    with pytest.raises(SetupError, match="make PYTHON="):
        tools.check(place)


def test_a_ros_that_does_not_fit_this_python_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools, "ROS_MODULES", {"rclpy": "x", "no_such_module_at_all": "y"})
    monkeypatch.setattr(tools, "missing_packages", list)
    monkeypatch.setenv("PYTHONPATH", "")
    monkeypatch.setattr(sys, "executable", os.path.realpath(sys.executable))  # outside of any virtual environment
    with pytest.raises(SetupError, match="unset ROS_DISTRO"):
        tools.check(Place(root=tmp_path, ros_distro="humble"))


def test_a_step_is_due_when_what_it_reads_has_changed(place: Place) -> None:
    source = place.root / "requirements" / "a.txt"
    source.parent.mkdir()
    source.write_text("numpy==1\n")
    place.venv.mkdir()
    first = Step("venv", "", lambda place, talk: None, products=(place.venv,))
    step = Step("packages", "", lambda place, talk: None, (source.parent,), products=(place.root / "made",))
    stamps = Stamps(place)
    assert stamps.due([first, step]) == [first, step]
    stamps.mark(first)
    stamps.mark(step)
    assert stamps.due([first, step]) == [step], "its product is not there"
    (place.root / "made").touch()
    assert stamps.due([first, step]) == []
    source.write_text("numpy==2\n")
    assert stamps.due([first, step]) == [step]
    source.write_text("numpy==1\n")
    assert stamps.due([first, step]) == [], "content counts, not the time"
    assert Stamps(Place(place.root, "jazzy")).due([first, step]) == [first, step], "another ROS, another environment"


def test_paths_of_the_build_machine_are_replaced() -> None:
    built = "/opt/python/cp311-cp311"
    text = f"{built}/include/python3.11;{built}/lib/python3.11/site-packages/numpy/_core/include"
    text = steps.BUILD_MACHINE_NUMPY.sub("N", steps.BUILD_MACHINE_PYTHON.sub("P", text))
    assert text == "P;N"


@pytest.mark.ros
def test_ros2_run_and_ros2_launch_find_the_sources(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    from ament_index_python.packages import get_package_prefix, get_package_share_directory

    for name in ("launch", "resource", *prefix.DATA):
        (place.root / name).symlink_to(ROOT / name)
    info = place.venv / "lib" / "python3.11" / "site-packages" / "ris_node-0.1.0.dist-info"
    for folder in (info, place.venv / "bin"):
        folder.mkdir(parents=True)
    (info / "METADATA").write_text("Name: ris-node\nVersion: 0.1.0\n")
    (info / "entry_points.txt").write_text("[console_scripts]\nris = ris_node.cli.__main__:main\n")
    (place.venv / "bin" / "ris").touch(mode=0o755)
    monkeypatch.setenv("AMENT_PREFIX_PATH", str(place.venv))
    for _ in range(2):  # again over what is there
        prefix.register(place, Talk(verbose=False))
        assert get_package_prefix("ris_node") == str(place.venv)
        assert os.access(place.venv / "lib" / "ris_node" / "ris", os.X_OK)
        share = Path(get_package_share_directory("ris_node"))
        assert (share / "package.xml").is_file() and (share / "engines" / "default").is_dir()
        assert [root for root, _, files in os.walk(share) if "ris.launch.py" in files] == [str(share / "launch")]


def test_a_wrong_torch_wish_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH", "yes please")
    with pytest.raises(SetupError, match="give 0, 1 or auto"):
        steps.torch_wish()


def test_a_failing_tool_shows_its_last_words_and_the_hint(tmp_path: Path) -> None:
    code = "print('what went wrong'); raise SystemExit(3)"
    with pytest.raises(SetupError, match=r"(?s)what went wrong.*try this"):
        Talk(verbose=False).run(
            [sys.executable, "-c", code], log=tmp_path / "x.log", env=dict(os.environ), hint="try this"
        )


def with_ros(root: Path, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a copy of the wrapper that lies in `root`, with little in its environment."""
    (root / "scripts").mkdir(exist_ok=True)
    script = root / "scripts" / "with_ros"
    script.write_text((ROOT / "scripts" / "with_ros").read_text())
    env = {"PATH": os.defpath, **variables}
    return subprocess.run(["sh", str(script), *command], env=env, capture_output=True, text=True, check=False)


def test_with_ros_without_an_environment_says_what_to_do(tmp_path: Path) -> None:
    result = with_ros(tmp_path, "true")
    assert result.returncode == 1
    assert "make setup" in result.stderr


@pytest.mark.parametrize("wheels", [True, False])
def test_with_ros_sets_what_ros_needs(tmp_path: Path, wheels: bool) -> None:
    venv = tmp_path / ".venv"
    made = ["bin", "lib", "ris_msgs/lib/python3.11/site-packages"]
    for folder in made + (["share/ament_index/resource_index/packages"] if wheels else []):
        (venv / folder).mkdir(parents=True)
    (venv / "bin" / "python").touch(mode=0o755)
    if wheels:
        (venv / "share/ament_index/resource_index/packages/rclpy").touch()
    result = with_ros(tmp_path, "env", AMENT_PREFIX_PATH="/opt/ros/x", PYTHONPATH="/mine")
    env = dict(line.split("=", 1) for line in result.stdout.splitlines())
    assert env["AMENT_PREFIX_PATH"] == f"{venv}/ris_msgs:{venv}:/opt/ros/x"
    assert env["PATH"].startswith(f"{venv}/bin:")
    assert env["PYTHONPATH"] == f"{venv}/ris_msgs/lib/python3.11/site-packages:/mine"
    assert env["LD_LIBRARY_PATH"].split(":") == [f"{venv}/ris_msgs/lib", *([f"{venv}/lib"] if wheels else [])]
    assert ("_ROS_WHEELS_BOOTSTRAP_COMPLETE" in env) == wheels
    assert env["FASTRTPS_DEFAULT_PROFILES_FILE"] == f"{tmp_path}/launch/fastdds.xml"
    assert env["FASTDDS_DEFAULT_PROFILES_FILE"] == f"{tmp_path}/launch/fastdds.xml"
    assert env["ROS_AUTOMATIC_DISCOVERY_RANGE"] == "LOCALHOST"


def test_with_ros_leaves_the_users_own_settings(tmp_path: Path) -> None:
    for folder in ("bin", "ris_msgs"):
        (tmp_path / ".venv" / folder).mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "python").touch(mode=0o755)
    result = with_ros(tmp_path, "env", FASTDDS_DEFAULT_PROFILES_FILE="/my.xml", ROS_AUTOMATIC_DISCOVERY_RANGE="SUBNET")
    assert "FASTRTPS_DEFAULT_PROFILES_FILE=/my.xml" in result.stdout
    assert "ROS_AUTOMATIC_DISCOVERY_RANGE=SUBNET" in result.stdout
    assert with_ros(tmp_path, "sh", "-c", "exit 7").returncode == 7
    assert with_ros(tmp_path).returncode == 2


def test_only_what_the_messages_are_built_on_makes_them_due(tmp_path: Path) -> None:
    pins = tmp_path / "constraints.txt"
    pins.write_text("pytest==1\nros-rcl==1\nnumpy==2\n")
    before = steps.build_pins((pins,))
    pins.write_text("pytest==2\nros-rcl==1\nnumpy==2\n")
    assert steps.build_pins((pins,)) == before
    pins.write_text("pytest==2\nros-rcl==2\nnumpy==2\n")
    assert steps.build_pins((pins,)) != before
