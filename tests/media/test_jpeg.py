# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""JPEGs that break off are refused, whatever the OpenCV; whole ones of every make are read."""

from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from ris_node.data.pictures import read_rgb
from ris_node.demo.sources import FolderSource
from ris_node.errors import DataError, ImageError
from ris_node.media.images import is_cut_off, read_image
from ris_node.sensing.images import decode_compressed


def smooth(height: int = 120, width: int = 160) -> np.ndarray:
    rng = np.random.default_rng(3)
    return np.asarray(cv2.resize(rng.integers(0, 255, (6, 8, 3), np.uint8), (width, height)), np.uint8)


def jpeg(image: np.ndarray | None = None, *flags: int) -> bytes:
    return cv2.imencode(".jpg", smooth() if image is None else image, flags)[1].tobytes()


def with_segment(data: bytes, marker: int, content: bytes) -> bytes:
    """The JPEG with a segment more after its start."""
    return data[:2] + bytes((0xFF, marker)) + (len(content) + 2).to_bytes(2, "big") + content + data[2:]


def without_tables(data: bytes) -> bytes:
    """The JPEG without its Huffman tables, as USB cameras send them; a decoder knows the usual ones."""
    out, at = data[:2], 2
    while data[at + 1] != 0xDA:
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        out += data[at:end] if data[at + 1] != 0xC4 else b""
        at = end
    return out + data[at:]


WHOLE = {
    "baseline": jpeg(),
    "progressive": jpeg(None, cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
    "restart markers": jpeg(None, cv2.IMWRITE_JPEG_RST_INTERVAL, 3),
    "optimised": jpeg(None, cv2.IMWRITE_JPEG_OPTIMIZE, 1),
    "grey": jpeg(smooth()[..., 0]),
    "thumbnail": with_segment(jpeg(), 0xE1, b"Exif\0\0" + jpeg(smooth(24, 32))),
    "comment": with_segment(jpeg(), 0xFE, b"\xff\xda\xff\xd9"),
    "fill bytes": jpeg()[:2] + b"\xff\xff\xff" + jpeg()[2:],
    "no tables": without_tables(jpeg()),
    "padded": jpeg() + bytes(4096),
    "two pictures": jpeg() + jpeg(),
    "zero and more": jpeg() + b"\xff" * 9 + b"\xff\xda",
}


def message(data: bytes) -> SimpleNamespace:
    return SimpleNamespace(format="jpeg", data=data)


@pytest.mark.parametrize("data", WHOLE.values(), ids=WHOLE)
def test_whole_ones_are_read(data: bytes):
    shown = decode_compressed(message(data))
    assert shown.shape == (120, 160, 3)
    want = smooth()[..., ::-1].astype(int)
    assert np.abs((shown.astype(int) - want) if len(set(shown[0, 0])) > 1 else 0).mean() < 4


@pytest.mark.parametrize("name", [n for n in WHOLE if n not in ("padded", "two pictures", "zero and more")])
def test_wherever_one_breaks_off_it_is_refused(name: str):
    data = WHOLE[name]
    ends = {2, 3, 4, 5, 20, len(data) - 1, len(data) - 2, *range(6, len(data), 97)}
    for end in sorted(ends):
        with pytest.raises(ImageError, match=r"break off in the middle of the JPEG|are no picture"):
            decode_compressed(message(data[:end]))
        padded = np.frombuffer(data[:end] + bytes(500), np.uint8)
        assert is_cut_off(padded) or end < 3, "a buffer of a fixed size"


@pytest.mark.parametrize("extension", [".png", ".bmp", ".webp", ".tiff", ".ppm"])
def test_other_formats_that_break_off_are_refused_by_opencv(extension: str):
    data = cv2.imencode(extension, smooth())[1].tobytes()
    decode_compressed(message(data))
    for end in (len(data) // 2, len(data) * 9 // 10, len(data) - 17, len(data) - 1):
        with pytest.raises(ImageError, match=r"picture|decoded"):
            decode_compressed(message(data[:end]))


def test_files_that_break_off_are_refused_by_every_reader(tmp_path: Path):
    path = tmp_path / "a.jpg"
    path.write_bytes(jpeg()[:-1000])
    with pytest.raises(ImageError, match=r"a\.jpg' breaks off"):
        read_image(path)
    with pytest.raises(DataError, match=r"a\.jpg"):
        read_rgb(path)
    (tmp_path / "b.jpg").write_bytes(jpeg())
    shown = FolderSource(tmp_path, 160, 120, 1.0).frame(0.0)
    assert shown is not None
    assert np.array_equal(shown.image, read_image(tmp_path / "b.jpg"))


def test_looking_costs_next_to_nothing():
    """A frame of 1080p, about 1 MB: far below half a millisecond, here beside its decoding."""
    rng = np.random.default_rng(0)
    image = cv2.resize(cv2.GaussianBlur(rng.integers(0, 255, (540, 960, 3), np.uint8), (3, 3), 0), (1920, 1080))
    data = np.frombuffer(jpeg(image, cv2.IMWRITE_JPEG_QUALITY, 95), np.uint8)

    def seconds(work: object) -> float:
        begin = time.perf_counter()
        work()
        return time.perf_counter() - begin

    looking = min(seconds(lambda: is_cut_off(data)) for _ in range(20))
    decoding = min(seconds(lambda: cv2.imdecode(data, cv2.IMREAD_COLOR)) for _ in range(3))
    assert looking < decoding / 20
