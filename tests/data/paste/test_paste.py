# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Pasted pictures: what is hidden, what is in front, how large things are, and that all annotations stay true."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from made_sets import write_sets

from ris_node.data.annotated import Annotated, make_objects
from ris_node.data.classes import class_id
from ris_node.data.colours import COLOUR_NAMES
from ris_node.data.formats.index import open_pictures
from ris_node.data.paste.paste import HEIGHTS_M, Cutout, CutoutBank, cutouts, paste
from ris_node.data.text.regions import GroundView
from ris_node.errors import DataError
from ris_node.geometry.camera import Camera
from ris_node.geometry.transform import camera_mount

CAR, PERSON, ROAD, PAVEMENT, SKY = (class_id(n) for n in ("car", "person", "road", "pavement", "sky"))
HEIGHT, WIDTH = 240, 320


def street(things=(), name="street/a", **more):
    """Grey road below a blue sky, pavement at the left, and boxes (class, x0, y0, x1, y1, RGB)."""
    image = np.full((HEIGHT, WIDTH, 3), 110, np.uint8)
    image[:120] = (120, 160, 230)
    classes = np.full((HEIGHT, WIDTH), ROAD, np.uint8)
    classes[:, :100], classes[:120] = PAVEMENT, SKY
    instances = np.zeros((HEIGHT, WIDTH), np.uint16)
    for number, (cid, x0, y0, x1, y1, colour) in enumerate(things, 1):
        window = np.s_[y0:y1, x0:x1]
        image[window], classes[window], instances[window] = colour, cid, number
    objects = make_objects(instances, classes) if things else ()
    return Annotated(image, classes, instances, objects, source="camvid", name=name, **more)


def with_camera(picture):
    return replace(
        picture, camera=Camera.pinhole(WIDTH, HEIGHT, 60.0), camera_in_base=camera_mount(0.0, 0.0, 1.5, 0.0, 1.0, 0.0)
    )


def cutout(cid=CAR, height=40, width=60, colour=(200, 20, 20), source="other", foot=180):
    image = np.full((height, width, 3), colour, np.uint8)
    return Cutout(
        image=image,
        mask=np.ones((height, width), np.bool_),
        class_id=cid,
        source=source,
        picture_width=WIDTH,
        picture_height=HEIGHT,
        foot=foot,
        colour=None,
    )


def assert_true(picture):
    """Objects, classes and instances agree."""
    crowds = frozenset(o.id for o in picture.objects if o.crowd)
    bare = tuple(replace(o, colour=None) for o in picture.objects)
    measured = make_objects(picture.instance_map, picture.class_map, crowds)
    assert [replace(o, cut=False) for o in bare] == [replace(o, cut=False) for o in measured]
    assert all(o.cut >= m.cut for o, m in zip(bare, measured, strict=True))


def added(before, after):
    old = {o.id for o in before.objects}
    return [o for o in after.objects if o.id not in old]


def test_cutouts_are_whole_single_things():
    picture = street(
        [
            (CAR, 120, 140, 180, 180, (200, 0, 0)),
            (CAR, 0, 140, 50, 170, (0, 0, 200)),  # cut by the border
            (CAR, 200, 140, 216, 170, (0, 0, 200)),  # too narrow for a car
            (PERSON, 60, 130, 72, 175, (0, 200, 0)),
            (PERSON, 240, 130, 244, 138, (0, 200, 0)),  # too small
        ]
    )
    crowd = replace(picture, objects=tuple(replace(o, crowd=o.class_id == PERSON) for o in picture.objects))
    car, person = cutouts(picture)
    assert (car.class_id, car.foot, car.mask.shape, car.source) == (CAR, 180, (40, 60), "street/a")
    assert (car.picture_width, car.picture_height, car.grounded) == (WIDTH, HEIGHT, True)
    assert person.class_id == PERSON and (person.image == (0, 200, 0)).all()
    assert [c.class_id for c in cutouts(crowd)] == [CAR]
    assert cutouts(picture, frozenset({class_id("dog")})) == []


def test_parts_that_are_several_things_are_no_cutouts():
    """A car with a farther one at its side, and two people whose coats touch; singly each is fine."""
    car, farther = (CAR, 120, 130, 170, 170, (200, 0, 0)), (CAR, 170, 130, 210, 148, (0, 0, 200))
    coats, heads = (PERSON, 40, 140, 58, 180, 0), [(PERSON, x, 132, x + 5, 140, 0) for x in (40, 53)]
    picture = street([car, farther, coats, *heads])
    joined = np.asarray(np.array([0, 1, 1, 3, 3, 3], np.uint16)[picture.instance_map])
    several = replace(picture, instance_map=joined, objects=make_objects(joined, picture.class_map))
    assert [o.name for o in several.objects] == ["car", "person"] and cutouts(several) == []
    assert {c.class_id for c in cutouts(replace(several, source="coco100"))} == {CAR, PERSON}
    assert len(cutouts(street([car, (PERSON, 40, 140, 50, 180, 0)]))) == 2


def test_a_bank_is_fair_small_and_survives_its_file(tmp_path):
    pictures = [street([(CAR, 100, 140, 160 + n, 180, (n, 0, 0))], name=f"street/{n}") for n in range(12)]
    bank = CutoutBank.build(pictures, per_class=5, longest=32)
    assert len(bank.items) == 5 and bank.by_class == {CAR: (0, 1, 2, 3, 4)}
    assert max(max(i.mask.shape) for i in bank.items) <= 32
    assert {i.source for i in bank.items} != {f"street/{n}" for n in range(5)}
    again = CutoutBank.open(tmp_path / "bank.npz", pictures)
    assert len(again.items) == 12
    bank.save(tmp_path / "small.npz")
    for a, b in zip(bank.items, CutoutBank.load(tmp_path / "small.npz").items, strict=True):
        assert np.array_equal(a.image, b.image) and np.array_equal(a.mask, b.mask)
        assert replace(a, image=b.image, mask=b.mask) == b
    np.savez(tmp_path / "no.npz", a=np.zeros(1))
    (tmp_path / "half.npz").write_bytes((tmp_path / "small.npz").read_bytes()[:-200])
    for name in ("no.npz", "half.npz"):
        with pytest.raises(DataError, match="no bank"):
            CutoutBank.load(tmp_path / name)


