# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""`ris predict --image`: names and pictures as they come from cameras, phones and people."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from phone import phone_picture

from ris_node.bundle import open_bundle
from ris_node.cli.__main__ import main
from ris_node.cli.doctor.model import check_bundles
from ris_node.cli.predict import few as predict_few
from ris_node.media.images import read_image, write_png
from ris_node.types import U8

BASELINE = str(Path(__file__).resolve().parents[2] / "engines" / "keyword-baseline")


def ris(*args: object, largest_file: int = resource.RLIM_INFINITY) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ris_node.cli", "predict", *map(str, args), "--bundle", BASELINE, "--threads", "1"]

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, resource.RLIM_INFINITY))

    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, preexec_fn=limit)


@pytest.fixture
def picture(tmp_path: Path) -> bytes:
    """A small picture's file, road below and sky above."""
    image = np.full((96, 128, 3), (110, 160, 220), np.uint8)
    image[48:] = 90
    write_png(tmp_path / "street.png", image)
    return (tmp_path / "street.png").read_bytes()


def test_long_names_are_cut_to_what_a_file_system_takes(picture: bytes, tmp_path: Path) -> None:
    names = ["x" * 240 + "a.png", "x" * 240 + "b.png", "\u00e9" * 121 + ".png", "street.png"]
    for name in names:
        (tmp_path / name).write_bytes(picture)
    command = "park behind the big red car that is standing next to the white van"
    answer = ris("--image", *(tmp_path / name for name in names), "--command", command, "--out", tmp_path / "o")
    assert answer.returncode == 0, answer.stderr
    answers = [json.loads(path.read_text()) for path in tmp_path.glob("o/*.json")]
    assert sorted(entry["image"] for entry in answers) == sorted(str(tmp_path / name) for name in names)
    assert all(Path(file).is_file() for entry in answers for file in entry["files"].values())


def test_an_answer_that_cannot_be_written_does_not_stop_the_rest(picture: bytes, tmp_path: Path) -> None:
    images = [tmp_path / "street.png", tmp_path / "dot.png"]
    write_png(images[0], np.random.default_rng(0).integers(0, 255, (400, 400, 3), np.uint8))
    images[1].write_bytes(picture)
    answer = ris("--image", *images, "--command", "the road", "--out", tmp_path / "o", largest_file=100_000)
    assert answer.returncode == 1, answer.stderr
    assert "street.png', command 'the road': [Errno" in answer.stderr
    assert (tmp_path / "o/dot.the-road.overlay.png").is_file()


def test_what_nobody_foresaw_costs_one_answer(
    picture: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    calls = iter((MemoryError("too large"), None))

    def draw(image: U8, *_: object) -> U8:
        if error := next(calls):
            raise error
        return image

    monkeypatch.setattr(predict_few, "draw_overlay", draw)
    words = ["--image", str(tmp_path / "street.png"), "--command", "the road", "the sky", "--bundle", BASELINE]
    assert main(["predict", *words, "--out", str(tmp_path / "o")]) == 1
    assert "command 'the road': MemoryError: too large" in capsys.readouterr().err
    assert (tmp_path / "o/street.the-sky.json").is_file()


def test_the_terms_are_one_short_line_and_whole_in_the_doctor(
    picture: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    use = open_bundle().manifest.use
    words = ["--image", str(tmp_path / "street.png"), "--command", "the road", "--out", str(tmp_path / "o")]
    assert main(["predict", *words]) == 0
    said = capsys.readouterr().err
    assert "use: non-commercial data; see ris doctor\n" in said
    assert use not in said
    assert any(use in finding.as_text() for finding in check_bundles(None))


def test_names_that_the_terminal_cannot_show_are_escaped(
    picture: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = [tmp_path / "caf\u00e9.png", tmp_path / "b.png"]
    for image in images:
        image.write_bytes(picture)
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    answer = ris("--image", *images, "--command", "the road", "--out", tmp_path / "o")
    assert answer.returncode == 0, answer.stderr
    assert "caf\\xe9.png" in answer.stdout
    assert len(list(tmp_path.glob("o/*.json"))) == 2


TURNS = {  # EXIF orientation -> what makes the stored picture upright
    1: lambda image: image,
    2: np.fliplr,
    3: lambda image: np.rot90(image, 2),
    4: np.flipud,
    5: lambda image: image.transpose(1, 0, 2),
    6: lambda image: np.rot90(image, -1),
    7: lambda image: np.rot90(image, 2).transpose(1, 0, 2),
    8: np.rot90,
}


@pytest.mark.parametrize("orientation", TURNS)
def test_phone_pictures_are_read_upright(tmp_path: Path, orientation: int) -> None:
    image = np.zeros((32, 48, 3), np.uint8)
    image[:16, :16], image[16:, :16], image[:16, 32:] = (255, 0, 0), (0, 255, 0), (0, 0, 255)
    phone_picture(tmp_path / "a.jpg", image, orientation)
    upright = read_image(tmp_path / "a.jpg")
    wanted = TURNS[orientation](image)
    assert upright.shape == wanted.shape
    assert np.abs(upright.astype(int) - wanted).mean() < 12


def test_answers_to_phone_pictures_are_upright_and_say_their_size(picture: bytes, tmp_path: Path) -> None:
    upright = read_image(tmp_path / "street.png")
    phone_picture(tmp_path / "phone.jpg", np.rot90(upright), 6)
    answer = ris("--image", tmp_path / "phone.jpg", "--command", "the road", "--out", tmp_path / "o")
    assert answer.stdout.strip().endswith("phone.the-road.overlay.png (masks 128 x 96)")
    mask = read_image(tmp_path / "o/phone.the-road.mask.png")
    assert mask.shape == upright.shape
    (tmp_path / "in.jsonl").write_text(json.dumps({"id": 1, "image": "phone.jpg", "text": "the road"}))
    answer = ris("--manifest", tmp_path / "in.jsonl", "--out", "-")
    assert json.loads(answer.stdout)["size"] == [128, 96]
