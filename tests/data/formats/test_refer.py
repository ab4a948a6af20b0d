# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The RefCOCO family, from files in its layout: the right pixels for every sentence, and nothing where nothing is."""

from __future__ import annotations

import json
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
from refer_files import IMAGES, ref, truth, write_refer

from ris_node.data.formats import index
from ris_node.data.formats.index import open_data
from ris_node.data.samples.jsonl import SampleSet, line_of, open_jsonl, write_jsonl
from ris_node.errors import DataError

REFS = [
    ref(1, 11, 9, "train", "Left man", "guy on  the left"),
    ref(2, 12, 9, "train", "the bikes"),
    ref(3, 13, 581857, "train", "Menschenmenge auf der Straße"),
    ref(4, 14, 581857, "val", "woman"),
    ref(5, 14, 581857, "testA", "her"),
    ref(6, 12, 9, "testB", "bike"),
]


def texts(samples: SampleSet) -> list[str]:
    return [sample.expression for sample in samples]


def test_masks_are_those_of_the_annotations(root: Path) -> None:
    write_refer(root, "refcoco", REFS)
    samples = open_data("refcoco", root, "train")
    assert texts(samples) == ["Left man", "guy on  the left", "the bikes", "Menschenmenge auf der Straße"]
    for sample, number in zip(samples, (11, 11, 12, 13), strict=True):
        assert sample.mask is not None and (sample.mask == truth(number)).all()
        assert sample.present and sample.type == "object" and sample.region is None
    assert samples[0].group == samples[1].group != samples[2].group
    assert [s.class_name for s in samples] == ["person", "person", "bicycle", "person"]
    assert samples[2].box == (12.0, 1.0, 10.0, 5.0) and samples[0].id == "1/10"
    assert samples.by_image == ((0, 1, 2), (3,)) and not samples.problems


def test_splits(root: Path) -> None:
    write_refer(root, "refcocog", [*REFS, ref(7, 11, 9, "test", "him")], "refs(umd).p")
    write_refer(root, "refcoco+", REFS)
    assert texts(open_data("refcoco+", root, "val")) == ["woman"]
    assert texts(open_data("refcoco+", root, "testA")) == ["her"]
    assert texts(open_data("refcoco+", root, "testB")) == ["bike"]
    assert "him" in texts(open_data("refcocog", root, "test"))
    with pytest.raises(DataError, match="no split 'testA'"):
        open_data("refcocog", root, "testA")


def test_grefcoco_has_several_targets_or_none(root: Path) -> None:
    refs = [
        ref(1, [11, 12], 9, "train", "man and bikes"),
        ref(2, [-1], 9, "train", "the elephant", no_target=True),
        ref(3, [14], 581857, "train", "woman", no_target=False),
        ref(4, [-1], 30, "train", "anything at all"),
    ]
    write_refer(root, "grefcoco", refs, "grefs(unc).json")
    both, none, one, nothing = open_data("grefcoco", root, "train")
    assert both.mask is not None and (both.mask == (truth(11) | truth(12))).all() and both.class_name == ""
    assert both.box == (11.0, 1.0, 11.0, 5.0)
    assert not none.present and none.mask is None and none.group == "9/none" and none.has_target() is False
    assert one.mask is not None and (one.mask == truth(14)).all()
    assert not nothing.present and nothing.image_name.endswith(f"{IMAGES[2]:012d}.jpg")


def test_r_refcoco_negatives_share_the_group_and_have_no_mask(root: Path) -> None:
    mixed = ref(1, 11, 9, "train", "man on the left", "man on the moon", "guy")
    mixed["sentences"][0]["exist"], mixed["sentences"][1]["exist"] = 1, 0
    write_refer(root, "rrefcoco", [mixed])
    yes, no, unsaid = open_data("r-refcoco", root, "train")
    assert yes.present and not no.present and unsaid.present
    assert yes.group == no.group == unsaid.group and no.mask is None and no.box is None
    assert yes.mask is not None and unsaid.mask is not None and (yes.mask == unsaid.mask).all()


def test_what_cannot_be_used_is_named_and_left_out(root: Path) -> None:
    gone = ref(7, 11, 9, "train", "no text")
    del gone["image_id"]
    blank = ref(8, 11, 9, "train", "x")
    blank["sentences"][0] |= {"raw": " ", "sent": "", "tokens": ["from", "tokens"]}
    refs = [
        *REFS[:1], ref(2, 99, 9, "train", "a"), ref(3, 15, 9, "train", "a"), ref(4, 13, 9, "train", "a"),
        ref(5, 11, 777, "train", "a"), ref(6, None, 9, "train", "a"), gone, blank, "no reference",
    ]  # fmt: skip
    write_refer(root, "refcoco", refs)  # type: ignore[arg-type]
    samples = open_data("refcoco", root, "train")
    assert texts(samples) == ["Left man", "guy on  the left", "from tokens"]
    said = samples.problem_text()
    for words in ("reference 2: instances.json has no annotation 99", "reference 3: annotation 15 has no outline",
                  "reference 4: annotation 13 is of image 581857, not 9", "reference 6",
                  "reference 5: instances.json has no image 777", "reference 7: has no 'image_id'",
                  "reference number 8"):  # fmt: skip
        assert words in said
    assert open_data("refcoco", root, "train").problem_text() == said  # kept with the index


