# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Thresholds are chosen from what a network said of held-out pictures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from ris_node.training.check import Record  # noqa: E402
from ris_node.training.recipe.calibrate import FOUND_GOAL, calibrate, presence_thresholds  # noqa: E402

pytestmark = pytest.mark.torch


def test_thresholds_come_from_the_records():
    truth = np.zeros((4, 4), bool)
    truth[:2] = True
    chance = np.where(truth, 0.48, 0.36).astype(np.float32)
    one = Record(picture=0, text="", kind="order", present=True, presence=0.0, mask=chance, region=chance,
                 true_mask=truth, true_region=None)  # fmt: skip
    seen = [replace(one, presence=p) for p in np.linspace(0.4, 0.9, 101)]
    gone = [replace(one, presence=p, present=False, kind="absent", true_mask=None) for p in (0.1, 0.2, 0.5)]
    commands = [replace(seen[50], kind="region", true_region=truth)]
    chosen = calibrate(seen + gone + commands)
    assert chosen.mask in (0.4, 0.45) and chosen.miou == 1 and chosen.region in (0.4, 0.45) and chosen.pointing == 1
    assert chosen.found == pytest.approx(FOUND_GOAL, abs=0.01) and chosen.refused == pytest.approx(2 / 3)


def test_noun_phrases_and_commands_get_thresholds_of_their_own():
    empty = np.zeros((4, 4), bool)
    blank = {"picture": 0, "text": "", "mask": empty, "region": empty, "true_mask": None}

    def said(presence, present, command):
        kind = ("region" if command else "order") if present else "absent"
        region = empty if command else None
        return Record(**blank, presence=presence, present=present, kind=kind, true_region=region)

    records = [said(p, True, False) for p in np.linspace(0.5, 1.0, 100)]
    records += [said(p, True, True) for p in np.linspace(0.2, 1.0, 100)]
    records += [said(0.48, False, False)] * 10 + [said(0.18, False, True)] * 10
    objects, commands = presence_thresholds(records)
    assert 0.52 < objects < 0.56 and 0.21 < commands < 0.24  # 92 % and 97 % are found
    chosen = calibrate(records)
    assert chosen.refused == 1.0 and 0.94 <= chosen.found <= 0.95
    assert calibrate(records[:100]).presence_command == calibrate(records[:100]).presence
