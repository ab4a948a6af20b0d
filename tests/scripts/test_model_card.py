# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The model card's blocks are figures of the report, and a bundle's manifest keeps a part of the same report."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from ris_node.evaluation.table import quality_of

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

import model_card  # noqa: E402


def row(name, **metrics):
    return {"name": name, "present": 5, "absent": 2, **metrics}


def system(miou, **more):
    rows = [row("all", miou=miou, listens=0.95, listens_strict=0.5, mrr=0.7), row("order", miou=miou / 2)]
    return {"about": {"model": "m-1", "backend": "onnxruntime fp32", "bytes": 38_900_000}, "rows": rows,
            "intervals": {"all": {"miou": [miou - 0.1, miou + 0.1]}}, "against": {}, "roc": {"area": 0.9, "points": []},
            "reliability": [], **more}  # fmt: skip


GOALS = [
    {"name": "driving: mIoU", "asked": "at least 0.6", "value": 0.5, "interval": [0.4, 0.6], "reached": False,
     "floor": 0.55, "below_floor": True},
    {"name": "bundle, MB", "asked": "at most 40", "value": 38.9, "interval": None, "reached": True, "floor": None,
     "below_floor": False},
    {"name": "everyday: mIoU", "asked": "at least 0.3", "value": None, "interval": None, "reached": False,
     "floor": None, "below_floor": False},
]  # fmt: skip
REPORT = {
    "items": 7, "pictures": 3, "suite": "full", "items_sha256": "ab", "regions": 2, "mean_region_cover": 0.05,
    "pointing_road_centre": 0.3, "sets": {"camvid/val": {"pictures": 3, "kinds": {}}},
    "bootstrap": {"draws": 1000}, "conventions": {}, "every": 1,
    "bundles": {
        "keyword-baseline": system(0.2),
        "default": system(0.6, goals=GOALS, against={"keyword-baseline": {"all": {"miou": [0.4, 0.3, 0.5]}}}),
    },
}  # fmt: skip


@pytest.fixture
def blocks(tmp_path, monkeypatch):
    path = tmp_path / "evaluation.json"
    path.write_text(json.dumps(REPORT))
    monkeypatch.setattr(model_card, "REPORT", path)
    return {name: make() for name, make in model_card.BLOCKS.items()}


def test_the_card_shows_the_reports_figures(blocks):
    reach = blocks["card-reach"].splitlines()
    assert reach[2] == "| driving: mIoU | at least 0.6 | 0.500 | 0.400 to 0.600 | **no**, below the floor |"
    assert reach[3].endswith("| 38.900 |  | yes |") and "not measured" in reach[4]
    assert "38.9 MB" in blocks["card-setting"] and "5.0%" in blocks["card-setting"]
    assert "| order (leftmost, nearest, largest) | 0.300 | 0.100 |" in blocks["card-kinds"]
    assert "0.500" in blocks["card-listening"] and "| `default` | `keyword-baseline` |" in blocks["card-listening"]
    assert "+0.400 (+0.300 to +0.500)" in blocks["card-gains"]
    assert "mRR" in blocks["card-published"] and "gIoU" not in blocks["card-published"], "only what was measured"


def test_without_a_report_the_card_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(model_card, "REPORT", tmp_path / "none.json")
    assert {make() for make in model_card.BLOCKS.values()} == {model_card.MISSING}


def test_the_card_uses_every_block():
    text = (ROOT / "docs" / "model_card.md").read_text(encoding="utf-8")
    assert all(f"<!-- generated: {name} -->" in text for name in model_card.BLOCKS)


def test_a_manifest_keeps_rows_and_goals_but_no_curves():
    kept = quality_of(REPORT, "default")
    assert kept["evaluation"]["items"] == 7 and kept["goals"] == GOALS
    assert kept["rows"][0] == {"name": "all", "present": 5, "absent": 2, "miou": 0.6, "listens": 0.95,
                               "listens_strict": 0.5}  # fmt: skip
    assert not {"roc", "reliability", "about", "intervals", "against"} & set(kept)
    with pytest.raises(KeyError):
        quality_of(REPORT, "other")
