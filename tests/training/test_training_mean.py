# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Running averages are kept at several moments, and their mean is what is exported."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
sys.path.insert(0, str(Path(__file__).parents[1] / "models"))

from tiny_models import SETTINGS, shapes  # noqa: E402
from tiny_training import WordCodes, batches, config, make_trainer  # noqa: E402

from ris_node.cli.__main__ import main  # noqa: E402
from ris_node.errors import TrainingError  # noqa: E402
from ris_node.export.bundle_writer import open_checkpoint  # noqa: E402
from ris_node.models.base import System  # noqa: E402
from ris_node.training.checkpoint import load_checkpoint, load_mean, load_weights, save_checkpoint  # noqa: E402
from ris_node.training.loop import train  # noqa: E402
from ris_node.training.session import moment_steps  # noqa: E402

pytestmark = pytest.mark.torch


def test_moments_lie_evenly_in_the_second_half():
    assert moment_steps(config({"moments": 5}, steps=100)) == {60, 70, 80, 90, 100}
    assert moment_steps(config(steps=100)) == frozenset()


def test_a_run_keeps_its_averages_and_the_export_takes_their_mean(tmp_path, monkeypatch):
    monkeypatch.setattr(System, "text_reader", lambda *_, **__: WordCodes())
    run = config({"moments": 2}, steps=8)
    train(make_trainer(run), batches(run, 4), [shapes(9)], tmp_path)
    kept = sorted((tmp_path / "moments").iterdir())
    assert [path.name for path in kept] == ["000006.pt", "000008.pt"]
    contents = [load_checkpoint(path) for path in kept]
    assert "optimiser" not in contents[0] and "model" not in contents[0]
    trained = open_checkpoint(tmp_path / "moments")
    assert trained.step == 8 and trained.mean_of == (6, 8)
    for name, value in trained.model.state_dict().items():
        a, b = (content["average"][name] for content in contents)
        assert torch.allclose(value, (a + b) / 2, atol=1e-6), name
    assert any(not torch.equal(contents[0]["average"][n], v) for n, v in trained.model.state_dict().items())
    assert open_checkpoint(kept[0]).mean_of == (6,)
    weights = tmp_path / "mean.safetensors"
    assert main(["export", str(tmp_path / "moments"), "--weights", str(weights)]) == 0
    name = "adapter.input.weight"
    assert torch.allclose(load_weights(weights)["average"][name], trained.model.state_dict()[name], atol=1e-3)


def test_other_networks_and_empty_folders_are_refused(tmp_path):
    save_checkpoint(tmp_path / "a.pt", make_trainer(config()).state())
    other = replace(config(), settings={**SETTINGS, "pixel_width": 24})
    save_checkpoint(tmp_path / "b.pt", make_trainer(other).state())
    with pytest.raises(TrainingError, match="other settings"):
        load_mean([tmp_path])
    (tmp_path / "empty").mkdir()
    with pytest.raises(TrainingError, match="moments"):
        load_mean([tmp_path / "empty"])
