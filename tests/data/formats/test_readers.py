# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The readers on rendered streets in the published layouts: sizes, ids, splits, and what is refused."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from made_sets import SIZE, write_sets

from ris_node.data.annotated import make_objects
from ris_node.data.classes import CLASSES, class_id
from ris_node.data.formats.index import open_pictures
from ris_node.data.heldout import kept_out
from ris_node.data.registry import facts_of
from ris_node.errors import DataError

SETS = tuple(f"{source}/{part}" for source in ("camvid", "streets", "coco100") for part in ("train", "val"))


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return write_sets(tmp_path_factory.mktemp("sets"), train=2, val=3)


@pytest.mark.parametrize("name", SETS)
def test_every_set_reads(root, name):
    pictures = open_pictures(name, root)
    assert len(pictures) == (2 if name.endswith("train") else 3)
    for a in pictures:
        assert a.image.dtype == a.class_map.dtype == np.uint8
        assert a.class_map.max() < len(CLASSES) and a.image.shape == (*SIZE[::-1], 3)
        assert make_objects(a.instance_map, a.class_map, frozenset(o.id for o in a.objects if o.crowd)) == a.objects
        assert a.objects, "a street has something on it"
        for item in a.objects:
            mask = a.object_mask((item.id,))
            assert mask.sum() == item.area
            assert (a.class_map[mask] == item.class_id).mean() > 0.99


@pytest.mark.parametrize("source", ["camvid", "streets"])
def test_labels_mean_what_they_say(root, source):
    pictures = open_pictures(f"{source}/val", root)
    a = pictures[0]
    labels = cv2.imread(str((root / pictures.path_of(0)).with_suffix(".png")), cv2.IMREAD_UNCHANGED)
    for label in ("sky", "road", "car", "building"):
        assert np.array_equal(a.class_mask(class_id(label)), labels == facts_of(source).labels.index(label))
    rows = np.nonzero(a.class_mask(class_id("sky")))[0], np.nonzero(a.class_mask(class_id("road")))[0]
    assert rows[0].mean() < 0.4 * a.height < 0.6 * a.height < rows[1].mean()
    assert a.camera is not None and a.camera_in_base is not None


def test_splits_are_disjoint_and_whole(root):
    for source in ("streets", "coco100"):
        train, val = open_pictures(f"{source}/train", root).names, open_pictures(f"{source}/val", root).names
        assert not set(train) & set(kept_out(source)) and set(val) <= set(kept_out(source))
    assert (len(kept_out("streets")), len(kept_out("coco100"))) == (84, 20)


def test_unknown_sets_and_places_are_refused(monkeypatch, root, tmp_path):
    with pytest.raises(DataError, match="no picture set"):
        open_pictures("kitti/train", tmp_path)
    with pytest.raises(DataError, match=r"camvid is not at .*'ris data sets camvid'"):
        open_pictures("camvid/train", tmp_path)
    (tmp_path / "camvid/train").mkdir(parents=True)
    with pytest.raises(DataError, match=r"there is no .*camvid/train. Get the folder CamVid"):
        open_pictures("camvid/train", tmp_path)
    monkeypatch.setenv("RIS_DATA", str(root))
    assert open_pictures("camvid/val").names == open_pictures("camvid/val", root).names


def test_a_label_image_that_does_not_fit_is_named(root, tmp_path):
    copy = write_sets(tmp_path, train=2, sources=("camvid",))
    label = min((copy / "camvid/train").glob("*.png"))
    cv2.imwrite(str(label), np.full(SIZE[::-1], 40, np.uint8))
    with pytest.raises(DataError, match="label 40 is not one of the 12 labels"):
        open_pictures("camvid/train", copy)[0]
    label.unlink()
    with pytest.raises(DataError, match=f"cannot read the mask {label}"):
        open_pictures("camvid/train", copy)[0]