def test_a_missing_image_is_a_problem_and_another_size_an_error(root: Path) -> None:
    import cv2

    write_refer(root, "refcoco", REFS)
    images = root / "images/mscoco/images/train2014"
    (images / f"COCO_train2014_{581857:012d}.jpg").unlink()
    cv2.imwrite(str(images / f"COCO_train2014_{9:012d}.jpg"), np.zeros((24, 32, 3), np.uint8))
    samples = open_data("refcoco", root, "train")
    assert len(samples) == 3 and "no image" in samples.problem_text() and "3/30" in samples.problem_text()
    with pytest.raises(DataError, match="32 x 24 pixels, and the annotations are for 64 x 48"):
        _ = samples[0].mask


def test_missing_folders_say_what_to_get_and_where_it_goes(root: Path) -> None:
    with pytest.raises(DataError, match=r"train2014.*\(13 GB\)(.|\n)*refcoco/refs\(unc\)\.p\n"):
        open_data("refcoco", root / "nowhere", "train")
    write_refer(root, "refcoco", REFS)
    with pytest.raises(DataError, match=r"no .*grefs\(unc\)\.json.*henghuiding/gRefCOCO"):
        open_data("grefcoco", root, "train")
    (root / "refcoco/instances.json").unlink()
    with pytest.raises(DataError, match=r"no .*instances\.json"):
        open_data("refcoco", root, "train")
    with pytest.raises(DataError, match="no data set 'refclef'"):
        open_data("refclef", root)


def test_damaged_files_are_errors(root: Path) -> None:
    path = write_refer(root, "refcoco", REFS)
    path.write_bytes(pickle.dumps([{"ref_id": os.system}], 2))
    with pytest.raises(DataError, match="refused"):
        open_data("refcoco", root, "train")
    path.write_bytes(pickle.dumps({"refs": []}, 2))
    with pytest.raises(DataError, match="not a list"):
        open_data("refcoco", root, "train")
    write_refer(root, "refcoco", REFS)
    for content in ("{", '{"images": [], "annotations": [{}]}'):
        (root / "refcoco/instances.json").write_text(content)
        with pytest.raises(DataError, match=r"instances\.json is n"):
            open_data("refcoco", root, "train")
    write_refer(root, "refcoco", REFS[3:])
    with pytest.raises(DataError, match="nothing of split 'train'"):
        open_data("refcoco", root, "train")


def test_the_index_is_kept_and_follows_its_files(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_refer(root, "refcoco", REFS)
    first = open_data("refcoco", root, "train")
    calls: list[int] = []
    real = index._build
    monkeypatch.setattr(index, "_build", lambda *args: calls.append(1) or real(*args))
    again = open_data("refcoco", root, "train")
    assert not calls and list(again) == list(first) and again.by_image == first.by_image
    path.write_bytes(pickle.dumps(REFS[:1], 2))
    assert len(open_data("refcoco", root, "train")) == 2 and len(calls) == 1
    kept = open_data("refcoco", root, "train").path
    kept.write_bytes(kept.read_bytes()[:-5])  # cut short: made again
    assert len(open_data("refcoco", root, "train")) == 2 and len(calls) == 2
    kept.with_suffix(".npz").write_bytes(b"PK\x03\x04 no archive")
    assert len(open_data("refcoco", root, "train")) == 2 and len(calls) == 3
    assert sorted(p.suffix for p in kept.parent.iterdir()) == [
        ".jsonl",
        ".jsonl",
        ".npz",
        ".npz",
    ]  # nothing half written


def test_a_cache_that_cannot_be_made_is_said(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_refer(root, "refcoco", REFS)
    monkeypatch.setenv("XDG_CACHE_HOME", str(root / "refcoco/instances.json"))  # a file, where a folder must be
    with pytest.raises(DataError, match="set XDG_CACHE_HOME"):
        open_data("refcoco", root, "train")


def test_published_sets_become_json_lines_that_mean_the_same(root: Path) -> None:
    write_refer(root, "refcoco", REFS)
    samples = open_data("refcoco", root, "train")
    write_jsonl(root / "mine.jsonl", (line_of(sample) for sample in samples))
    assert json.loads((root / "mine.jsonl").read_text(encoding="utf-8").splitlines()[0])["size"] == [64, 48]
    assert list(open_jsonl(root / "mine.jsonl")) == list(samples)
