# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Doctor: Python, the processor, memory, and the packages that the core needs."""

from __future__ import annotations

import importlib
import os
import platform
import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from importlib import metadata
from pathlib import Path

from ris_node.cli.doctor.finding import BROKEN, NOTE, OK, WARNING, Finding

OPENCVS = tuple(f"opencv-{kind}" for kind in ("python-headless", "python", "contrib-python-headless", "contrib-python"))
PIP_LINE = "make setup, or pip install -r requirements/runtime.txt; with an installed ROS, see docs/ros.md"
# (module, distributions that provide it, oldest version that works); versions as in setup.py.
NEEDED: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("numpy", ("numpy",), "1.21"),
    ("cv2", (*OPENCVS, "opencv"), "4.5"),
    ("onnxruntime", ("onnxruntime", "onnxruntime-gpu"), "1.16"),
    ("google.protobuf", ("protobuf",), ""),
    ("tokenizers", ("tokenizers",), ""),
    ("yaml", ("PyYAML",), ""),
    ("tqdm", ("tqdm",), ""),
    ("psutil", ("psutil",), ""),
)
# Processor flags that make INT8 networks fast, by architecture.
FAST_INT8 = {"x86_64": ("avx512_vnni", "avx_vnni", "amx_int8"), "aarch64": ("asimddp", "i8mm")}


def check_python() -> Iterator[Finding]:
    """Check the interpreter, and whether its version is one of the supported ones."""
    version = platform.python_version()
    where = "a virtual environment" if sys.prefix != sys.base_prefix else "the system's"
    what = f"Python {version}, {where} ({sys.executable})"
    data = {"version": version, "executable": sys.executable, "virtual": sys.prefix != sys.base_prefix}
    if sys.version_info >= (3, 15):
        yield Finding("machine", NOTE, what, "tested with Python 3.10 to 3.14 only", data)
    else:
        yield Finding("machine", OK, what, "", data)


def check_machine() -> Iterator[Finding]:
    """Check operating system, usable cores, processor flags that matter, and free memory."""
    system = f"{platform.system()} {platform.release()} on {platform.machine()}"
    model = _read("/proc/device-tree/model").strip("\0")
    level = OK if platform.system() == "Linux" else WARNING
    advice = "" if level == OK else "only Linux is tested; ROS 2 and shared memory differ elsewhere"
    yield Finding("machine", level, system + (f", {model}" if model else ""), advice, {"board": model})
    yield _cores()
    yield _flags()
    free = _memory_available_mb()
    if free is not None:
        level, advice = (OK, "") if free >= 1500 else (WARNING, "the node and its client need about 1 GB: free some")
        yield Finding("machine", level, f"{free} MB of memory available", advice, {"available_mb": free})


def check_packages() -> Iterator[Finding]:
    """Import every package the core needs, and compare its version with the oldest that works and with the pin."""
    pins = _pins()
    for module, distributions, oldest in NEEDED:
        try:
            loaded = importlib.import_module(module)
        except Exception as error:  # a compiled package may fail in any way when it meets a wrong library
            missing = isinstance(error, ModuleNotFoundError) and error.name == module
            what = f"{module} is {'not installed' if missing else f'installed but does not load: {error}'}"
            yield Finding("packages", BROKEN, what, PIP_LINE, {"package": module, "version": None})
            continue
        version = _version(distributions) or str(getattr(loaded, "__version__", "unknown"))
        yield _compare(module, version, oldest, next((pins[d] for d in distributions if d in pins), ""))
        yield from _one_folder(module, distributions)


def _compare(module: str, version: str, oldest: str, pin: str) -> Finding:
    data = {"package": module, "version": version, "oldest": oldest or None, "pinned": pin or None}
    what = f"{module} {version}"
    if oldest and _numbers(version) < _numbers(oldest):
        return Finding("packages", BROKEN, f"{what}: too old", f"{PIP_LINE} (at least {oldest})", data)
    if pin and pin != version:
        return Finding("packages", NOTE, f"{what}; tested with {pin}", "", data)
    return Finding("packages", OK, what, "", data)


