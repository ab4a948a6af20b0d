# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The real Python bindings of TensorRT without the libraries behind them, which do not install without a GPU.

The bindings' wheels install anywhere. They are imported, in their own process, over three small shared libraries that
define what they ask for and give nothing. `make test` fetches the wheels (2 MB) into .venv/bindings; without them the
tests that need them are skipped, with the command that gets them.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BINDINGS = Path(os.environ.get("RIS_BINDINGS", ROOT / ".venv" / "bindings"))
SYMBOLS = (
    "createInferBuilder_INTERNAL",
    "createInferRuntime_INTERNAL",
    "createInferRefitter_INTERNAL",
    "createNvOnnxParser_INTERNAL",
    "createNvOnnxParserRefitter_INTERNAL",
    "getPluginRegistry",
    "getBuilderPluginRegistry",
    "getNvOnnxParserVersion",
    "initLibNvInferPlugins",
)
DUMP = """
import json, re
import tensorrt_bindings as module
import tensorrt_bindings.tensorrt as trt

def line(name, value):
    first = (value.__doc__ or "").strip().split("\\n")[0]
    return first if first.startswith(name + "(") else ""

names = {}
for owner, cls in sorted(vars(trt).items()):
    if isinstance(cls, type) and not owner.startswith("_"):
        members = [name for name in dir(cls) if name == "__init__" or not name.startswith("_")]
        names[owner] = {name: line(name, getattr(cls, name)) for name in members}
print(json.dumps({"names": names, "version": module.__version__}))
"""


def bindings(release: str) -> Path:
    """Return the folder of a release's bindings, or skip the test."""
    folder = BINDINGS / release
    if not (folder / "tensorrt_bindings").is_dir():
        get = f"pip install --no-deps --target {folder} tensorrt-cu12-bindings=={release}"
        pytest.skip(f"no bindings of TensorRT {release}: {get}")
    return folder


@functools.cache
def _kept() -> tempfile.TemporaryDirectory[str]:
    """Make the folder of this process for stub libraries and API files; it goes with the process."""
    return tempfile.TemporaryDirectory(prefix="ris_bindings_")


@functools.cache
def stubs(major: str) -> Path:
    """Build the three libraries of a major, which give nothing; return their folder."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("no C compiler for the stub libraries")
    folder = Path(_kept().name) / f"stubs{major}"
    folder.mkdir()
    source = folder / "stub.c"
    source.write_text("".join(f"void *{name}(void) {{ return 0; }}\n" for name in SYMBOLS))
    for name in ("nvinfer", "nvinfer_plugin", "nvonnxparser"):
        file = f"lib{name}.so.{major}"
        options = ["-shared", "-fPIC", f"-Wl,-soname,{file}", "-o", str(folder / file), str(source)]
        subprocess.run([compiler, *options], check=True)
    return folder


def in_bindings(release: str, code: str, *args: str) -> str:
    """Run code in a process where `tensorrt_bindings` is the real one; return what it printed."""
    env = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(bindings(release)), str(ROOT)]),
        "LD_LIBRARY_PATH": str(stubs(release.split(".", maxsplit=1)[0])),
    }
    done = subprocess.run(
        [sys.executable, "-c", code, *args], env=env, capture_output=True, text=True, check=False, timeout=120
    )
    assert not done.returncode, done.stderr[-2000:]
    return done.stdout


@functools.cache
def api_file(release: str) -> Path:
    """Write a release's classes, members and signatures ("" where there is none) as JSON; return the file."""
    said = in_bindings(release, DUMP)
    file = Path(_kept().name) / f"{release}.api.json"
    file.write_text(said)
    return file
