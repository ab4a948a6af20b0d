# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The steps of the set-up and which of them each profile needs."""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

from envsetup import prefix
from envsetup.place import Place, SetupError
from envsetup.stamps import Run, Step

if TYPE_CHECKING:
    from pathlib import Path

    from envsetup.talk import Talk

PROFILES = {
    "demo": (),
    "bags": ("bags",),
    "docs": ("docs",),
    "test": ("test", "docs", "data", "workspace", "report", "bags", "replay", "ray", "tensorrt"),
    "train": ("test", "data", "workspace", "report", "bags", "replay", "ray", "tensorrt", "train"),
}
INSTALL_HINT = "Check the network (and PIP_INDEX_URL if you use a mirror), then run the same command again: it goes on."
BUILD_MACHINE_PYTHON = re.compile(r"/opt/python/cp\d+-cp\d+t?/include/python3\.\d+t?")
BUILD_MACHINE_NUMPY = re.compile(r"/opt/python/cp\d+-cp\d+t?/lib/python3\.\d+t?/site-packages/numpy/_?core/include")


def steps_for(place: Place, profile: str) -> list[Step]:
    """Return the steps of `profile` in order."""
    requirements, root = place.root / "requirements", place.root
    base = ("runtime-ros",) if place.ros_distro else ("runtime", "ros", "build")
    base_files = tuple(requirements / f"{name}.txt" for name in (*base, "constraints"))
    steps = [
        Step(
            "venv", f"make {place.venv.name} with Python {sys.version.split()[0]}", make_venv, products=(place.python,)
        ),
        Step("packages", f"install what the node needs ({', '.join(base)})", install(base), base_files),
    ]
    for name in PROFILES[profile]:
        files = tuple(requirements / file for file in (f"{name}.txt", f"{name}-nodeps.txt", "constraints.txt"))
        steps.append(Step(name, f"install what '{name}' needs", install((name,)), files))
    if profile == "test" and torch_wish() != "0":
        files = (requirements / "train.txt", requirements / "train-nodeps.txt", requirements / "constraints.txt")
        steps.append(Step("train", "install torch, for the tests of training", install_torch, files, key=torch_wish()))
    if profile == "test":
        files = (requirements / "bindings.txt",)
        steps.append(Step("bindings", "fetch bindings of TensorRT and CUDA for the tests", fetch_bindings, files))
        files = (requirements / "runtime.txt", requirements / "constraints.txt")
        wheels = Step("wheels", "fetch the wheels that the test of our own wheel installs", fetch_wheels,
                      files, products=(place.wheels,))  # fmt: skip
        steps.append(wheels)
    messages = Step(
        "messages", "build ris_msgs (about a minute)", build_messages,
        inputs=(root / "msgs",), key=build_pins(base_files), products=(place.messages / "lib",),
    )  # fmt: skip
    project = Step("project", "install ris_node itself, in development mode", install_project,
                   inputs=(root / "setup.py", root / "setup.cfg"), products=(place.venv / "bin" / "ris",))  # fmt: skip
    names = "\n".join(file.name for file in prefix.launch_files(place))
    registered = Step("prefix", "register ris_node with `ros2 run` and `ros2 launch`", prefix.register,
                      inputs=(root / "setup.py",), key=names, products=(place.venv / prefix.INDEX,))  # fmt: skip
    return [*steps, messages, project, registered]


