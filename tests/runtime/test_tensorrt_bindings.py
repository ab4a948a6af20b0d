# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Our code against the real bindings of TensorRT 10.3.0 and 11.4, and of two releases of cuda-python.

real_bindings.py says how they are imported without the libraries behind them.
"""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from engine_kit import RELEASES, Rig, ask, grid_sample, quiet
from fake_tensorrt import signature_of
from real_bindings import BINDINGS, ROOT, api_file, in_bindings
from tiny_bundle import make_tiny_bundle

from ris_node.errors import BackendError
from ris_node.runtime.tensorrt.build import build_engine, make_engine
from ris_node.runtime.tensorrt.spec import BuildSpec

OURS = ROOT / "ris_node" / "runtime" / "tensorrt"
CUDA_RELEASES = ("12.8.0", "13.5.0")
LOOK = """
import json, sys
import tensorrt_bindings as module
import tensorrt_bindings.tensorrt as trt
wanted = json.loads(sys.argv[1])
found = {}
for owner, name in wanted:
    value = getattr(getattr(trt, owner, None), name, None)
    found[f"{owner}.{name}"] = None if value is None else (value.__doc__ or "").strip()
enums = {name: {k: int(v) for k, v in getattr(trt, name).__members__.items()} for name in sys.argv[2].split(",")}
print(json.dumps({"version": module.__version__, "names": found, "enums": enums}))
"""
RUN = """
import sys, types, tempfile, pathlib
import tensorrt_bindings as real
sys.modules["tensorrt"] = real
from ris_node.errors import BackendError
from ris_node.runtime.tensorrt.build import build_engine
from ris_node.runtime.tensorrt.log import make_logger
from ris_node.runtime.tensorrt.monitor import make_monitor
from ris_node.runtime.tensorrt.spec import BuildSpec
from ris_node.runtime.tensorrt.toolkit import load_module
trt = load_module("tensorrt")
logger = make_logger(trt)
logger.log(trt.ILogger.ERROR, "a line")
assert list(logger.errors) == ["a line"]
beats = []
monitor = make_monitor(trt, lambda *beat: beats.append(beat))
assert isinstance(monitor, trt.IProgressMonitor)
monitor.phase_start("a", None, 2)
assert monitor.step_complete("a", 0) is True
monitor.phase_finish("a")
assert beats[-1] == ("a", 1.0)
try:
    build_engine(pathlib.Path("none.onnx"), BuildSpec(), pathlib.Path("none.engine"), trt)
except BackendError as error:
    print(error)
"""


@pytest.fixture(scope="module")
def used(tmp_path_factory) -> set[tuple[str, str]]:
    """Every (class, name) that our code touches, seen on both fakes over a build, a run and every way to fail."""
    found: set[tuple[str, str]] = set()
    bundle = make_tiny_bundle(tmp_path_factory.mktemp("tiny"))
    for release in RELEASES:
        for refuse in ((), ("parse_from_file",), ("set_timing_cache",), ("build_serialized_network",)):
            rig = Rig(release)
            rig.script.refuse.update(refuse)
            try:
                make_engine(ask(bundle, rig.kit, tmp_path_factory.mktemp("cache")), rig.kit, quiet)
            except Exception:
                assert refuse
            found |= rig.script.used
        rig = Rig(release)
        out = tmp_path_factory.mktemp("out") / "model.engine"
        build_engine(bundle / "vision.fp32.onnx", BuildSpec(tf32=True), out, rig.trt)
        with pytest.raises(BackendError, match="GridSample"):
            build_engine(grid_sample(tmp_path_factory.mktemp("bad") / "bad.onnx"), BuildSpec(), Path("x"), rig.trt)
        found |= rig.script.used
    return found


def enum_uses() -> dict[str, set[str]]:
    """The members of TensorRT's enumerations that our files name, as trt.Enum.MEMBER or in the tables of names."""
    from ris_node.runtime.tensorrt import network

    found: dict[str, set[str]] = {"LayerType": set(network.HEAVY), "DataType": set(network._DTYPES)}
    for path in sorted(OURS.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute):
                owner = node.value
                if isinstance(owner.value, ast.Name) and owner.value.id == "trt" and node.attr.isupper():
                    found.setdefault(owner.attr, set()).add(node.attr)
    found.pop("ILogger", None)
    return found


