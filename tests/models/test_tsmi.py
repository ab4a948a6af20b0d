# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import math
import sys
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
sys.path.insert(0, str(Path(__file__).parent))

from system_contract import opened, word_codes  # noqa: E402
from tiny_models import HEIGHT, SETTINGS, WIDTH, graph, model  # noqa: E402

from ris_node.errors import ConfigError  # noqa: E402
from ris_node.models import losses  # noqa: E402
from ris_node.models.attention import FEWER, MASKED, EncoderLayer  # noqa: E402
from ris_node.models.fusion import FiLM, LevelFusion, Standing  # noqa: E402
from ris_node.models.heads import Aim  # noqa: E402
from ris_node.models.instances import Ranks, apart  # noqa: E402
from ris_node.models.registry import find_system, loss_weights, model_config  # noqa: E402

pytestmark = pytest.mark.torch


def text(net, words: int, length: int, seed: int = 0):
    raw, mask = word_codes(net, 1, words, length, seed=seed)
    out, sentence = net.adapter(raw, mask)
    return out, (1 - mask).float() * MASKED, sentence


def picture(seed: int = 0) -> torch.Tensor:
    torch.manual_seed(seed)
    return torch.randint(0, 256, (1, HEIGHT, WIDTH, 3), dtype=torch.uint8)


def test_untrained_fusion_passes_pixels_through():
    torch.manual_seed(0)
    fusion, film = LevelFusion(16, 32, 2), FiLM(16, 32)
    pixels, words = torch.randn(2, 12, 16), torch.randn(2, 5, 32)
    fused, new_words = fusion(pixels, torch.randn(12, 16), words, torch.zeros(2, 1, 1, 5))
    assert torch.equal(fused, pixels) and not torch.equal(new_words, words)
    assert torch.equal(film(pixels, torch.randn(2, 32)), pixels)
    assert fusion.gate_out.weight.grad is None
    fused.square().sum().backward()
    assert fusion.gate_out.weight.grad.abs().sum() > 0  # closed, but it can learn to open


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
    for wrong in ({"mask": 1.0}, {"dice": True}, {"dice": "much"}):
        with pytest.raises(ConfigError, match="loss"):
            loss_weights("tsmi", wrong)


def test_losses_on_known_maps():
    truth = torch.zeros(2, 4, 4)
    truth[0, :2] = 1
    sure = (truth * 2 - 1) * 30
    each = torch.ones(2)
    assert losses.pixel_bce(sure, truth, each) < 1e-6 and losses.dice(sure, truth, each) < 1e-6
    assert losses.dice(-sure, truth, torch.tensor([1.0, 0.0])) == pytest.approx(1 - 1 / 17, abs=1e-4)
    assert losses.pixel_bce(-sure, truth, torch.tensor([0.0, 0.0])) == 0
    near = torch.eye(3)
    same = torch.zeros(3, 2, 2)
    same[:2, 0], same[2, 1] = 1, 1
    low = losses.contrast(near, near, same, torch.ones(3))
    wrong = losses.contrast(near[[2, 1, 0]], near, same, torch.ones(3))
    assert low < 1e-4 and wrong > 5  # rows 0 and 1 mean the same mask and do not push each other away


def test_pointing_asks_for_the_peak_whatever_the_size():
    small, large = torch.zeros(1, 4, 4), torch.zeros(1, 4, 4)
    small[0, 1, 2], large[0, :2] = 1, 1
    flat = torch.zeros(1, 4, 4)
    assert losses.pointing(flat, small, torch.ones(1)) == pytest.approx(np.log(16), abs=1e-4)
    assert losses.pointing(flat, large, torch.ones(1)) == pytest.approx(np.log(2), abs=1e-4)
    peak = flat.clone()
    peak[0, 1, 2] = 20.0
    assert losses.pointing(peak, small, torch.ones(1)) < 1e-4 and losses.pointing(peak, large, torch.ones(1)) < 1e-4
    peak[0, 3, 3] = 30.0
    assert losses.pointing(peak, small, torch.ones(1)) == pytest.approx(10, abs=0.05)
    assert losses.pointing(peak, small, torch.zeros(1)) == 0


