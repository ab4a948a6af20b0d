# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Object attributes of cells and their ranks."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from ris_node.models.batch import (  # noqa: E402
    ATTRIBUTES,
    ObjectHead,
    Ranks,
    apart,
)

pytestmark = pytest.mark.torch


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


def test_attributes_are_relative_to_the_cell():
    head = ObjectHead(4, 2, 4)
    with torch.no_grad():
        head.out.weight.zero_()
        head.out.bias.copy_(torch.tensor([0.1, 0.0, -0.2, 1.0]))
    found = head(torch.randn(3, 4, 2, 4))
    assert found.shape == (3, ATTRIBUTES, 2, 4)
    x, y, foot, area = found[0]
    assert torch.allclose(x, torch.tensor([-0.65, -0.15, 0.35, 0.85]).expand(2, 4))
    assert torch.allclose(y[:, 0], torch.tensor([-0.5, 0.5])) and torch.allclose(foot, y - 0.2)
    assert (area == 1.0).all()


def test_ranks_by_hand():
    kind = torch.tensor([[30.0, 30.0, -30.0]])
    objects = torch.zeros(1, 4, 3)
    objects[0, 0] = torch.tensor([-0.5, 0.25, 0.75])  # x
    ranks = Ranks()(kind, objects)[0]
    assert torch.allclose(ranks[:, 0], torch.tensor([1.0, 1.0, 0.0]), atol=1e-6)  # the probability of the kind
    assert torch.allclose(ranks[:, 4], torch.tensor([0.0, 0.75, 1.25]), atol=1e-5)  # behind the first of the kind
    assert torch.allclose(ranks[:, 7], torch.tensor([0.75, 0.0, 0.0]), atol=1e-5)  # before its last
    assert torch.allclose(ranks[:, 10], torch.tensor([-0.4, 0.35, 0.85]), atol=1e-5)  # mean: -0.25 / 2.5
