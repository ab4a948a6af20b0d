# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Losses of referring segmentation; each takes logits and soft targets in [0, 1] and averages over chosen rows."""

from __future__ import annotations

import torch
from torch.nn import functional as F  # noqa: N812


def weighted_mean(values: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Return the mean of values [B] under weights [B]; zero where no row counts."""
    return (values * weight).sum() / weight.sum().clamp_min(1.0)


def pixel_bce(logits: torch.Tensor, target: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Return the binary cross-entropy of maps [B,H,W], rows weighted by [B]."""
    each = F.binary_cross_entropy_with_logits(logits.float(), target, reduction="none")
    return weighted_mean(each.mean((1, 2)), weight)


def dice(logits: torch.Tensor, target: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Return one minus the soft Dice overlap of maps [B,H,W]; only for rows that have a target."""
    chance = torch.sigmoid(logits.float())
    both = 2.0 * (chance * target).sum((1, 2))
    total = (chance * chance).sum((1, 2)) + (target * target).sum((1, 2))
    return weighted_mean(1.0 - (both + 1.0) / (total + 1.0), weight)


def pointing(logits: torch.Tensor, target: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Return minus the log-probability that a pixel drawn by softmax over the map [B,H,W] lies in the target.

    Counts a small target as much as a large one, and only whether the peak is on it.
    """
    flat, there = logits.float().flatten(1), target.flatten(1).clamp_min(1e-6).log()
    return weighted_mean(flat.logsumexp(1) - (flat + there).logsumexp(1), weight)


def binary(logits: torch.Tensor, target: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Return the binary cross-entropy of one logit a row, [B]."""
    each = F.binary_cross_entropy_with_logits(logits.float(), target, reduction="none")
    return weighted_mean(each, weight)


def overlap(masks: torch.Tensor) -> torch.Tensor:
    """Return the soft IoU of every pair of maps [B,H,W], as [B,B]."""
    flat = masks.flatten(1)
    both = flat @ flat.T
    area = (flat * flat).sum(1)
    return both / (area[:, None] + area[None] - both).clamp_min(1e-6)


def contrast(
    pooled: torch.Tensor, sentence: torch.Tensor, masks: torch.Tensor, weight: torch.Tensor, temperature: float = 0.07
) -> torch.Tensor:
    """Return InfoNCE between the pooled pixels [B,T] and the sentences [B,T] of the expressions.

    Pairs whose masks [B,H,W] overlap by half or more are the same object in other words: they are no negatives.
    Rows of weight zero (absent targets) take no part.
    """
    scores = F.normalize(pooled.float(), dim=-1) @ F.normalize(sentence.float(), dim=-1).T / temperature
    same = (overlap(masks) >= 0.5) & ~torch.eye(len(masks), dtype=torch.bool, device=masks.device)
    scores = scores.masked_fill(same | (weight <= 0)[None], -1e4)
    each = F.cross_entropy(scores, torch.arange(len(masks), device=masks.device), reduction="none")
    return weighted_mean(each, weight)
