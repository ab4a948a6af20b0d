# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The evaluation set: the same every time, composed as the goals ask, and back from JSONL unchanged."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from made_sets import write_sets

from ris_node.data import evalset
from ris_node.data.evalset import EvalItem, build, check, is_stuff, listening_pairs, read_manifest, write_manifest
from ris_node.errors import DataError
from ris_node.rle import encode_rle

BOX = np.zeros((6, 8), bool)
BOX[2:4, 1:5] = True
ITEM = EvalItem(
    id="a/0", image="a.jpg", text="the car", type="object", kind="single", set="s", present=True, width=8, height=6,
    mask=tuple(encode_rle(BOX)), class_name="car", in_view=2, form="single", group="a.jpg",
)  # fmt: skip


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return write_sets(tmp_path_factory.mktemp("sets"), train=0, val=6)


@pytest.fixture(scope="module")
def items(root):
    return build(root)


def test_it_is_the_same_every_time_from_wherever_the_data_lies(items, root, monkeypatch):
    monkeypatch.setenv("RIS_DATA", str(root))
    assert build() == items
    other = build(seed=1)
    assert [i.text for i in other] != [i.text for i in items]


def test_it_is_composed_as_asked(items):
    named = [i for i in items if i.present and i.type == "object"]
    assert sum(map(is_stuff, named)) <= 0.2 * len(named)
    assert sum(i.in_view >= 2 for i in named) >= 0.5 * len(named)
    kinds = Counter(i.kind for i in items)
    assert set(kinds) == set(evalset.QUOTA)
    assert len({i.id for i in items}) == len(items)
    covers = [i.region_truth().mean() for i in items if i.region is not None]
    assert np.mean(covers) <= 0.08
    for i in items:
        assert (i.mask is not None or i.region is not None) == i.present
        assert i.mask is None or i.mask_truth().any()


def test_it_survives_jsonl(items, tmp_path):
    path = tmp_path / "eval.jsonl"
    write_manifest(path, items)
    assert read_manifest(path) == items


def test_the_first_suite_is_part_of_the_full_one(items, root):
    first = build(root, suite="first")
    assert [i for i in items if i.id in {f.id for f in first}] == first
    assert {i.set for i in items} == set(evalset.SETS) and {i.set for i in first} == set(evalset.DRIVING)
    streets = {i.group for i in first if i.set == "streets/val"}
    assert streets < {i.group for i in items if i.set == "streets/val"}
    with pytest.raises(DataError, match="full, first"):
        build(root, suite="last")


def test_a_bad_line_is_named(tmp_path):
    path = tmp_path / "eval.jsonl"
    write_manifest(path, [ITEM])
    path.write_text(path.read_text() + '{"id": "b"}\n')
    with pytest.raises(DataError, match="line 2"):
        read_manifest(path)


def test_the_wrong_mix_is_refused():
    check([ITEM])
    with pytest.raises(DataError, match="stuff"):
        check([ITEM, replace(ITEM, class_name="road")])
    with pytest.raises(DataError, match="two or more"):
        check([replace(ITEM, in_view=1)])


def test_pairs_are_of_one_picture_and_apart():
    far = tuple(encode_rle(np.roll(BOX, 3, axis=0)))
    absent = replace(ITEM, id="a/4", mask=None, present=False)
    items = [ITEM, replace(ITEM, id="a/1", mask=far), replace(ITEM, id="a/2"), replace(ITEM, id="b/0", image="b.jpg"),
             replace(ITEM, id="a/3", mask=far, type="region"), absent]  # fmt: skip
    assert [(a.id, b.id) for a, b in listening_pairs(items)] == [("a/0", "a/1"), ("a/1", "a/2")]
