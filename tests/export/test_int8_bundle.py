# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""INT8 in a bundle: made, measured, chosen only where it kept the quality, and only on processors that agree."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

pytest.importorskip("onnx")
sys.path.insert(0, str(Path(__file__).parents[1]))

from small_net import small_bundle

from ris_node.bundle import Manifest, open_bundle
from ris_node.cli.__main__ import main as ris
from ris_node.config import ModelConfig
from ris_node.data.evalset import EvalItem
from ris_node.errors import BackendError, ExportError
from ris_node.export.cast import cast
from ris_node.export.int8.bundle import measure_int8
from ris_node.export.int8.calibration import calibration_feeds
from ris_node.export.manifest import write_manifest
from ris_node.export.onnx_edit import finish_graphs
from ris_node.export.parity import parity
from ris_node.pipeline.grounder import Grounder
from ris_node.rle import encode_rle
from ris_node.runtime import select
from ris_node.runtime.select import graph_file, open_network
from ris_node.runtime.self_check import GOLDEN, Golden, self_check
from ris_node.runtime.tensorrt.backend import request_for
from ris_node.runtime.tensorrt.toolkit import DeviceInfo, Toolkit


@pytest.fixture(scope="module")
def frames(tmp_path_factory) -> Path:
    folder, rng = tmp_path_factory.mktemp("frames"), np.random.default_rng(3)
    for number in range(12):
        blotches = rng.integers(0, 256, (6, 8, 3)).astype(np.uint8)
        cv2.imwrite(str(folder / f"{number}.png"), np.kron(blotches, np.ones((20, 20, 1), np.uint8)))
    return folder


@pytest.fixture(scope="module")
def bundle(tmp_path_factory, frames) -> Path:
    folder = small_bundle(tmp_path_factory.mktemp("int8") / "small")
    assert ris(["quantize", "--for", "cpu", str(folder), "--images", str(frames), "--every", "0"]) == 0
    return folder


def test_pictures_that_cannot_be_read_are_left_out_of_the_calibration(bundle, frames, tmp_path, caplog):
    for name in ("0.png", "1.png"):
        (tmp_path / name).write_bytes((frames / name).read_bytes())
    (tmp_path / "2.png").write_bytes(b"no picture")
    with Grounder.open(bundle, model=ModelConfig(precision="fp32", warmup_iterations=0)) as grounder:
        assert len(calibration_feeds(grounder, 8, tmp_path)) >= 2
        assert "left out: cannot read the image" in caplog.text
        for name in ("0.png", "1.png"):
            (tmp_path / name).unlink()
        with pytest.raises(ExportError, match="none of the 1 pictures"):
            calibration_feeds(grounder, 8, tmp_path)


def say(folder: Path, **int8) -> None:
    manifest = Manifest.from_json((folder / "manifest.json").read_text(encoding="utf-8"))
    write_manifest(folder, replace(manifest, int8=int8))


def opened(folder: Path, precision: str = "auto"):
    return open_network(open_bundle(folder), "vision", ModelConfig(backend="onnxruntime", precision=precision))


def test_int8_is_default_only_where_the_manifest_says_that_it_kept_the_quality(bundle):
    say(bundle)
    assert opened(bundle).session.info.precision == "fp32" and opened(bundle).degraded == ""
    assert opened(bundle, "int8").session.info.precision == "int8"
    say(bundle, kept=True)
    found = opened(bundle)
    assert (found.session.info.precision, found.degraded) == ("int8", "")
    assert opened(bundle, "fp32").session.info.precision == "fp32"


def test_a_processor_that_answers_differently_gets_float32_and_says_so(bundle, tmp_path):
    """As one without VNNI would: the same file, other sums. Here the golden answers are those of another one."""
    say(bundle, kept=True)
    golden = Golden.load(bundle / GOLDEN)
    with opened(bundle).session as session:
        assert self_check(session, golden) == ""
    shifted = {name: value + (2.0 if name == "mask_logits" else 0.0) for name, value in golden.answers.items()}
    kept = (bundle / GOLDEN).read_bytes()
    try:
        Golden(golden.images, golden.feeds, shifted).save(bundle / GOLDEN)
        say(bundle, kept=True)
        for precision in ("auto", "int8"):
            found = opened(bundle, precision)
            assert found.session.info.precision == "fp32"
            assert "float32 instead of INT8" in found.degraded and "mask_logits of golden answer 0" in found.degraded
        (bundle / GOLDEN).write_bytes(b"no archive")
        say(bundle, kept=True)
        assert "cannot be read" in opened(bundle).degraded
        (bundle / GOLDEN).unlink()
        say(bundle, kept=True)
        assert f"has no {GOLDEN}" in opened(bundle).degraded
    finally:
        (bundle / GOLDEN).write_bytes(kept)
        say(bundle, kept=True)


def test_presence_is_checked_too(bundle):
    golden = Golden.load(bundle / GOLDEN)
    other = {name: -value if name == "presence_logit" else value for name, value in golden.answers.items()}
    with opened(bundle, "int8").session as session:
        assert "presence of golden answer" in self_check(session, Golden(golden.images, golden.feeds, other))
    with pytest.raises(BackendError, match="restore the bundle"):
        Golden.load(bundle / "nothing.npz")


def test_what_int8_costs_is_measured_and_written(bundle, frames):
    half = np.zeros((120, 160), bool)
    half[:, :80] = True
    items = [
        EvalItem(
            id=str(i),
            image=f"{i}.png",
            text="the red thing",
            type="object",
            kind="class",
            set="own",
            present=True,
            width=160,
            height=120,
            mask=tuple(encode_rle(half)),
        )
        for i in range(6)
    ]
    found = measure_int8(bundle, items, frames, rounds=3)
    assert found["items"] == 6 and set(found["miou"]) == {"fp32", "int8"} and found["faster"] > 0
    assert 0.0 < found["mask_iou"] <= 1.0
    written = json.loads((bundle / "manifest.json").read_text(encoding="utf-8"))
    assert written["int8"]["kept"] == found["kept"] and GOLDEN in written["files"]


