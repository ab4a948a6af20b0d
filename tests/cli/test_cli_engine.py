# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""`ris engine` over its whole life: engines are built by the real TensorRT-RTX and run by the fake of tests/runtime."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from tiny_bundle import make_tiny_bundle

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "runtime"))
from engine_kit import Rig, rtx_kit

from ris_node.cli.__main__ import main
from ris_node.runtime.tensorrt import toolkit
from ris_node.runtime.tensorrt.cuda import Cuda
from ris_node.runtime.tensorrt.toolkit import Toolkit


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A bundle, a cache and a machine whose TensorRT builds for real and executes with ONNX Runtime."""
    real = rtx_kit()
    bundle = make_tiny_bundle(tmp_path / "bundle")
    rig = Rig("11.4.0.106")
    network = (bundle / "vision.fp32.onnx").read_bytes()
    rig.script.load = lambda plan: network if plan.startswith(b"vtrt") else None
    rig.trt.__version__ = real.version
    rig.cudart.cudaSetDevice = lambda device_id: (0,)
    kit = Toolkit(rig.trt, Cuda(rig.cudart), real.device, "tensorrt_rtx")
    monkeypatch.setattr(toolkit, "detect", lambda device_id=0: kit)
    return bundle, tmp_path / "cache", rig


def ris(capsys, *words):
    code = main(["engine", *map(str, words)])
    out, err = capsys.readouterr()
    return code, out, err


def test_built_listed_shown_verified_and_removed(machine, capsys):
    bundle, cache, rig = machine
    where = ("--cache-dir", cache)
    assert ris(capsys, "list", *where)[1].startswith("no engines in")
    code, out, err = ris(capsys, "build", "--bundle", bundle, *where, "--json")
    made = json.loads(out)
    assert code == 0 and made["built"] and made["usable"] and made["parity"]["passed"] and "fraction" in err
    key = made["key"]
    code, out, _ = ris(capsys, "build", "--bundle", bundle, *where)
    assert code == 0 and "was there already" in out

    assert [row["key"] for row in json.loads(ris(capsys, "list", *where, "--json")[1])] == [key]
    line = ris(capsys, "list", *where)[1]
    assert key in line and "mean IoU 1.0000" in line and "tiny" in line
    shown = json.loads(ris(capsys, "show", key[:4], *where)[1])[0]
    assert shown["manifest"]["keyed"]["runtime"] == "tensorrt_rtx"

    code, out, _ = ris(capsys, "verify", *where)
    assert code == 0 and "answers as ONNX Runtime does" in out
    rig.script.bend = lambda found: {**found, "mask_logits": -found["mask_logits"]}
    code, out, _ = ris(capsys, "verify", *where)
    assert code == 1 and out.startswith("bad") and "IoU" in out
    code, out, _ = ris(capsys, "list", *where)
    assert "unusable" in out and "gives wrong answers" in out

    (cache / "tiny" / ".part-0123456789abcdef-1").mkdir()
    assert "would remove" in ris(capsys, "clean", "--dry-run", *where)[1]
    assert (cache / "tiny" / ".part-0123456789abcdef-1").is_dir()
    gone = json.loads(ris(capsys, "clean", *where, "--json")[1])
    assert len(gone["removed"]) == 2 and gone["bytes"] > 600_000
    assert not list((cache / "tiny").iterdir())


def test_wrong_answers_end_a_build_with_1(machine, capsys):
    bundle, cache, rig = machine
    rig.script.bend = lambda found: {**found, "region_logits": found["region_logits"] * 0}
    code, _, err = ris(capsys, "build", "--bundle", bundle, "--cache-dir", cache)
    assert code == 1 and "gives wrong answers" in err and "--force" in err


def test_what_cannot_be_done_says_why(machine, capsys, monkeypatch):
    bundle, cache, _ = machine
    where = ("--cache-dir", cache)
    code, _, err = ris(capsys, "build", "--bundle", bundle, "--precision", "fp16", *where)
    assert code == 1 and "vision.fp16.onnx" in err and "ris cast" in err
    assert ris(capsys, "show", *where)[0] == 2
    assert ris(capsys, "list", "abcd", *where)[0] == 2
    code, _, err = ris(capsys, "show", "abcd", *where)
    assert code == 1 and "there is no engine abcd" in err
    monkeypatch.undo()
    monkeypatch.setattr(toolkit.importlib.util, "find_spec", lambda name: None)
    code, _, err = ris(capsys, "build", "--bundle", bundle, *where)
    assert code == 1 and "TensorRT is not installed" in err
