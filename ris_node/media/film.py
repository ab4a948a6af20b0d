# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The film and the contact sheet, written so that a full disk is noticed."""

from __future__ import annotations

import errno
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO

import cv2
import numpy as np

from ris_node.media.images import write_image
from ris_node.types import U8


class Film:
    """Writes RGB frames of one size to an MP4: H.264 where ffmpeg is installed, else OpenCV's MPEG-4."""

    def __init__(self, path: Path, rate: float) -> None:
        self.path, self._rate = path, rate
        self.frames = 0
        self._encoder: subprocess.Popen[bytes] | None = None
        self._writer: cv2.VideoWriter | None = None

    def add(self, image: U8) -> None:
        """Append a frame u8[H,W,3]; the first sets the size, others are made to fit it.

        Raises:
            OSError: the encoder does not take it, e.g. because the disk is full.
        """
        if self.frames == 0:
            self._size = (image.shape[1], image.shape[0])
            self._open()
        elif (image.shape[1], image.shape[0]) != self._size:
            image = np.asarray(cv2.resize(image, self._size), dtype=np.uint8)
        if self._encoder is not None:
            try:
                _pipe(self._encoder).write(np.ascontiguousarray(image).tobytes())
            except OSError as error:
                raise self._failed(f"ffmpeg stopped ({self._complaint()}); is the disk full?") from error
        elif self._writer is not None:
            self._writer.write(image[..., ::-1])
        self.frames += 1

    def close(self) -> None:
        """Finish the file and read it back.

        Raises:
            OSError: it is not as long as what was put in, as when the disk is full.
        """
        if self._encoder is not None:
            _pipe(self._encoder).close()
            if self._encoder.wait() != 0:
                raise self._failed(f"ffmpeg could not write it ({self._complaint()}); is the disk full?")
        if self._writer is not None:
            self._writer.release()
        if self.frames and (held := _length(self.path)) < self.frames:
            raise self._failed(f"it holds {held} of {self.frames} frames; is the disk full?")

    def __enter__(self) -> Film:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
        elif self._encoder is not None:
            self._encoder.kill()
            self._encoder.wait()
        elif self._writer is not None:
            self._writer.release()

    def _open(self) -> None:
        width, height = self._size
        ffmpeg = shutil.which("ffmpeg")
        if ffmpeg:
            source = f"-f rawvideo -pix_fmt rgb24 -s {width}x{height} -r {self._rate:.4f} -i -"
            # Even sides: H.264 with 4:2:0 colour has no others.
            coding = "-vf crop=trunc(iw/2)*2:trunc(ih/2)*2 -c:v libx264 -preset veryfast -crf 21 -pix_fmt yuv420p"
            options = f"-y -loglevel error {source} {coding} -movflags +faststart".split()
            command = [ffmpeg, *options, str(self.path)]
            self._encoder = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE)
            return
        self._writer = cv2.VideoWriter(str(self.path), cv2.VideoWriter.fourcc(*"mp4v"), self._rate, (width, height))
        if not self._writer.isOpened():
            raise self._failed(f"cannot open it for writing a {width}x{height} video; may you write there?")

    def _failed(self, words: str) -> OSError:
        return OSError(errno.EIO, words, str(self.path))

    def _complaint(self) -> str:
        if self._encoder is None or self._encoder.stderr is None:
            return "no message"
        self._encoder.wait()
        return self._encoder.stderr.read().decode(errors="replace").strip()[-300:] or "no message"


def _pipe(process: subprocess.Popen[bytes]) -> IO[bytes]:
    if process.stdin is None:
        raise OSError("the encoder has no input pipe")
    return process.stdin


def _length(path: Path) -> int:
    """Count the frames that can be read back."""
    capture = cv2.VideoCapture(str(path))
    count = 0
    while capture.grab():
        count += 1
    capture.release()
    return count


def read_film(path: Path) -> Iterator[U8]:
    """Yield the frames of a film that can be read, RGB u8[H,W,3]."""
    capture = cv2.VideoCapture(str(path))
    try:
        while (read := capture.read())[0]:
            yield np.ascontiguousarray(np.asarray(read[1], np.uint8)[..., ::-1])
    finally:
        capture.release()


def join_films(parts: Sequence[Path], target: Path, rate: float, *, move: bool) -> None:
    """Put films one after the other: copied by ffmpeg where it is installed, else encoded again; `move`: one is moved.

    Raises:
        OSError: it could not be written.
    """
    if not parts:
        return
    if len(parts) == 1 and move:
        parts[0].replace(target)
    elif len(parts) == 1:
        shutil.copyfile(parts[0], target)
    elif ffmpeg := shutil.which("ffmpeg"):
        listing = parts[0].with_suffix(".txt")
        listing.write_text("".join(f"file '{part.resolve()}'\n" for part in parts), encoding="utf-8")
        command = [ffmpeg, "-y", "-loglevel", "error", "-f", "concat", "-safe", "0", "-i", str(listing)]
        subprocess.run([*command, "-c", "copy", str(target)], check=True, stdin=subprocess.DEVNULL)
        listing.unlink()
    else:
        with Film(target, rate) as film:
            for part in parts:
                for image in read_film(part):
                    film.add(image)


def contact_sheet(path: Path, pictures: list[U8], columns: int = 3, width: int = 560) -> None:
    """Write pictures u8[H,W,3] (RGB) side by side as PNG or JPEG, by the file's ending.

    Raises:
        OSError: it could not be written.
    """
    if not pictures:
        return
    height = round(pictures[0].shape[0] * width / pictures[0].shape[1])
    small = [
        np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA), dtype=np.uint8)
        for picture in pictures
    ]
    columns = min(columns, len(small))
    small += [np.full_like(small[0], 24)] * (-len(small) % columns)
    gap = 6
    padded = [cv2.copyMakeBorder(picture, gap, 0, gap, 0, cv2.BORDER_CONSTANT, value=(24, 26, 30)) for picture in small]
    rows = [np.hstack(padded[i : i + columns]) for i in range(0, len(padded), columns)]
    sheet = cv2.copyMakeBorder(np.vstack(rows), 0, gap, 0, gap, cv2.BORDER_CONSTANT, value=(24, 26, 30))
    options = [cv2.IMWRITE_JPEG_QUALITY, 88] if path.suffix == ".jpg" else [cv2.IMWRITE_PNG_COMPRESSION, 6]
    write_image(path, np.asarray(sheet, dtype=np.uint8), options)
