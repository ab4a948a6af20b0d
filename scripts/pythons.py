# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Runs the core's tests on each Python from 3.10 to 3.14 that this machine has, with NumPy 1.26 and with 2.

An interpreter is python3.X of the PATH, or one of pyenv's. Each pair gets an environment of its own, with what pip
finds: NumPy 2 with the versions pinned in requirements/, NumPy 1.26 with the newest that go with it. Tests that need
ROS, torch, a GPU or TensorRT's bindings (which `make test` fetches for one Python) are left out. Needs nothing but
Python's own library and a package index.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VERSIONS = ("3.10", "3.11", "3.12", "3.13", "3.14")
WITHOUT_NUMPY_1 = ("3.13", "3.14")  # NumPy 1.26 has no wheels for them
TOOLS = ("pytest", "pytest-timeout", "pytest-xdist", "hypothesis", "onnx")
CORE = (
    *("bundle", "cli", "geometry", "language", "media", "metrics", "pipeline", "ris_scene", "runtime", "targets"),
    *(
        f"test_{name}.py"
        for name in ("atomic", "config", "decode", "entry", "hashing", "outputs", "plugins", "rle", "share")
    ),
)

OPTIONS = (
    *("-q", "-p", "no:cacheprovider", "--timeout", "600", "--dist", "loadfile", "--ignore-glob", "*/test_tensorrt_*"),
    *("-m", "not ros and not torch and not gpu and not soak"),
)
WHAT = """
import platform, cv2, numpy, onnxruntime
print(f"Python {platform.python_version()}, NumPy {numpy.__version__}, OpenCV {cv2.__version__}", end=", ")
print(f"ONNX Runtime {onnxruntime.__version__}")
"""


def interpreters(version: str) -> Iterator[str]:
    """Every Python of a version that can make a virtual environment; pyenv's shims are none where they do not run."""
    pyenv = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser()
    candidates = [shutil.which(f"python{version}"), *sorted(pyenv.glob(f"versions/{version}.*/bin/python"))]
    code = "import sys, ensurepip, venv; print('%d.%d' % sys.version_info[:2])"
    for candidate in filter(None, candidates):
        done = subprocess.run([candidate, "-c", code], capture_output=True, text=True, check=False)
        if done.returncode == 0 and done.stdout.strip() == version:
            yield str(candidate)


def wanted(numpy: str) -> list[str]:
    """Return what pip is to install: the pins of requirements/, or for NumPy 1.26 the names alone."""
    requirements = ROOT / "requirements"
    files = [(requirements / f"{name}.txt").read_text(encoding="utf-8") for name in ("runtime", "bags", "test")]
    core, bags, tools = ([line for line in text.splitlines() if "==" in line] for text in files)
    lines = [*core, *bags, *(line for line in tools if line.partition("==")[0] in TOOLS)]
    if numpy == "2":
        return ["-c", str(requirements / "constraints.txt"), *lines]
    names = {re.split("[=;]", line)[0] for line in lines} - {"numpy"}
    return ["numpy==1.26.*", *sorted(names)]


def tried(interpreter: str, numpy: str, jobs: str) -> tuple[bool, str]:
    """Install and test in an environment of its own; whether all passed, and the line that says so."""
    with tempfile.TemporaryDirectory(prefix="ris_pythons_") as folder:
        subprocess.run([interpreter, "-m", "venv", folder], check=True)
        python = str(Path(folder, "bin", "python"))
        pip = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--only-binary", ":all:"]
        done = subprocess.run([*pip, *wanted(numpy)], capture_output=True, text=True, check=False)
        if done.returncode:
            return False, f"not installed: {done.stderr.strip()}"
        versions = subprocess.run([python, "-c", WHAT], capture_output=True, text=True, check=False).stdout.strip()
        command = [python, "-m", "pytest", *OPTIONS, "-n", jobs, *(str(ROOT / "tests" / name) for name in CORE)]
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
        lines = done.stdout.strip().splitlines() or [done.stderr.strip()]
        for line in lines if done.returncode else []:
            if line.startswith(("FAILED", "ERROR")):
                print(line)
        return done.returncode == 0, f"{versions}: {lines[-1]}"


def main() -> int:
    """Try each pair; 1 when one fails, or when no Python is there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("version", nargs="*", help=f"only these of {', '.join(VERSIONS)}")
    parser.add_argument("--numpy", choices=["1.26", "2"], help="only with this one")
    parser.add_argument("--jobs", default="2", help="processes of pytest (default: 2)")
    options = parser.parse_args()
    results = []
    for version in options.version or VERSIONS:
        interpreter = next(interpreters(version), None)
        if interpreter is None:
            print(f"Python {version}: not on this machine", flush=True)
            continue
        for numpy in [options.numpy] if options.numpy else ["1.26", "2"]:
            if numpy == "1.26" and version in WITHOUT_NUMPY_1:
                continue
            passed, line = tried(interpreter, numpy, options.jobs)
            results.append(passed)
            print(line, flush=True)
    return 0 if results and all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
