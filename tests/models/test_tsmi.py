# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import math
import sys
from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
sys.path.insert(0, str(Path(__file__).parent))

from system_contract import opened, small_batch, word_codes  # noqa: E402
from tiny_models import HEIGHT, SETTINGS, WIDTH, graph, model  # noqa: E402

from ris_node.errors import ConfigError  # noqa: E402
from ris_node.models.attention import MASKED  # noqa: E402
from ris_node.models.batch import UNKNOWN  # noqa: E402
from ris_node.models.registry import find_system, loss_weights, model_config  # noqa: E402
from ris_node.models.systems.tsmi_losses import WEIGHTS, tsmi_losses  # noqa: E402
from ris_node.training.config import config_from  # noqa: E402

pytestmark = pytest.mark.torch


def text(net, words: int, length: int, seed: int = 0):
    raw, mask = word_codes(net, 1, words, length, seed=seed)
    out, sentence = net.adapter(raw, mask)
    return out, (1 - mask).float() * MASKED, sentence


def picture(seed: int = 0) -> torch.Tensor:
    torch.manual_seed(seed)
    return torch.randint(0, 256, (1, HEIGHT, WIDTH, 3), dtype=torch.uint8)


def test_one_look_serves_many_expressions():
    net = opened(model())
    image = picture()
    with torch.no_grad():
        seen = net.encode_image(image)
        for seed in (0, 1):
            features = text(net, 4, 8, seed)
            answer = net.decode(seen, *features)
            mask, region, presence = net(image, *features)
            assert torch.equal(answer["mask_logits"], mask) and torch.equal(answer["region_logits"], region)
            assert torch.equal(answer["presence_logit"], presence)
    assert mask.shape == (1, HEIGHT // 4, WIDTH // 4) and presence.shape == (1,)


def test_detached_presence_head_shapes_nothing_else():
    for detached in (True, False):
        net = opened(model(presence_detached=detached))
        net.train()
        net(picture(), *text(net, 4, 8))[2].sum().backward()
        assert (net.project_deep.weight.grad is None) == detached
        assert net.presence_head.out.weight.grad.abs().sum() > 0


def test_settings_are_checked_by_name():
    net = find_system("tsmi").rebuild(model_config("tsmi", SETTINGS), json.dumps(graph().to_json()))
    assert net.config.deep == ("deep",)
    with pytest.raises(ConfigError, match="colour_width"):
        model_config("tsmi", {"colour_width": 3})
    with pytest.raises(ConfigError, match="tsmii"):
        model_config("tsmii", {})
    assert loss_weights("tsmi", {"dice": 2})["dice"] == 2.0 and loss_weights("tsmi", {})["bce"] == 3.0
    with pytest.raises(ConfigError, match="loss has unknown keys mask"):
        loss_weights("tsmi", {"mask": 1.0})
    assert config_from({"loss": {"dice": 2}}).loss["dice"] == 2.0
    for wrong in ({"dice": True}, {"dice": "much"}):
        with pytest.raises(ConfigError, match="dice"):
            config_from({"loss": wrong})
    with pytest.raises(ConfigError, match="layers"):
        model_config("tsmi", {"layers": "many"})


def test_auxiliary_losses_count_known_labels_only():
    batch, net = small_batch(), model()
    outputs = net.outputs(batch, word_codes(net, len(batch.texts), 4, 6))
    weights = dict.fromkeys(WEIGHTS, 1.0)
    flat = {**outputs, "semantics": torch.zeros_like(outputs["semantics"]), "objects": batch.objects + 1.0}
    terms = tsmi_losses(flat, batch, weights)
    assert terms["semantic"].item() == pytest.approx(math.log(SETTINGS["semantics"]), rel=1e-5)
    assert terms["objects"].item() == pytest.approx(4 * (1.0 - 0.05), rel=1e-5)  # smooth L1 with beta 0.1, of four
    nothing = replace(batch, meanings=torch.full_like(batch.meanings, UNKNOWN), object_there=0 * batch.object_there)
    terms = tsmi_losses(flat, replace(nothing, classes=0 * batch.classes), weights)
    assert terms["meaning"] == terms["semantic"] == terms["objects"] == 0
    sure = {f"meanings{i}": 60.0 * torch.nn.functional.one_hot(batch.meanings[:, i].clamp_min(0), size).float()
            for i, size in enumerate(SETTINGS["books"])}  # fmt: skip
    assert tsmi_losses({**outputs, **sure}, batch, weights)["meaning"] < 1e-5


def test_masks_that_are_not_known_are_not_learnt_from():
    batch, net = small_batch(), model()
    outputs = net.outputs(batch, word_codes(net, len(batch.texts), 4, 6))
    terms = tsmi_losses(outputs, batch, WEIGHTS)
    unknown = batch.has_mask == 0
    assert unknown.any()
    other = batch.masks.clone()
    other[unknown] = 1.0 - other[unknown]
    again = tsmi_losses(outputs, replace(batch, masks=other), WEIGHTS)
    assert all(torch.equal(terms[name], again[name]) for name in ("bce", "dice", "aligned", "coarse", "region"))
