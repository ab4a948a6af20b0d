# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The readers on the real data: sizes, ids, splits, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from ris_node.data.annotated import make_objects
from ris_node.data.classes import CLASSES, class_id
from ris_node.data.readers import open_set, shared_dir, split_names
from ris_node.errors import DataError

SETS = {"camvid/train": 367, "camvid/val": 101, "streets/train": 336, "streets/val": 84, "coco100/train": 80,
        "coco100/val": 20}  # fmt: skip


@pytest.mark.shared
@pytest.mark.parametrize("name", SETS)
def test_every_set_reads(name):
    pictures = open_set(name)
    assert len(pictures) == SETS[name]
    for index in (0, len(pictures) // 2, -1):
        a = pictures[index]
        assert a.image.dtype == a.class_map.dtype == np.uint8
        assert a.class_map.max() < len(CLASSES)
        assert make_objects(a.instance_map, a.class_map, frozenset(o.id for o in a.objects if o.crowd)) == a.objects
        for item in a.objects:
            mask = a.object_mask((item.id,))
            assert mask.sum() == item.area
            assert (a.class_map[mask] == item.class_id).mean() > 0.99


@pytest.mark.shared
def test_camvid_labels_mean_what_they_say():
    a = open_set("camvid/val")[0]
    rows = np.nonzero(a.class_mask(class_id("sky")))[0], np.nonzero(a.class_mask(class_id("road")))[0]
    assert rows[0].mean() < 0.4 * a.height < 0.6 * a.height < rows[1].mean()
    assert a.camera is not None and a.camera_in_base is not None


@pytest.mark.shared
def test_splits_are_disjoint_and_whole():
    for source in ("streets", "coco100"):
        train, val = open_set(f"{source}/train").names, open_set(f"{source}/val").names
        assert not set(train) & set(val)
        assert set(val) == set(split_names(source))
    assert not set(open_set("camvid/train").names) & set(open_set("camvid/val").names)


def test_unknown_sets_and_places_are_refused(monkeypatch, tmp_path):
    monkeypatch.setenv("RIS_SHARED", str(tmp_path))
    with pytest.raises(DataError, match="RIS_SHARED"):
        shared_dir()
    with pytest.raises(DataError, match="no picture set"):
        open_set("kitti/train", tmp_path)
    with pytest.raises(DataError, match="no pictures"):
        open_set("camvid/train", tmp_path)
