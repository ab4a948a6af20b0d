# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("torch")
sys.path.insert(0, str(Path(__file__).parents[1] / "data"))

from made_sets import write_sets
from refer_files import ref, write_refer

from ris_node.data.annotated import Annotated, make_objects
from ris_node.data.classes import class_id
from ris_node.data.text.expressions import Expression
from ris_node.training.config import DataConfig
from ris_node.training.inputs import pools, rendered
from ris_node.training.inputs.items import jitter
from ris_node.training.inputs.pools import load_item, make_item, save_item
from ris_scene import domain_named

pytestmark = pytest.mark.torch


def picture() -> Annotated:
    classes = np.full((90, 160), class_id("road"), np.uint8)
    instances = np.zeros((90, 160), np.uint16)
    classes[40:60, 20:60], instances[40:60, 20:60] = class_id("car"), 1
    classes[40:60, 100:140], instances[40:60, 100:140] = class_id("car"), 2
    image = np.random.default_rng(0).integers(0, 256, (90, 160, 3), np.uint8)
    return Annotated(image, classes, instances, make_objects(instances, classes), source="test", name="p")


def test_maps_lie_where_the_picture_lies_in_the_letterbox(tmp_path):
    a = picture()
    left = a.object_mask((1,))
    given = [
        Expression("left car", "order", left, None, positive=True, type="object", class_name="car", in_view=2),
        Expression("stop by it", "region", left, ~left, positive=True, type="region", class_name="car", in_view=2),
        Expression("pull over", "region", None, ~left, positive=True, type="region"),
        Expression("the bus", "absent", None, None, positive=False, type="object", class_name="bus"),
    ]
    drawn = make_item(a, given, 128, 160)  # fits by its width: 92 rows of picture, grey above and below
    assert drawn.image.shape == (128, 160, 3) and (drawn.image[:16] == 114).all()
    assert (drawn.image[16:108] != 114).mean() > 0.9 and (drawn.image[108:] == 114).all()
    assert len(drawn.masks) == 2 and drawn.mask_at.tolist() == [1, 1, 0, 0]
    assert drawn.masks[1].sum() / 255 * 16 == pytest.approx(800, rel=0.05)
    assert drawn.masks[1][16, 8] == 255 and drawn.masks[1][16, 30] == 0
    assert drawn.kind_maps[drawn.kind_at[0]].sum() > 1.9 * drawn.kind_maps[drawn.kind_at[0]][:, :5].sum() > 0
    assert drawn.presence.tolist() == [1, 1, 1, 0]
    assert drawn.has_mask.tolist() == [1, 1, 0, 1]  # "pull over" names no object: nothing is known of its mask
    assert drawn.has_region.tolist() == [0, 1, 1, 0]
    save_item(tmp_path / "a.npz", drawn)
    again = load_item(tmp_path / "a.npz")
    assert again.texts == drawn.texts and again.kinds == drawn.kinds
    assert all(np.array_equal(getattr(again, n), v) for n, v in vars(drawn).items() if isinstance(v, np.ndarray))


def test_jitter_keeps_hues():
    image = np.full((8, 8, 3), (200, 40, 40), np.uint8)
    for seed in range(20):
        red, green, blue = jitter(image, np.random.default_rng(seed)).reshape(-1, 3).mean(0)
        assert red > 1.8 * max(green, blue) and abs(green - blue) < 12


def test_scenes_are_of_the_training_domain_only():
    scenes = [rendered.training_scene(i, 11) for i in (0, 1)]
    again = rendered.training_scene(0, 11)
    assert np.array_equal(scenes[0].image, again.image) and not np.array_equal(scenes[0].image, scenes[1].image)
    domain = domain_named("train")
    seeds = [int(s.name.split("/")[2]) for s in scenes]
    assert all(domain.first_seed <= seed <= domain.last_seed for seed in seeds)
    assert all(not domain.first_seed <= domain_named("demo").first_seed <= domain.last_seed for _ in seeds)


def test_things_of_other_pictures_are_pasted_into_a_share_of_the_variants(tmp_path, monkeypatch):
    monkeypatch.setenv("RIS_DATA", str(write_sets(tmp_path, 9, sources=("camvid",))))
    config = DataConfig(variants={"camvid": 2}, held_out={"camvid": 2}, per_picture=6)
    plainly, _ = pools.plan(config, 128, 160, tmp_path)
    jobs, held = pools.plan(replace(config, pasted=1.0), 128, 160, tmp_path)
    assert jobs[0].folder != plainly[0].folder and len(jobs) == 7 and len(held) == 2
    assert pools.prepare([*plainly, *jobs, *held], 1) == 2 * 7 * 2 + 2
    assert jobs[0].bank is not None and jobs[0].bank.is_file() and plainly[0].bank is None
    pairs = [(pools.load_pool(a), pools.load_pool(b)) for a, b in zip(plainly, jobs, strict=True)]
    assert all(np.array_equal(a[0].classes, b[0].classes) for a, b in pairs)  # the first one is left as it is
    assert sum(not np.array_equal(a[1].classes, b[1].classes) for a, b in pairs) >= 5


def test_any_set_is_trained_on_by_its_name(tmp_path, monkeypatch):
    """A set with texts gives its own; a folder of index masks gets generated ones."""
    monkeypatch.setenv("RIS_DATA", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "refcoco").mkdir()
    write_refer(tmp_path / "refcoco", "refcoco", [ref(1, 11, 9, "train", "left man"), ref(2, 14, 9, "val", "woman")])
    drawn, own = picture(), tmp_path / "index-masks"
    for folder, pixels in (("train", drawn.image), ("train_masks", (drawn.instance_map > 0).astype(np.uint8))):
        (own / folder).mkdir(parents=True)
        cv2.imwrite(str(own / folder / "a.png"), pixels)
    (own / "labels.txt").write_text("road\ncar\n")
    jobs, _ = pools.plan(DataConfig(variants={"refcoco": 1, "index-masks": 1}, held_out={}), 96, 160, tmp_path / "made")
    assert pools.prepare(jobs, 1) == 2
    given, generated = (pools.load_pool(job)[0] for job in jobs)
    assert given.texts == ("left man",) and given.has_mask.all() and given.masks.max() == 255
    assert any("car" in text for text in generated.texts) and given.classes.max() == 0 < generated.classes.max()
