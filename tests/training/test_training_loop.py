# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import itertools
import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
sys.path.insert(0, str(Path(__file__).parents[1] / "models"))

from tiny_models import shapes  # noqa: E402
from tiny_training import WordCodes, batches, config, make_trainer  # noqa: E402

from ris_node.errors import ConfigError, TrainingError  # noqa: E402
from ris_node.models.base import System  # noqa: E402
from ris_node.training.check import answers, summary  # noqa: E402
from ris_node.training.checkpoint import load_checkpoint, save_checkpoint  # noqa: E402
from ris_node.training.config import OptimConfig, config_from, load_config, to_mapping  # noqa: E402
from ris_node.training.inputs.batches import Batches  # noqa: E402
from ris_node.training.loop import rate_at, train  # noqa: E402

pytestmark = pytest.mark.torch
REPOSITORY = Path(__file__).parents[2]


def test_overfits_one_batch_of_drawn_shapes():
    c = config(steps=100)
    trainer, data, words = make_trainer(c), batches(c, 2), WordCodes()
    batch = data.at(0)
    first = trainer.learn(batch, words)["loss"]
    for _ in range(c.optim.steps - 1):
        last = trainer.learn(batch, words)["loss"]
    assert last < 0.12 * first
    seen = summary(answers(trainer.averaged(), [shapes(0), shapes(1)], words, 6, bf16=False))
    assert seen["miou_colour"] > 0.9 and seen["miou_order"] > 0.9
    assert seen["refused_absent"] == 1 and seen["found"] == 1 and seen["pointing"] == 1 and seen["listens"] == 1


def test_resumed_run_gives_the_same_weights(tmp_path):
    c = config()
    data, words = batches(c, 2), WordCodes()
    whole = make_trainer(c)
    for step in range(8):
        whole.learn(data.at(step), words)
        if step == 3:
            save_checkpoint(tmp_path / "last.pt", whole.state())
    again = make_trainer(c)
    again.restore(load_checkpoint(tmp_path / "last.pt"))
    assert again.step == 4
    for batch in data.between(again.step, 8):
        again.learn(batch, words)
    for kind in ("model", "average"):
        for name, value in whole.state()[kind].items():
            assert torch.equal(value, again.state()[kind][name]), name


def test_train_writes_checkpoints_and_a_log(tmp_path, monkeypatch):
    monkeypatch.setattr(System, "text_reader", lambda *a, **k: WordCodes())
    c = config(steps=20)
    values = train(make_trainer(c), batches(c, 2), [shapes(5)], tmp_path)
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [line["event"] for line in lines] == ["step", "final"] and 0 <= values["miou"] <= 1
    assert load_checkpoint(tmp_path / "best.pt")["step"] == load_checkpoint(tmp_path / "last.pt")["step"] == 20


def test_a_broken_write_leaves_the_old_checkpoint(tmp_path, monkeypatch):
    path = tmp_path / "last.pt"
    save_checkpoint(path, {"step": 1})
    monkeypatch.setattr(torch, "save", lambda content, file: (file.write_bytes(b"half"), 1 / 0))
    with pytest.raises(ZeroDivisionError):
        save_checkpoint(path, {"step": 2})
    assert load_checkpoint(path)["step"] == 1
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(TrainingError, match="cannot be read"):
        load_checkpoint(path)
    with pytest.raises(TrainingError, match="no checkpoint"):
        load_checkpoint(tmp_path / "other.pt")


def test_unknown_or_wrong_settings_are_refused():
    shipped = load_config(REPOSITORY / "recipes/default/first.yaml")
    assert config_from(to_mapping(shipped)) == shipped
    with pytest.raises(ConfigError, match="learning_rate"):
        config_from({"optim": {"learning_rate": 1}})
    with pytest.raises(ConfigError, match="colour"):
        config_from({"colour": 1})
    with pytest.raises(ConfigError, match="steps"):
        config_from({"optim": {"steps": "many"}})
    with pytest.raises(ConfigError, match="bf16"):
        config_from({"optim": {"bf16": 1}})


def test_settings_can_be_given_beside_the_file(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text("optim: {steps: 5, images: 2}\n", encoding="utf-8")
    changed = load_config(path, ["optim.steps=7", "data.variants={rendered: 2}", "moments=2"])
    assert (changed.optim.steps, changed.optim.images, changed.moments) == (7, 2, 2)
    assert changed.data.variants == {"rendered": 2} and load_config(path).optim.steps == 5
    for wrong, why in (
        ("optim.steps", "KEY=VALUE"),
        ("optim.steps.more=1", "KEY=VALUE"),
        ("colour=1", "unknown keys"),
        ("optim.steps={", "no YAML"),
        ("optim.steps=many", "must be like"),
    ):
        with pytest.raises(ConfigError, match=why):
            load_config(path, [wrong])


def test_rates_rise_hold_and_fall():
    optim = OptimConfig(steps=100, warmup=10, decay=0.5)
    rates = [rate_at(step, optim) for step in range(101)]
    assert rates[0] == pytest.approx(0.1) and rates[9] == 1 and rates[50] == 1
    assert all(a >= b for a, b in itertools.pairwise(rates[50:])) and rates[100] == pytest.approx(0.01)


def test_batches_depend_on_step_and_share_only():
    c = config()
    data = batches(c, pictures=5)
    assert data.at(7).texts == data.at(7).texts and torch.equal(data.at(7).images, data.at(7).images)
    assert [b.texts for b in data.between(2, 5)] == [data.at(step).texts for step in (2, 3, 4)]
    shares = [batches(c, pictures=5, share=(i, 2)) for i in (0, 1)]
    one = [s.at(0).images for s in shares]
    assert not torch.equal(one[0], one[1])
    only = replace(shapes(0), kinds=("colour",) * 6)
    few = Batches([[only]], [1.0], images=1, expressions=6, kinds={"colour": 1.0}, seed=0).at(0)
    assert sorted(few.texts) == sorted(only.texts)  # without repeats while there are enough