def build_pins(files: tuple[Path, ...]) -> str:
    """Return the pinned versions that the built messages depend on: a new test tool must not build them again."""
    lines = [line for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    return "\n".join(line for line in lines if line.startswith(("ros-", "numpy", "empy")))


def make_venv(place: Place, talk: Talk) -> None:
    """Make the virtual environment anew; over an installed ROS it sees the system's packages."""
    if place.venv.exists():
        talk.say("      the one that is there is unfinished, or for another Python, folder or ROS: making it anew")
        shutil.rmtree(place.venv)
    options = ["--system-site-packages"] if place.ros_distro else []
    log = place.root / ".venv.log"
    command = [sys.executable, "-m", "venv", *options, str(place.venv)]
    talk.run(command, log=log, env=dict(os.environ), hint="Is the disk full?  sudo apt install python3-venv")
    place.work.mkdir(parents=True, exist_ok=True)
    log.replace(place.work / "venv.log")


def install(names: tuple[str, ...]) -> Run:
    """Return a step that installs the requirement files `names`, pinned by constraints.txt."""

    def run(place: Place, talk: Talk) -> None:
        folder = place.root / "requirements"
        pip = [str(place.python), "-m", "pip", "install", "--no-input", "--progress-bar", "off"]
        files = [part for name in names for part in ("-r", str(folder / f"{name}.txt"))]
        if names == ("runtime-ros",):
            extra = ["--no-deps"]
        else:
            extra = ["-c", str(folder / "constraints.txt"), *installed_numpy(place)]
        log = place.work / f"{names[0]}.log"
        talk.run([*pip, *extra, *files], log=log, env=place.environment(), hint=INSTALL_HINT)
        bare = folder / f"{names[0]}-nodeps.txt"
        if bare.is_file():
            talk.run([*pip, "--no-deps", "-r", str(bare)], log=log, env=place.environment(), hint=INSTALL_HINT)
        if "build" in names:
            repair_exported_paths(place)

    return run


def installed_numpy(place: Place) -> list[str]:
    """Return the pip options that keep an installed ROS's NumPy, which its compiled messages are bound to."""
    if not place.ros_distro:
        return []
    pin = place.work / "numpy.txt"
    pin.write_text(f"numpy=={importlib.metadata.version('numpy')}\n", encoding="ascii")
    return ["-c", str(pin)]


def torch_wish() -> str:
    """Return TORCH: "1" install it, "0" do without, "auto" install it where that does not bring CUDA along."""
    wish = os.environ.get("TORCH", "") or "auto"
    if wish not in ("0", "1", "auto"):
        raise SetupError(f"TORCH is '{wish}': give 0, 1 or auto")
    return wish


def install_torch(place: Place, talk: Talk) -> None:
    """Install torch and what training needs, unless that would bring gigabytes of CUDA that nobody asked for."""
    if torch_wish() == "auto" and place.ros_distro:
        talk.say("      left out, and its tests: it may want another NumPy than the installed ROS. TORCH=1 tries it.")
        return
    if torch_wish() == "auto" and torch_brings_cuda(place):
        talk.say("      left out, and its tests: the package index in force has torch with CUDA only (3 GB).")
        talk.say("      PIP_EXTRA_INDEX_URL set to PyTorch's CPU index gets the small one; TORCH=1 takes the large.")
        return
    install(("train",))(place, talk)


def fetch_bindings(place: Place, talk: Talk) -> None:
    """Install each release's bindings into a folder of its own; one that has no wheel for this Python is left out."""
    for line in (place.root / "requirements" / "bindings.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        folder, *pins = line.split()
        target = place.venv / "bindings" / folder
        pip = [str(place.python), "-m", "pip", "install", "--no-input", "--quiet", "--no-deps", "--upgrade"]
        command = [*pip, "--target", str(target), *pins]
        done = subprocess.run(command, env=place.environment(), capture_output=True, text=True, check=False)
        if done.returncode:
            why = (done.stderr.strip().splitlines() or ["no reason"])[-1]
            talk.say(f"      left out, and its tests: {pins[0]} ({why})")


def fetch_wheels(place: Place, talk: Talk) -> None:
    """Put the wheels of what the package needs into a folder: the test that installs it then needs no network."""
    shutil.rmtree(place.wheels, ignore_errors=True)
    folder = place.root / "requirements"
    pip = [str(place.python), "-m", "pip", "download", "--no-input", "--progress-bar", "off", "--only-binary", ":all:"]
    command = [*pip, "-d", str(place.wheels), "-r", str(folder / "runtime.txt"), "-c", str(folder / "constraints.txt")]
    talk.run(command, log=place.work / "wheels.log", env=place.environment(), hint=INSTALL_HINT)


def torch_brings_cuda(place: Place) -> bool:
    """Ask pip what the pinned torch would bring along; False when it is installed already."""
    pins = (place.root / "requirements" / "train.txt").read_text(encoding="utf-8")
    pin = next(line for line in pins.splitlines() if line.startswith("torch=="))
    command = [str(place.python), "-m", "pip", "install", "--quiet", "--dry-run", "--no-deps", "--report", "-", pin]
    found = subprocess.run(command, env=place.environment(), capture_output=True, text=True, check=False)
    if found.returncode:
        raise SetupError(f"pip cannot find {pin}:\n{found.stderr}\n{INSTALL_HINT}")
    chosen = json.loads(found.stdout)["install"]
    needs = [need for package in chosen for need in package["metadata"].get("requires_dist", [])]
    return any(re.match(r"(nvidia|cuda)", need) for need in needs)


def repair_exported_paths(place: Place) -> None:
    """Point the wheels' CMake targets at this machine: they name the folders of the one that built them."""
    code = "import numpy, sysconfig; print(sysconfig.get_paths()['include']); print(numpy.get_include())"
    env = place.environment()
    found = subprocess.run([str(place.python), "-c", code], env=env, capture_output=True, text=True, check=False)
    if found.returncode:
        raise SetupError(f"NumPy does not work in {place.venv}:\n{found.stderr}\nRun `make clean` and try again.")
    python, numpy = found.stdout.split("\n")[:2]
    for file in (place.venv / "share").rglob("*.cmake"):
        text = file.read_text(encoding="utf-8", errors="surrogateescape")
        repaired = BUILD_MACHINE_NUMPY.sub(numpy, BUILD_MACHINE_PYTHON.sub(python, text))
        if repaired != text:
            file.write_text(repaired, encoding="utf-8", errors="surrogateescape")


def build_messages(place: Place, talk: Talk) -> None:
    """Build and install ris_msgs with plain CMake, which needs nothing that colcon would add."""
    build, log, env = place.work / "ris_msgs", place.work / "messages.log", place.environment()
    shutil.rmtree(build, ignore_errors=True)
    hint = "If the compiler was killed, memory ran out. Otherwise run `make clean` and try again."
    configure = [
        "cmake", "-S", str(place.root / "msgs"), "-B", str(build), f"-DCMAKE_INSTALL_PREFIX={place.messages}",
        f"-DPython3_EXECUTABLE={place.python}", f"-DPYTHON_EXECUTABLE={place.python}", "-DBUILD_TESTING=OFF",
    ]  # fmt: skip
    jobs = str(max(1, len(os.sched_getaffinity(0))))
    talk.run(configure, log=log, env=env, hint=hint)
    talk.run(["cmake", "--build", str(build), "-j", jobs], log=log, env=env, hint=hint)
    shutil.rmtree(place.messages, ignore_errors=True)  # not before: what runs meanwhile keeps its messages
    talk.run(["cmake", "--install", str(build)], log=log, env=env, hint=hint)
    shutil.rmtree(build)


def install_project(place: Place, talk: Talk) -> None:
    """Make `import ris_node` and the `ris` command work from the sources."""
    command = [str(place.python), "-m", "pip", "install", "--no-input", "--no-deps", "--no-build-isolation", "-e"]
    hint = f"See whether `{place.python} {place.root / 'setup.py'} --version` works."
    talk.run([*command, str(place.root)], log=place.work / "project.log", env=place.environment(), hint=hint)
