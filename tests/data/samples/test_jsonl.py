# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Samples from JSON lines: every form of mask comes back as it was, and bad lines are named, not fatal."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import cv2
import numpy as np
import pytest
from pycocotools import mask as tools

from ris_node.data.masks import pixels as masks
from ris_node.data.masks.pixels import read_mask
from ris_node.data.masks.spec import coco_rle
from ris_node.data.samples.jsonl import line_of, open_jsonl, write_jsonl
from ris_node.data.samples.survey import converted
from ris_node.errors import DataError
from ris_node.rle import encode_rle

H, W = 24, 37


def blob(seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    mask = np.zeros((H, W), np.uint8)
    cv2.circle(mask, (int(rng.integers(8, 30)), 12), 7, 1, -1)
    return mask.astype(bool)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(1)
    for name in ("a.png", "b.png", "ünï/c.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        data = cv2.imencode(".png", rng.integers(0, 255, (H, W, 3), dtype=np.uint8))[1]
        (tmp_path / name).write_bytes(data.tobytes())
    return tmp_path


def lines(folder: Path, *items: dict | str | bytes) -> Path:
    path = folder / "mine.jsonl"
    path.write_bytes(b"\n".join(i if isinstance(i, bytes) else (i if isinstance(i, str) else json.dumps(i)).encode()
                                for i in items))  # fmt: skip
    return path


def forms(folder: Path, mask: np.ndarray) -> dict[str, object]:
    cv2.imwrite(str(folder / "binary.png"), mask.astype(np.uint8) * 255)
    cv2.imwrite(str(folder / "ones.png"), mask.astype(np.uint8))
    colour = np.zeros((H, W, 3), np.uint8)
    colour[mask] = (0, 0, 128)
    cv2.imwrite(str(folder / "colour.png"), colour)
    cv2.imwrite(str(folder / "index.png"), np.where(mask, 300, 7).astype(np.uint16))
    ids = np.zeros((H, W, 3), np.uint8)  # B, G, R of 8355203 = 127 * 65536 + 125 * 256 + 131
    ids[mask] = (127, 125, 131)
    cv2.imwrite(str(folder / "panoptic.png"), ids)
    packed = tools.encode(np.asfortranarray(mask.astype(np.uint8)))
    half = mask.copy()
    half[:, W // 2 :] = False
    return {
        "binary": "binary.png", "ones": "ones.png", "colour": "colour.png",
        "value": {"png": "index.png", "value": 300}, "id": {"png": "panoptic.png", "id": 8355203},
        "runs": encode_rle(mask), "coco": coco_rle(mask),
        "packed": {"size": packed["size"], "counts": packed["counts"].decode()},
        "any": {"any": [encode_rle(half), coco_rle(mask & ~half)]},
    }  # fmt: skip


def test_every_form_gives_the_same_pixels(folder: Path) -> None:
    mask = blob()
    made = forms(folder, mask)
    path = lines(folder, *({"image": "a.png", "text": name, "mask": spec} for name, spec in made.items()))
    samples = open_jsonl(path)
    assert not samples.problems and len(samples) == len(made)
    for sample in samples:
        assert sample.mask is not None and sample.mask.dtype == np.bool_
        assert (sample.mask == mask).all(), sample.expression
        assert sample.present and sample.has_target() and sample.region is None and sample.type == "object"


def instances(folder: Path, **changes: object) -> Path:
    """A COCO file of two images: the blob in two halves on a.png, run lengths and a polygon; one thing on b.png."""
    mask, square = blob(), [[2, 3, 9, 3, 9, 8, 2, 8]]
    half = mask.copy()
    half[:, W // 2 :] = False
    parts = [(4, 11, coco_rle(half)), (7, 11, coco_rle(mask & ~half)), (9, 12, square), (10, 11, [])]
    content = {
        "images": [
            {"id": n, "file_name": f"x/{f}", "width": W, "height": H} for n, f in ((11, "a.png"), (12, "b.png"))
        ],
        "annotations": [{"id": i, "image_id": n, "segmentation": s} for i, n, s in parts],
    } | changes
    path = folder / "found.json"
    path.write_text(json.dumps(content))
    return path


def test_masks_of_a_coco_file_are_named_by_their_ids(folder: Path) -> None:
    instances(folder)
    both, one = {"coco": "found.json", "id": [4, 7]}, {"any": [{"coco": "found.json", "id": 9}]}
    samples = open_jsonl(lines(folder, {"image": "a.png", "text": "it", "mask": both},
                               {"image": "b.png", "text": "the square", "mask": one}))  # fmt: skip
    assert not samples.problems and (samples[0].mask == blob()).all()
    assert samples[1].mask is not None and samples[1].mask[4:7, 3:8].all() and not samples[1].mask[9:].any()
    (folder / "below").mkdir()
    moved = write_jsonl(folder / "below/again.jsonl", converted(samples, folder / "below"))
    assert moved == 2 and (open_jsonl(folder / "below/again.jsonl")[0].mask == blob()).all()


def test_wrong_ids_of_a_coco_file_are_named(folder: Path) -> None:
    instances(folder)
    wrong = {9: "of x/b.png, not of a.png", 5: "no annotation 5", 10: "no outline", "4": "'id'", (4, 9): "not 11"}
    items = [{"image": "a.png", "text": "x", "mask": {"coco": "found.json", "id": number}} for number in wrong]
    path = lines(folder, {"image": "a.png", "text": "x"}, *items, {**items[0], "mask": {"coco": "gone.json", "id": 4}})
    problems = open_jsonl(path).problems
    assert len(problems) == 6 and "gone.json" in str(problems[5])
    for problem, words in zip(problems, wrong.values(), strict=False):
        assert words in str(problem)
    for changes, words in (({"annotations": 5}, "instances"), ({"images": []}, "no image 11")):
        instances(folder, **changes)
        with pytest.raises(DataError, match=words):
            read_mask({"coco": "found.json", "id": 4}, folder, H, W)
    instances(folder)
    with pytest.raises(DataError, match="37 x 24 pixels, not 5 x 5"):
        read_mask({"coco": "found.json", "id": 4}, folder, 5, 5)


def test_unpacked_counts_are_those_of_pycocotools(folder: Path) -> None:
    for seed in range(5):
        mask = blob(seed)
        spec = coco_rle(mask)
        theirs = tools.decode(tools.frPyObjects(spec, H, W))
        assert (theirs.astype(bool) == mask).all() and (read_mask(spec, folder, H, W) == mask).all()


def test_polygons_are_drawn_as_coco_draws_them(folder: Path) -> None:
    two = [[3.0, 2.0, 12.0, 2.0, 12.0, 9.0, 3.0, 9.0], [20, 5, 30.5, 5, 25, 20.5]]
    ours = read_mask(two, folder, H, W)
    assert ours[2:9, 3:12].all() and ours[:9, :14].sum() == 7 * 9  # a box covers [3, 12) x [2, 9)
    assert (ours == tools.decode(tools.merge(tools.frPyObjects(two, H, W))).astype(bool)).all()
    outside = [[-5, -5, 5, -5, 5, 5, -5, 5]]
    assert read_mask(outside, folder, H, W)[:5, :5].all() and read_mask(outside, folder, H, W).sum() == 25


def test_what_a_line_means(folder: Path) -> None:
    runs = encode_rle(blob())
    path = lines(
        folder,
        {"image": "a.png", "expression": "  die größte Straße ", "mask": runs, "group": 0, "kind": "order", "id": 7},
        {"image": "a.png", "expression": "the elephant", "mask": None},
        {"image": "b.png", "expression": "park there", "region": runs},
        {"image": "b.png", "expression": "stop behind it", "mask": runs, "region": runs, "box": [1, 2, 3.5, 4]},
        {"image": "b.png", "expression": "the car", "present": True},
        {"image": "b.png", "expression": "none of it", "mask": [H * W]},
        {"image": "ünï/c.png", "expression": "赤い車", "mask": [0, H * W], "present": True, "class": "car"},
    )
    first, absent, region, both, unmarked, empty, last = samples = open_jsonl(path, source="mine")
    assert (first.expression, first.group, first.id, first.kind) == ("die größte Straße", "0", "7", "order")
    assert not absent.present and absent.mask is None and absent.group == "a.png" and not absent.has_target()
    assert region.type == "region" and region.present and region.mask is None and region.region is not None
    assert both.type == "region" and both.box == (1.0, 2.0, 3.5, 4.0) and both.mask is not None
    assert unmarked.present and unmarked.mask is None and unmarked.has_target()
    assert not empty.present and empty.mask_spec is None
    assert last.expression == "赤い車" and last.mask is not None and last.mask.all() and last.class_name == "car"
    assert samples.by_image == ((0, 1), (2, 3, 4, 5), (6,))
    assert {s.source for s in samples} == {"mine"} and [s.id for s in samples][1:] == list("234567")


def test_bad_lines_are_named_and_the_rest_is_read(folder: Path) -> None:
    good = {"image": "a.png", "text": "the car", "mask": encode_rle(blob())}
    path = lines(
        folder,
        b"\xef\xbb\xbf" + json.dumps(good).encode(), "", "{not json", b'{"image": "a.png", "text": "\xff"}', "[1, 2]",
        {**good, "image": "gone.png"}, {**good, "text": " "}, {**good, "mask": []}, {**good, "mask": [3, -1]},
        {**good, "mask": [[1, 2, 3]]}, {**good, "mask": 5}, {**good, "mask": {"size": [H], "counts": [1]}},
        {**good, "mask": "gone_mask.png"}, {**good, "type": "thing"}, {**good, "present": False},
        {**good, "present": "yes"}, {**good, "box": [1, 2]}, {**good, "image": None},
        {**good, "mask": {"png": "a.png"}},
        "[" * 100000, good,
    )  # fmt: skip
    samples = open_jsonl(path)
    assert len(samples) == 2 and [s.id for s in samples] == ["1", "21"]
    assert [p.where for p in samples.problems] == [f"mine.jsonl, line {n}" for n in range(3, 21)]
    text = samples.problem_text(most=12)
    for word in ("no JSON", "UTF-8", "gone.png", "'expression'", "empty list", "polygon", "... and 6 more"):
        assert word in text
    with pytest.raises(DataError, match=r"no line of .* line 1"):
        open_jsonl(lines(folder, "{"))
    with pytest.raises(DataError, match="empty"):
        open_jsonl(lines(folder, ""))
    with pytest.raises(DataError, match="cannot read"):
        open_jsonl(folder / "none.jsonl")


def test_what_only_the_pixels_tell_is_told_when_they_are_read(folder: Path) -> None:
    cv2.imwrite(str(folder / "small.png"), np.ones((5, 5), np.uint8))
    cv2.imwrite(str(folder / "black.png"), np.zeros((H, W), np.uint8))
    (folder / "text.png").write_text("no image")
    path = lines(
        folder,
        *({"image": "a.png", "text": "x", "mask": m} for m in ("small.png", "a.png", [5, 5], "text.png")),
        {"image": "text.png", "text": "x"}, {"image": "a.png", "text": "dark", "mask": "black.png"},
    )  # fmt: skip
    samples = open_jsonl(path)
    for index, words in enumerate(("5 x 5 and its image 37 x 24", "several colours", "add up to 10", "not an image")):
        with pytest.raises(DataError, match=words) as caught:
            _ = samples[index].mask
        assert f"mine.jsonl {index + 1}" in str(caught.value)
    with pytest.raises(DataError, match="cannot read the image"):
        _ = samples[4].image
    assert samples[5].mask is not None and not samples[5].has_target()


def test_round_trip_pickle_and_slices(folder: Path) -> None:
    made = forms(folder, blob())
    path = lines(folder, *({"image": "a.png", "text": n, "mask": s, "kind": "k", "box": [1, 2, 3, 4]}
                           for n, s in made.items()), {"image": "b.png", "text": "no", "group": "g"},
                 {"image": "b.png", "text": "somewhere", "present": True})  # fmt: skip
    samples = open_jsonl(path)
    write_jsonl(folder / "again.jsonl", (line_of(s) for s in samples))
    again = open_jsonl(folder / "again.jsonl")
    assert list(again) == list(samples)
    copy = pickle.loads(pickle.dumps(samples))
    assert copy[-1] == samples[-1] and (copy[0].image == samples[0].image).all()
    assert [s.id for s in samples.subset([3, 1])] == ["4", "2"]
    with pytest.raises(IndexError):
        _ = samples[len(samples)]


def test_the_image_is_shared_and_follows_its_file(folder: Path) -> None:
    samples = open_jsonl(lines(folder, {"image": "a.png", "text": "x"}, {"image": "a.png", "text": "y"}))
    assert samples[0].image is samples[1].image and not samples[0].image.flags.writeable
    cv2.imwrite(str(folder / "a.png"), np.zeros((H + 1, W, 3), np.uint8))
    assert samples[0].image.shape == (H + 1, W, 3)


def test_without_pycocotools_the_error_says_what_to_install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pycocotools", None)
    with pytest.raises(DataError, match="pip install pycocotools"):
        read_mask([[0, 0, 5, 0, 5, 5]], folder, H, W)
    assert read_mask(coco_rle(blob()), folder, H, W).any()  # unpacked counts need nothing
    assert "data" in masks.PYCOCOTOOLS_HINT


def test_a_rendered_scene_is_an_image_too(folder: Path) -> None:
    scene = {"domain": "train", "seed": 3, "time_s": 1.0, "width": 96, "height": 64}
    path = lines(
        folder, {"image": {"scene": scene}, "text": "the road"}, {"image": {"scene": {"seed": 1}}, "text": "x"}
    )
    samples = open_jsonl(path)
    assert samples[0].image.shape == (64, 96, 3) and samples[0].image.std() > 5
    assert line_of(samples[0])["image"] == {"scene": scene}
    assert "domain" in samples.problem_text()
