# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Training on one's own pictures: a folder, a file of JSON lines and a YAML, through `ris train`."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml

torch = pytest.importorskip("torch")
sys.path.insert(0, str(Path(__file__).parents[1] / "models"))

from own_pictures import COLOURS, make_folder  # noqa: E402
from tiny_models import SETTINGS  # noqa: E402
from tiny_training import config, make_trainer  # noqa: E402

from ris_node.cli.__main__ import main  # noqa: E402
from ris_node.data.annotated import Annotated  # noqa: E402
from ris_node.data.text.expressions import Expression  # noqa: E402
from ris_node.errors import ConfigError, TrainingError  # noqa: E402
from ris_node.export.bundle_writer import use_of  # noqa: E402
from ris_node.models.systems.tsmi import Tsmi  # noqa: E402
from ris_node.training import begin, session  # noqa: E402
from ris_node.training.begin import begins_with, find_trunk, packaged_weights, start  # noqa: E402
from ris_node.training.checkpoint import load_checkpoint, save_checkpoint  # noqa: E402
from ris_node.training.config import DataConfig, load_config  # noqa: E402
from ris_node.training.inputs.own import cropped  # noqa: E402
from ris_node.training.inputs.pools import load_pool, plan, prepare  # noqa: E402

pytestmark = pytest.mark.torch


def settings(folder: Path, **optim: object) -> Path:
    """A YAML beside the pictures, that starts from the weights of a tiny network."""
    save_checkpoint(folder / "start.pt", make_trainer(config()).state())
    values = {
        "settings": SETTINGS, "init": "start.pt", "check_steps": 12,
        "data": {"files": {"mine": "expressions.jsonl"}, "variants": {"mine": 3}, "held_out": {"mine": 2}},
        "optim": {"steps": 24, "images": 2, "expressions": 3, "processes": 1, "freeze_before": "", "bf16": False,
                  "warmup": 5, "rate": 3e-3, "trunk_rate": 3e-3, "ema": 0.9} | optim,
    }  # fmt: skip
    path = folder / "own.yaml"
    path.write_text(yaml.safe_dump(values), encoding="utf-8")
    return path


