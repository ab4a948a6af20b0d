# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Files of the demo's processes: published frames with their truth, and the node's answers, one JSON line each."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TextIO

import cv2
import numpy as np

from ris_node.demo.sources import SourceFrame
from ris_node.errors import DemoError
from ris_node.media.images import read_image, write_image
from ris_node.outputs import claim, sign
from ris_node.types import U8
from ris_scene.render import objects_of
from ris_scene.spec import Scene
from ris_scene.world import World

FRAMES, ANSWERS = "frames.jsonl", "results.jsonl"
VERB = "ris demo"  # in the markers of what is written
KEPT = "frames"  # the folder of the published frames
MADE = (KEPT, ANSWERS, f"{ANSWERS}.new", "commands.json", "overlay.mp4", "contact_sheet.png", "logs")


@contextmanager
def advising(path: Path) -> Iterator[None]:
    """Turn an error of writing, at `path` where it names no file, into a `DemoError` that says what to do."""
    try:
        yield
    except OSError as error:
        name, reason = error.filename or path, error.strerror or error
        raise DemoError(f"cannot write {name}: {reason}; free some space or choose --out") from error


class JsonLines:
    """A file of JSON lines."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: TextIO = path.open("w", encoding="utf-8")

    def write(self, row: dict[str, Any]) -> None:
        """Append one line and hand it to the disk.

        Raises:
            DemoError: it could not be written; what was written before stays.
        """
        with advising(self.path):
            self._file.write(json.dumps(row) + "\n")
            self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class FrameWriter:
    """Keeps published frames: a JPEG each and, for a rendered scene, its instance and class maps in a PNG."""

    def __init__(self, folder: Path) -> None:
        claim(folder.parent, [folder.name], by=VERB)
        self.folder = sign(folder, by=VERB)
        self._lines = JsonLines(folder / FRAMES)
        self._count = 0

    def add(self, frame: SourceFrame, stamp_ns: int) -> None:
        """Keep a frame under the stamp it was published with.

        Raises:
            DemoError: the disk is full or may not be written.
        """
        name = f"{self._count:06d}"
        self._count += 1
        with advising(self.folder):
            write_image(self.folder / f"{name}.jpg", frame.image, [cv2.IMWRITE_JPEG_QUALITY, 94])
            if frame.scene is not None:
                ids = frame.scene.instance_map
                maps = [(ids & 255).astype(np.uint8), (ids >> 8).astype(np.uint8), frame.scene.class_map]
                write_image(self.folder / f"{name}.png", np.stack(maps, -1), [cv2.IMWRITE_PNG_COMPRESSION, 1])
        self._lines.write(
            {"stamp_ns": stamp_ns, "time_s": frame.time_s, "name": name, "truth": frame.scene is not None}
        )


@dataclass(frozen=True, eq=False)
class KeptFrame:
    """A frame read back; `scene` has its truth (its depth is not kept)."""

    image: U8
    stamp_ns: int
    time_s: float
    scene: Scene | None


def read_frames(folder: Path, world: World | None, wanted: set[int]) -> Iterator[KeptFrame]:
    """Read back the frames with these stamps, in the order they were published."""
    for row in read_lines(folder / FRAMES):
        if row["stamp_ns"] not in wanted:
            continue
        image = read_image(folder / f"{row['name']}.jpg")
        scene = None
        if world is not None and row["truth"]:
            maps = read_image(folder / f"{row['name']}.png")
            ids = np.asarray(maps[..., 0] + 256 * maps[..., 1].astype(np.uint16), dtype=np.uint16)
            scene = objects_of(world, row["time_s"], ids, np.ascontiguousarray(maps[..., 2]))
            scene = replace(scene, image=image)
        yield KeptFrame(image, row["stamp_ns"], row["time_s"], scene)


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Read JSON lines; a last line that was cut off is left out."""
    rows = []
    for text in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        try:
            rows.append(json.loads(text))
        except json.JSONDecodeError:
            continue
    return rows