def test_keys_two_by_two_change_nothing_where_four_cells_are_alike():
    torch.manual_seed(0)
    full, fewer = EncoderLayer(16, 2).eval(), EncoderLayer(16, 2, grid=(4, 6)).eval()
    fewer.load_state_dict(full.state_dict())
    alike = torch.randn(2, 2, 3, 16).repeat_interleave(2, 1).repeat_interleave(2, 2).flatten(1, 2)
    x = torch.cat([alike, torch.randn(2, 5, 16)], 1)
    said = torch.zeros(2, 1, 1, 29)
    said[..., 27:] = MASKED
    fourfold = torch.cat([torch.full((2, 1, 1, 6), math.log(FEWER)), said[..., 24:]], -1)
    with torch.no_grad():
        one, other = full(x, None, said), fewer(x, None, fourfold)
        assert (one - other).abs().max() < 1e-5
        assert (full(x.flip(1), None, said) - fewer(x.flip(1), None, fourfold)).abs().max() > 1e-3


def test_standing_counts_what_lies_beyond():
    chance = torch.zeros(1, 8, 10)
    chance[0, 3, 1] = chance[0, 6, 8] = 1.0
    maps = Standing(8, 10, (1, 4))(chance)[0].T.reshape(9, 8, 10)
    assert torch.equal(maps[0], chance[0])
    left, far_left, right, far_right = maps[1:5, 0]
    assert left[1] == 0 and left[2] > 1 and left[9] == 2 * left[2]  # nothing left of the leftmost, both left of the end
    assert far_left[4] == 0 and far_left[5] > 1 and right[8] == 0 and right[0] == left[9] and far_right[4] > 1
    above, below = maps[5, :, 0], maps[7, :, 0]
    assert above[3] == 0 and above[4] > 1 and below[6] == 0 and below[0] == left[9]


def test_ranks_compare_objects_of_the_kind_only():
    # Three objects of two cells each, left to right at -0.5, 0.1, 0.8; the first is not of the kind.
    x = torch.tensor([-0.5, -0.5, 0.1, 0.1, 0.8, 0.8])
    area = torch.tensor([1.0, 1.0, 0.9, 0.9, -0.2, -0.2])
    objects = torch.stack([x, 0 * x, 0 * x, area])[None]
    kind = torch.tensor([[-9.0, -9.0, 9.0, 9.0, 9.0, 9.0]])
    ranks = Ranks()(kind, objects)[0]
    lowest, highest = ranks[:, 4:7], ranks[:, 7:10]
    assert ranks.shape == (6, Ranks.features)
    assert lowest[2:4, 0].abs().max() < 1e-3 and lowest[4:, 0].min() > 0.6  # the leftmost of the kind, whole
    assert highest[4:, 0].abs().max() < 1e-3 and highest[2:4, 0].min() > 0.6
    assert highest[2:4, 2].abs().max() < 1e-3 and highest[4:, 2].min() > 1.0  # the largest of the kind
    assert (ranks[:2, 0] < 0.01).all() and (ranks[2:, 0] > 0.99).all()


def test_apart_is_zero_on_the_object_and_bounded_away_from_it():
    objects = torch.zeros(1, 4, 3)
    objects[0, 0] = torch.tensor([0.5, 0.5, -0.9])
    away = apart(objects, torch.tensor([[0.5, 0.0]]))
    assert away.tolist() == [[0.0, 0.0, 1.0]]


def test_a_text_can_point_at_a_side():
    aim = Aim(4, 6, 9)
    text = torch.randn(2, 4)
    assert not aim(text).any()  # at first it points nowhere
    optimiser = torch.optim.Adam(aim.parameters(), 0.1)
    want = torch.zeros(2, 6, 9)
    want[0, :, :4] = want[1, :3] = 1.0  # the left half; the upper half
    for _ in range(60):
        optimiser.zero_grad()
        torch.nn.functional.binary_cross_entropy_with_logits(aim(text), want).backward()
        optimiser.step()
    assert ((aim(text) > 0) == want.bool()).float().mean() > 0.9