def test_parity_speaks_for_int8_and_against_another_network(bundle, tmp_path):
    kind, same = parity(bundle / "vision.fp32.onnx", bundle / "vision.fp32.onnx", bundle, real=0)
    assert kind == "fp32" and same.passed and same.least_iou == 1.0
    kind, rounded = parity(bundle / "vision.fp32.onnx", bundle / "vision.int8-cpu.onnx", bundle, real=0)
    assert kind == "int8" and rounded.mean_iou > 0.8
    import onnx
    from small_net import small_vision

    onnx.save(small_vision(seed=5), tmp_path / "other.onnx")
    other = parity(bundle / "vision.fp32.onnx", tmp_path / "other.onnx", bundle, real=0)[1]
    assert not other.passed and other.reason
    graphs = [str(bundle / "vision.fp32.onnx"), str(tmp_path / "other.onnx")]
    assert ris(["parity", *graphs, "--bundle", str(bundle), "--real", "0"]) == 1


def test_finishing_puts_the_contract_inside_and_drops_what_was_made_before(tmp_path):
    folder = small_bundle(tmp_path / "small")
    (folder / "vision.int8-cpu.onnx").write_bytes(b"of an earlier network")
    manifest = Manifest.from_json((folder / "manifest.json").read_text(encoding="utf-8"))
    finish_graphs(folder, manifest)
    assert not (folder / "vision.int8-cpu.onnx").exists()
    import onnx

    from ris_node.export.onnx_edit import read_contract

    contract, precision = read_contract(onnx.load(folder / "vision.fp32.onnx"))
    assert precision == "fp32" and contract["input"]["height"] == 64 and contract["thresholds"]["mask"] == 0.5
    assert ris(["cast", "--to", "fp16", str(write_folder(folder, manifest))]) == 0
    assert read_contract(onnx.load(folder / "vision.fp16.onnx")) == (contract, "fp16")
    assert "vision.fp16.onnx" in open_bundle(folder).manifest.files
    assert ris(["check", "--no-compile", str(folder)]) == 0


def test_half_precision_is_a_default_of_gpus_only_where_it_kept_the_answers(tmp_path, capsys):
    folder = small_bundle(tmp_path / "small")
    assert gpu_files(folder) == ["vision.fp32.onnx"] * 2
    assert ris(["cast", "--to", "fp16", str(folder), "--real", "0"]) == 0
    assert "ok: GPUs take it; on 16 samples masks IoU" in capsys.readouterr().out
    record = open_bundle(folder).manifest.fp16
    assert record["kept"] and record["form"] == "fp16" and record["samples"] == 16 and record["mean_iou"] > 0.99
    assert gpu_files(folder) == ["vision.fp16.onnx"] * 2
    manifest = Manifest.from_json((folder / "manifest.json").read_text(encoding="utf-8"))
    write_manifest(folder, replace(manifest, fp16={**record, "kept": False}))
    assert gpu_files(folder) == ["vision.fp32.onnx"] * 2
    assert graph_file(open_bundle(folder), "vision", "fp16") == "vision.fp16.onnx", "asked for by name it is taken"


def test_what_is_said_of_a_half_precision_graph_goes_with_it(tmp_path):
    folder = small_bundle(tmp_path / "small")
    assert ris(["cast", "--to", "fp16-safe", str(folder), "--real", "0"]) == 0
    manifest = open_bundle(folder).manifest
    assert manifest.fp16["form"] == "fp16-safe" and write_manifest(folder, manifest).fp16 == manifest.fp16
    cast(folder / "vision.fp32.onnx", folder / "vision.fp16.onnx", "fp16")  # another one in its place
    assert write_manifest(folder, manifest).fp16 == {} and not open_bundle(folder).kept("fp16")


def test_a_half_precision_graph_that_is_off_is_no_default(tmp_path, monkeypatch, capsys):
    folder = small_bundle(tmp_path / "small")
    import onnx

    from ris_node.export import cast as casting

    def broken(source: Path, out: Path, form: str):
        done = cast(source, out, form)
        model = onnx.load(out)
        for tensor in model.graph.initializer:
            value = onnx.numpy_helper.to_array(tensor)
            if value.dtype == np.float16 and value.ndim == 4:
                tensor.CopyFrom(onnx.numpy_helper.from_array(np.roll(value, 1, axis=0), tensor.name))
        onnx.save(model, out)
        return done

    monkeypatch.setattr(casting, "cast", broken)
    assert ris(["cast", "--to", "fp16", str(folder), "--real", "0"]) == 1
    assert "BAD: GPUs stay with float32" in capsys.readouterr().out
    assert gpu_files(folder) == ["vision.fp32.onnx"] * 2 and open_bundle(folder).manifest.fp16["reason"]


def gpu_files(folder: Path) -> list[str]:
    """Return what ONNX Runtime's CUDA provider and TensorRT would run."""
    bundle = open_bundle(folder)
    kit = Toolkit(SimpleNamespace(__version__="10.3.0"), None, DeviceInfo(name="Pretend GPU", sm="8.6"))
    request = request_for(bundle, ModelConfig(), kit)
    return [graph_file(bundle, "vision", "auto", select._gpu_order(bundle)), Path(request.onnx).name]


def write_folder(folder: Path, manifest: Manifest) -> Path:
    write_manifest(folder, manifest)
    return folder
