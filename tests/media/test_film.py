# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Films and contact sheets: written, read back, joined; a full disk is an error that names the file."""

from __future__ import annotations

import errno
from pathlib import Path

import numpy as np
import pytest

from ris_node.errors import ImageError
from ris_node.media.film import Film, contact_sheet, join_films, read_film
from ris_node.media.images import read_image, write_image

FULL = pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
GREY = np.full((64, 64, 3), 90, np.uint8)


def film(path: Path, *values: int) -> Path:
    with Film(path, 8.0) as out:
        for value in values:
            out.add(np.full((64, 64, 3), value, np.uint8))
    return path


@FULL
def test_a_full_disk_ends_a_film(tmp_path: Path) -> None:
    (tmp_path / "film.mp4").symlink_to("/dev/full")
    with pytest.raises(OSError, match=r"disk|writing") as caught:
        film(tmp_path / "film.mp4", *[90] * 30)
    assert caught.value.filename == str(tmp_path / "film.mp4")


@FULL
def test_a_full_disk_ends_a_picture_and_a_sheet(tmp_path: Path) -> None:
    (tmp_path / "sheet.png").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left") as caught:
        contact_sheet(tmp_path / "sheet.png", [GREY])
    assert caught.value.errno == errno.ENOSPC
    assert caught.value.filename == str(tmp_path / "sheet.png")


@pytest.mark.parametrize("ffmpeg", [True, False])
def test_joined_films_have_all_frames_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ffmpeg: bool) -> None:
    if not ffmpeg:
        monkeypatch.setenv("PATH", "")
    parts = [film(tmp_path / "a.mp4", 20, 60), film(tmp_path / "b.mp4", 120), film(tmp_path / "c.mp4", 180, 220)]
    join_films(parts, tmp_path / "all.mp4", 8.0, move=False)
    found = [float(image.mean()) for image in read_film(tmp_path / "all.mp4")]
    assert found == pytest.approx([20, 60, 120, 180, 220], abs=8)
    join_films(parts[:1], tmp_path / "one.mp4", 8.0, move=True)
    assert not parts[0].exists()
    assert len(list(read_film(tmp_path / "one.mp4"))) == 2


def test_pictures_are_written_by_their_ending_and_read_back(tmp_path: Path) -> None:
    red = np.zeros((8, 6, 3), np.uint8)
    red[..., 0] = 200
    write_image(tmp_path / "red.png", red)
    assert np.array_equal(read_image(tmp_path / "red.png"), red)
    write_image(tmp_path / "grey.bmp", red[..., 0])
    assert np.array_equal(read_image(tmp_path / "grey.bmp")[..., 1], red[..., 0])
    with pytest.raises(ImageError, match="cannot encode"):
        write_image(tmp_path / "none.png", np.zeros((0, 4, 3), np.uint8))