def test_the_fake_has_seen_every_name_that_our_files_use(used):
    """No attribute of our files that is a name of TensorRT's may have escaped the record."""
    api = json.loads(api_file("10.3.0").read_text())["names"]
    classes = {owner for owner, _ in used}
    known = {name for owner in classes for name in api[owner] if not name.startswith("_")}
    # Python's or our own objects have them too; on TensorRT's, the fake would have had to offer them
    ours = {"log", "name", "shape", "type", "dtype", "reset", "precision", "node"}
    seen = {name for _, name in used}
    for path in (OURS / f"{name}.py" for name in ("build", "log", "monitor", "network", "session", "toolkit")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and node.attr in known - ours:
                assert node.attr in seen, f"{path.name} uses {node.attr}, which no run of the fake has touched"
    assert len(used) > 30


@pytest.mark.parametrize("release", RELEASES)
def test_every_name_and_signature_is_in_the_real_bindings(release, used):
    enums = enum_uses()
    wanted = sorted(used)
    said = json.loads(in_bindings(release, LOOK, json.dumps(wanted), ",".join(enums)))
    assert said["version"] == release
    missing = [name for name, doc in said["names"].items() if doc is None]
    assert not missing, f"TensorRT {release} has no {missing}"
    for name, members in enums.items():
        assert members <= set(said["enums"][name]), f"{name} of {release} lacks {members - set(said['enums'][name])}"
    api = json.loads(api_file(release).read_text())["names"]
    checked = 0
    for owner, name in wanted:
        real, filed = signature_of(said["names"][f"{owner}.{name}"].split("\n")[0]), signature_of(api[owner][name])
        if real is not None and filed is not None:
            assert list(real.parameters) == list(filed.parameters), f"{owner}.{name}"
            checked += 1
    assert checked > 15


@pytest.mark.parametrize("release", RELEASES)
def test_our_logger_monitor_and_errors_on_the_real_bindings(release):
    words = in_bindings(release, RUN)
    assert "TensorRT gives no builder" in words and "is the GPU's driver there?" in words


def cuda_names() -> set[str]:
    """The functions and constants of CUDA that our files name."""
    found = set()
    for path in sorted(OURS.glob("*.py")):
        found |= set(re.findall(r"\bcuda[A-Z]\w+", path.read_text()))
    return found


@pytest.mark.parametrize("release", CUDA_RELEASES)
def test_every_name_is_in_cuda_python(release):
    folder = BINDINGS / f"cuda-{release}"
    if not (folder / "cuda").is_dir():
        pytest.skip(f"no cuda-python {release}: pip install --no-deps --target {folder} cuda-bindings=={release}")
    code = """
import json, sys
from cuda.bindings import runtime
names = json.loads(sys.argv[1])
flat = {k for n in ("cudaMemcpyKind", "cudaStreamCaptureMode") for k in getattr(runtime, n).__members__}
print(json.dumps([n for n in names if not hasattr(runtime, n) and n not in flat]))
from ris_node.errors import BackendError
from ris_node.runtime.tensorrt.cuda import Cuda
try:
    print(Cuda.load().device_count())
except BackendError as error:
    print(error)
"""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)])}
    names = json.dumps(sorted(cuda_names()))
    done = subprocess.run(
        [sys.executable, "-c", code, names], env=env, capture_output=True, text=True, check=False, timeout=120
    )
    assert not done.returncode, done.stderr[-2000:]
    missing, devices = done.stdout.splitlines()[:2]
    assert json.loads(missing) == []
    assert devices.isdigit() or devices.startswith("cudaGetDeviceCount failed: "), (
        "CUDA's own words where there is no driver"
    )


def test_the_fake_cuda_has_no_other_names():
    from fake_cuda import FakeCudart

    ours = {name for name in vars(FakeCudart) if name.startswith("cuda")}
    assert cuda_names() <= ours | {
        "cudaMemcpyHostToDevice",
        "cudaMemcpyDeviceToHost",
        "cudaStreamCaptureModeThreadLocal",
    }
    assert len(cuda_names()) > 20
