# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""sdist and wheel: they carry what the package needs, and answer a picture where there is nothing else of ours."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from email.parser import Parser
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from ris_node.cli.doctor.finding import BROKEN
from ris_node.media.images import write_png
from ris_scene import CameraSpec, SceneSpec, render_scene

ROOT = Path(__file__).resolve().parents[2]
WHEELS = ROOT / ".venv" / "wheels"
SOURCES = (
    *("setup.py", "setup.cfg", "pyproject.toml", "MANIFEST.in", "README.md", "CHANGELOG.rst", "LICENSE"),
    *("package.xml", "resource", "ris_node", "ris_scene", "config", "launch", "engines", "msgs"),
)
SHARED = ("config", "launch", "engines")
NO_HOME = {"PATH": os.defpath, "PYTHONDONTWRITEBYTECODE": "1"}
# root may write whatever a folder's mode says, unless it gives that up.
AS_ANYBODY = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all"] * (os.geteuid() == 0)
# Pinned nowhere: what a Jetson or a GPU has of its own.
UNPINNED = {"tensorrt", "cuda-python"}


def run(*command: object, cwd: Path | None = None, env: dict[str, str] | None = None) -> str:
    """Run what has to succeed; its standard output."""
    done = subprocess.run([*map(str, command)], cwd=cwd, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done.stdout


def pip(python: Path, *words: object) -> None:
    """Install into the environment of `python`; from the fetched wheels alone where `make test` has fetched them."""
    index = ["--no-index", "--find-links", WHEELS] if WHEELS.is_dir() else []
    run(sys.executable, "-m", "pip", "--python", python, "install", "-q", "--no-compile", *index, *words)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the sdist, and of the wheel made from it; the sources are a copy without what was built before."""
    sources, dist = tmp_path_factory.mktemp("sources"), tmp_path_factory.mktemp("dist")
    for name in SOURCES:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, sources / name)
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", dist, sources)
    return dist


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    return next(built.glob("*.whl"))


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A virtual environment that holds the wheel and what it asks for, all of it read-only."""
    folder = tmp_path_factory.mktemp("environment") / "venv"
    run(sys.executable, "-m", "venv", "--without-pip", folder)
    pip(folder / "bin" / "python", wheel)
    run("chmod", "-R", "a-w", folder)
    yield folder
    run("chmod", "-R", "u+w", folder)


def answer(ris: list[object], folder: Path, env: dict[str, str]) -> dict[str, object]:
    """Answer a rendered street with a `ris`, in a folder of its own: the one line of its answer."""
    picture = render_scene(SceneSpec("train", seed=3, camera=CameraSpec(427, 240)), 1.0).image
    write_png(folder / "a.png", picture)
    (folder / "in.jsonl").write_text('{"id": 1, "image": "a.png", "text": "the road", "type": "object"}\n')
    run(*ris, "predict", "--manifest", "in.jsonl", "--root", ".", "--out", "out.jsonl", cwd=folder, env=env)
    line = json.loads((folder / "out.jsonl").read_text())
    assert isinstance(line, dict)
    return line


def carried(names: list[str], prefix: str) -> set[str]:
    return {name.removeprefix(prefix) for name in names if name.startswith(prefix)}


def test_both_carry_bundles_configuration_and_launch_files(built: Path, wheel: Path) -> None:
    files = (path for name in SHARED for path in (ROOT / name).rglob("*") if "__pycache__" not in path.parts)
    wanted = {path.relative_to(ROOT).as_posix() for path in files if path.is_file()}
    assert "engines/default/manifest.json" in wanted
    name = wheel.name.removesuffix("-py3-none-any.whl")
    assert carried(zipfile.ZipFile(wheel).namelist(), f"{name}.data/data/share/ris_node/") >= wanted
    with tarfile.open(built / f"{name}.tar.gz") as archive:
        assert carried(archive.getnames(), f"{name}/") >= wanted | {"CHANGELOG.rst", "LICENSE", "README.md"}


def test_an_index_would_take_them(built: Path) -> None:
    run(sys.executable, "-m", "twine", "check", "--strict", *built.iterdir())


def test_what_it_asks_for_is_what_is_pinned(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = Parser().parsestr(archive.read(name).decode())
    pins: dict[str, list[str]] = {}
    for path in (ROOT / "requirements").glob("*.txt"):
        for pinned, version in re.findall(r"^([\w.-]+)==([\w.]+)", path.read_text(encoding="utf-8"), re.MULTILINE):
            pins.setdefault(pinned.lower(), []).append(version)
    asked = [Requirement(line) for line in metadata.get_all("Requires-Dist", [])]
    assert {"opencv-python-headless", "onnxruntime"} <= {need.name for need in asked if need.marker is None}
    for need in asked:
        versions = pins.get(need.name.lower(), [])
        assert versions or need.name in UNPINNED, f"no file of requirements/ pins {need.name}"
        assert all(need.specifier.contains(version) for version in versions), f"{need} against {versions}"


def test_it_answers_from_read_only_site_packages_without_home(environment: Path, tmp_path: Path) -> None:
    assert subprocess.run(
        [*AS_ANYBODY, "touch", environment / "lib" / "new"], capture_output=True, check=False
    ).returncode
    ris = [*AS_ANYBODY, environment / "bin" / "ris"]
    report = json.loads(run(*ris, "doctor", "--json", cwd=tmp_path, env=NO_HOME))
    assert not [finding for finding in report["findings"] if finding["level"] == BROKEN]
    assert "autostart: false" in run(*ris, "config", cwd=tmp_path, env=NO_HOME)
    installed = answer(ris, tmp_path, NO_HOME)
    assert installed["present"] is True
    (tmp_path / "checkout").mkdir()
    assert installed == answer([sys.executable, "-m", "ris_node.cli"], tmp_path / "checkout", dict(os.environ))


def test_it_answers_from_a_folder_on_the_path_and_leaves_home_alone(
    wheel: Path, environment: Path, tmp_path: Path
) -> None:
    target, work, home = (tmp_path / name for name in ("target", "work", "home"))
    work.mkdir()
    home.mkdir()
    python = environment / "bin" / "python"
    pip(python, "--no-deps", "--target", target, wheel)
    env = {**NO_HOME, "PYTHONPATH": str(target), "HOME": str(home)}
    code = "from ris_node.share import share_folders as s; print(s('engines')[0]); print(s('launch')[0])"
    found = run(python, "-c", code, cwd=work, env=env).split()
    assert found == [str(target / "share/ris_node" / name) for name in ("engines", "launch")]
    assert answer([python, "-m", "ris_node.cli"], work, env)["present"] is True
    assert list(home.iterdir()) == [], "ONNX Runtime's telemetry keeps an id there"