def test_ris_train_learns_from_ones_own_pictures(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(session, "_LOG_EVERY", 8)
    make_folder(tmp_path, 8)
    given, out, cache = str(settings(tmp_path)), str(tmp_path / "run"), str(tmp_path / "pools")
    assert main(["train", given, "--out", out, "--cache", cache, "--workers", "1"]) == 0
    told = [json.loads(line) for line in (tmp_path / "run/log.jsonl").read_text().splitlines()]
    steps = [line["loss"] for line in told if line["event"] == "step"]
    assert len(steps) == 3 and steps[2] < 0.8 * steps[0]
    assert {"miou_given", "refused_absent"} <= set(told[-1]) and told[-1]["event"] == "final"
    assert load_checkpoint(tmp_path / "run/best.pt")["step"] in (12, 24)
    assert len(list((tmp_path / "run/grids").glob("*.png"))) == 2
    assert main(["train", given, "--out", out, "--cache", cache]) == 1 and "--resume" in capsys.readouterr().err
    assert main(["train", given, "--out", out, "--cache", cache, "--go-on", "--set", "optim.steps=26"]) == 0
    assert load_checkpoint(tmp_path / "run/last.pt")["step"] == 26


def test_a_network_may_be_used_for_what_its_pictures_may():
    terms = Tsmi.terms
    public, own = use_of(config(), terms), use_of(config({"data": {"variants": {"mine": 1}}}), terms)
    both = use_of(config({"data": {"variants": {"mine": 1, "camvid": 1}}}), terms)
    assert "CamVid" in public and "Cityscapes" in public and public.endswith("Non-commercial research only.")
    assert "pictures of mine" in own and "Cityscapes" in own and "CamVid" not in own
    assert "pictures of mine" in both and both.endswith(public)


def test_weights_alone_begin_another_run(tmp_path, capsys):
    first = make_trainer(config())
    save_checkpoint(tmp_path / "a.pt", first.state())
    weights = tmp_path / "a.safetensors"
    assert main(["export", str(tmp_path / "a.pt"), "--weights", str(weights)]) == 0
    begun = start(replace(config(), init=str(weights)))
    for name, value in first.average.items():
        assert (begun.average[name] - value).abs().max() <= 1e-3 * value.abs().max(), name
        assert begun.average[name].dtype == value.dtype and torch.equal(
            begun.model.state_dict()[name], begun.average[name]
        )
    capsys.readouterr()
    for wrong, why in (
        (["--weights", "a.pt"], "safetensors"),
        ([], "say where"),
        (["--out", "b", "--weights", "c"], "safetensors"),
        (["--quality", "r.json", "--weights", "c.safetensors"], "give a checkpoint"),
    ):
        assert main(["export", str(tmp_path / "a.pt"), *wrong]) == 2 and why in capsys.readouterr().err
    with pytest.raises(TrainingError, match=r"schema|cannot be read"):
        start(config(), weights)  # not to resume from
    other = replace(config(), settings={**SETTINGS, "pixel_width": 24}, init=str(weights))
    with pytest.raises(TrainingError, match="other settings"):
        start(other)
    weights.write_bytes(weights.read_bytes()[:100])
    with pytest.raises(TrainingError, match="cannot be read"):
        start(replace(config(), init=str(weights)))


def test_the_packaged_weights_fit_the_packaged_example():
    folder = Path(__file__).parents[2] / "config/train"
    own = load_config(folder / "own.yaml")
    begun = start(own)
    assert own.init == "packaged" and begun.step == 0 and begins_with(own) == folder / "default.safetensors"
    assert all(bool(value.isfinite().all()) for value in begun.average.values())
    assert begun.average["layers.2.attention.key.weight"].std() > 0.01


def test_without_a_data_folder_the_packaged_weights_are_offered(tmp_path, monkeypatch):
    monkeypatch.delenv("RIS_DATA", raising=False)
    with pytest.raises(TrainingError, match="init: packaged"):
        find_trunk(config())
    (tmp_path / "own.yaml").write_text("trunk: mine.onnx", encoding="utf-8")
    (tmp_path / "mine.onnx").write_bytes(b"x")
    assert find_trunk(load_config(tmp_path / "own.yaml")) == tmp_path / "mine.onnx"
    monkeypatch.setattr(begin, "share_folders", lambda name: [tmp_path])
    with pytest.raises(TrainingError, match="install ris_node again"):
        packaged_weights()


def test_truths_lie_where_they_were_drawn_and_drawn_again_when_lines_change(tmp_path):
    lines = make_folder(tmp_path, 4)
    data = DataConfig(variants={"mine": 2}, held_out={"mine": 1}, files={"mine": str(lines)})
    jobs, held = plan(data, 64, 96, tmp_path / "pools")
    assert len(jobs) == 3 and len(held) == 1 and prepare([*jobs, *held], 1) == 7
    for drawn in (d for job in [*jobs, *held] for d in load_pool(job)):
        assert drawn.presence.tolist() == [1, 1, 0] and drawn.has_mask.all() and (drawn.kind_at == -1).all()
        assert not drawn.has_region.any()
        for text, at in zip(drawn.texts[:2], drawn.mask_at, strict=False):
            full = cv2.resize(drawn.masks[at], (96, 64), interpolation=cv2.INTER_NEAREST) == 255
            colour = np.array(COLOURS[text.split()[1]])
            assert np.abs(drawn.image[full].astype(int) - colour).max() < 60 and full.sum() > 300
    assert prepare(plan(data, 64, 96, tmp_path / "pools")[0], 1) == 0
    lines.write_text(lines.read_text().replace("the red", "a red"), encoding="utf-8")
    assert prepare(plan(data, 64, 96, tmp_path / "pools")[0], 1) == 6


def test_views_keep_texts_true():
    image = np.random.default_rng(0).integers(0, 256, (60, 100, 3), np.uint8)
    mask = np.zeros((60, 100), bool)
    mask[20:40, 70:90] = True
    void = np.zeros((60, 100), np.uint8)
    picture = Annotated(image, void, void.astype(np.uint16), (), source="mine", name="a")
    mirrored = 0
    for seed in range(60):
        for text in ("the van", "the van on the LEFT side"):
            said = [
                Expression(text, "given", mask, None, positive=True),
                Expression("a bus", "absent", None, None, positive=False),
            ]
            view, kept = cropped(picture, said, np.random.default_rng(seed), whole=False, mirror=True)
            assert kept[0].mask is not None and kept[0].mask.sum() == mask.sum() and kept[1].mask is None
            assert view.height * view.width >= 0.59 * 6000 and view.image.shape[:2] == kept[0].mask.shape
            seen = view.image[kept[0].mask].reshape(20, 20, 3)
            same = np.array_equal(seen, image[20:40, 70:90])
            assert same or (text == "the van" and np.array_equal(seen, image[20:40, 70:90][:, ::-1]))
            mirrored += not same
    assert 15 < mirrored < 45
    view, kept = cropped(picture, said[:1], np.random.default_rng(1), whole=False, mirror=False)
    assert np.array_equal(view.image[kept[0].mask].reshape(20, 20, 3), image[20:40, 70:90])


def test_wrong_sources_are_refused(tmp_path):
    lines = make_folder(tmp_path, 2)
    with pytest.raises(ConfigError, match="other"):
        plan(DataConfig(variants={}, files={"other": str(lines)}), 64, 96, tmp_path)
    with pytest.raises(ConfigError, match="camvid"):
        plan(DataConfig(variants={"camvid": 1}, files={"camvid": str(lines)}), 64, 96, tmp_path)
    path = tmp_path / "c.yaml"
    path.write_text("data: {files: {mine: sub/a.jsonl}}\ninit: a.pt\n", encoding="utf-8")
    assert load_config(path).data.files == {"mine": str(tmp_path / "sub/a.jsonl")}
    assert load_config(path).init == str(tmp_path / "a.pt")
    with pytest.raises(ConfigError, match="cannot read"):
        load_config(tmp_path / "none.yaml")