def test_an_empty_bank_changes_nothing(tmp_path):
    CutoutBank(()).save(tmp_path / "none.npz")
    picture = street()
    assert paste(picture, CutoutBank.load(tmp_path / "none.npz"), np.random.default_rng(0), 3) is picture


def test_no_cutout_goes_back_into_its_own_picture():
    picture = street(name="street/a#flipped")
    assert paste(picture, CutoutBank((cutout(source="street/a"),)), np.random.default_rng(0), 3) is picture


@pytest.mark.parametrize("cid", [CAR, PERSON])
def test_size_follows_the_camera(cid):
    """With the camera 1.5 m high and nearly level, what is H m high spans H / 1.5 of the rows down from the horizon."""
    picture = with_camera(street())
    bank = CutoutBank((cutout(cid, 60, 70 if cid == CAR else 20),))
    feet = set()
    for seed in range(15):
        for item in added(picture, paste(picture, bank, np.random.default_rng(seed), 1)):
            horizon = 120 - picture.camera.matrix[1, 1] * np.tan(np.radians(1.0))
            expected = HEIGHTS_M[item.name] / 1.5 * (item.foot - horizon)
            assert 0.85 * expected - 2 < item.foot - item.box[1] < 1.15 * expected + 2
            assert 0.0015 * WIDTH * HEIGHT <= item.area <= 0.15 * WIDTH * HEIGHT
            assert cid == PERSON or picture.class_map[item.foot - 1, int(item.cx)] == ROAD
            feet.add(item.foot)
    assert len(feet) > 5


def test_nearer_things_stay_in_front_and_little_is_hidden():
    things = [(PERSON, x, 125, x + 12, 190, (0, 180, 0)) for x in range(20, 300, 40)]
    things += [(CAR, x, 122, x + 40, 150, (0, 0, 180)) for x in range(110, 300, 70)]
    picture = with_camera(street(things))
    bank = CutoutBank((cutout(), cutout(CAR, 60, 80)))
    behind = hiding = 0
    for seed in range(25):
        after = paste(picture, bank, np.random.default_rng(seed), 3)
        assert_true(after)
        now = {o.id: o for o in after.objects}
        for old in picture.objects:
            assert now[old.id].area >= 0.6 * old.area
            hiding += now[old.id].area < old.area
            for new in added(picture, after):
                if old.foot > new.foot:
                    mask = picture.instance_map == old.id
                    lost = mask & (after.instance_map == new.id)
                    assert not lost.any()
                    behind += new.box[0] < old.box[0] and old.box[2] < new.box[2]
    assert behind > 0 and hiding > 0


def test_pasted_things_are_obstacles_with_true_colours_and_leave_the_rest():
    bay = np.zeros((HEIGHT, WIDTH), np.bool_)
    bay[150:200, 200:260] = True
    before = with_camera(street(unsure=frozenset({"dog"}), manoeuvre_regions={"park_bay": bay}))
    assert before.colours == {} and before.class_areas["road"] > 0
    after = paste(before, CutoutBank((cutout(),)), np.random.default_rng(5), 2)
    new = added(before, after)
    assert new and after.name == "street/a#pasted" and after.unsure == before.unsure
    covered = after.instance_map > 0
    assert not GroundView(after).free[covered].any() and GroundView(before).free[covered].mean() > 0.3
    assert not (after.manoeuvre_regions["park_bay"] & covered).any()
    assert not bay[new[0].foot - 1, new[0].box[0] : new[0].box[2]].all()
    assert (after.class_map[covered] == CAR).all() and after.class_areas["car"] == covered.sum()
    assert all(after.colours[o.id][COLOUR_NAMES.index("red")] > 0.8 for o in new)
    assert np.array_equal(after.image[~covered], before.image[~covered])
    assert not (before.instance_map > 0).any()


def test_a_thing_that_was_cut_stays_cut_and_crowds_stay_crowds():
    picture = with_camera(street([(CAR, x, 125, x + 38, 160, (0, 0, 200)) for x in range(100, 320, 44)]))
    marked = tuple(replace(o, cut=True, crowd=o.id == 1, colour="blue") for o in picture.objects)
    after = paste(replace(picture, objects=marked), CutoutBank((cutout(CAR, 60, 80),)), np.random.default_rng(1), 4)
    old = [o for o in after.objects if o.id <= len(marked)]
    assert after is not picture and all(o.cut and o.colour == "blue" for o in old)
    assert [o.crowd for o in old] == [o.id == 1 for o in old]
    assert_true(after)


def test_pictures_of_sets_truly_and_the_same_again(tmp_path):
    root = write_sets(tmp_path, train=4)
    some = [picture for name in ("camvid", "streets", "coco100") for picture in open_pictures(f"{name}/train", root)]
    bank = CutoutBank.build(some)
    assert {class_id("car"), class_id("person")} <= set(bank.by_class)
    pasted = 0
    for number, picture in enumerate(some):
        after = paste(picture, bank, np.random.default_rng(number), 3)
        twin = paste(picture, bank, np.random.default_rng(number), 3)
        assert np.array_equal(after.image, twin.image) and after.objects == twin.objects
        assert_true(after)
        pasted += len(added(picture, after))
    assert pasted >= 2 * len(some)
