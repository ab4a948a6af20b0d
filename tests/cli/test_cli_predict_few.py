# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""`ris predict --image`: names and pictures as they come from cameras, phones and people."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ris_node.cli.images import write_png

BASELINE = str(Path(__file__).resolve().parents[2] / "engines" / "keyword-baseline")


def ris(*args: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ris_node.cli", "predict", *map(str, args), "--bundle", BASELINE, "--threads", "1"]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


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
    (tmp_path / "o/street.the-road.overlay.png").mkdir(parents=True)
    images = [tmp_path / "street.png", tmp_path / "dot.png"]
    images[1].write_bytes(picture)
    answer = ris("--image", *images, "--command", "the road", "--out", tmp_path / "o")
    assert answer.returncode == 1
    assert "street.png', command 'the road': [Errno" in answer.stderr
    assert (tmp_path / "o/dot.the-road.overlay.png").is_file()


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