def _one_folder(module: str, distributions: tuple[str, ...]) -> Iterator[Finding]:
    """Warn of packages that brought `module` into the same folder: the last one's files are there, for all of them."""
    folders: dict[str, list[str]] = {}
    for name in distributions:
        with suppress(metadata.PackageNotFoundError):
            folders.setdefault(str(metadata.distribution(name).locate_file(module)), []).append(name)
    for folder, names in folders.items():
        if len(names) > 1:
            what = f"{' and '.join(names)} both put their files into {folder}: the one installed last is what runs"
            advice = f"keep one: pip uninstall {' '.join(names)}, then install it alone (docs/install.md says how)"
            yield Finding("packages", WARNING, what, advice, {"package": module, "rivals": names})


def _cores() -> Finding:
    """Cores this process may use: the affinity mask, or less where a container's quota says so."""
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota, _, period = _read("/sys/fs/cgroup/cpu.max").strip().partition(" ")
    limit = int(quota) / int(period) if quota.isdigit() and period.isdigit() else float(affinity)
    data = {"cores": affinity, "quota": limit, "model": _cpu_model()}
    what = f"{affinity} cores of {_cpu_model() or 'an unnamed processor'}"
    if limit < affinity - 0.01:
        advice = f"this container may use {limit:g} cores: set num_threads:={max(1, int(limit))}, or threads will stall"
        return Finding("machine", WARNING, what, advice, data)
    if affinity < 2:
        return Finding("machine", WARNING, what, "camera, node and planner share one core: expect dropped frames", data)
    return Finding("machine", OK, what, "", data)


def _flags() -> Finding:
    wanted = FAST_INT8.get(platform.machine(), ())
    match = re.search(r"^(?:flags|Features)\s*:\s*(.*)$", _read("/proc/cpuinfo"), re.MULTILINE)
    present = set(match[1].split()) if match else set()
    found = [flag for flag in (*wanted, "avx512f", "avx2", "fma") if flag in present]
    data = {"flags": found}
    if not wanted or not present:
        return Finding("machine", NOTE, "processor flags are not known here", "", data)
    if not present.intersection(wanted):
        what = f"no INT8 instructions ({', '.join(wanted)}); has {', '.join(found) or 'none that matter'}"
        return Finding("machine", NOTE, what, "precision:=fp32 may be as fast as int8: see 'ris bench'", data)
    return Finding("machine", OK, f"processor flags that help: {', '.join(found)}", "", data)


def _cpu_model() -> str:
    match = re.search(r"^(?:model name|Model)\s*:\s*(.*)$", _read("/proc/cpuinfo"), re.MULTILINE)
    return match[1].strip() if match else platform.processor()


def _memory_available_mb() -> int | None:
    match = re.search(r"^MemAvailable:\s*(\d+) kB", _read("/proc/meminfo"), re.MULTILINE)
    return int(match[1]) // 1024 if match else None


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _version(distributions: tuple[str, ...]) -> str:
    for name in distributions:
        try:
            return metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return ""


def _pins() -> dict[str, str]:
    """Versions pinned in requirements/runtime.txt for this Python; none where the repository is not around."""
    path = Path(__file__).resolve().parents[3] / "requirements" / "runtime.txt"
    pins = {}
    for line in _read(str(path)).splitlines():
        match = re.match(r'([\w.-]+)==([\w.]+)(?:\s*;\s*python_version\s*(<|>=)\s*"(\d+)\.(\d+)")?', line)
        if not match:
            continue
        name, version, sign, major, minor = match.groups()
        if sign and (sys.version_info[:2] < (int(major), int(minor))) != (sign == "<"):
            continue
        pins[name] = version
    return pins


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])
