# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Ground truth of recorded frames: masks by stamp, from a folder, recorded topics, COCO, or a manifest."""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ris_node.bags.reader import open_bag
from ris_node.data.masks.pixels import read_binary, read_mask
from ris_node.errors import DataError
from ris_node.replay.frames import header_of
from ris_node.rle import encode_rle
from ris_node.sensing.images import decode_mask
from ris_node.stamps import NS_PER_S
from ris_node.types import Bool

TOPIC = "topic:"
NEAR_NS = 5_000_000  # a truth this near in time belongs to the frame
_PICTURES = (".png", ".tif", ".tiff", ".bmp")
Runs = tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class TruthFrame:
    """The truth of a moment; masks are run lengths of `height` x `width`, None where they are not known.

    `present` None: as the masks say. `text` names the command that it is about; empty: any.
    """

    stamp_ns: int
    height: int
    width: int
    mask: Runs | None = None
    region: Runs | None = None
    present: bool | None = None
    text: str = ""


class Truth:
    """Truth frames by stamp."""

    def __init__(self, frames: Iterable[TruthFrame]) -> None:
        self._frames: dict[int, list[TruthFrame]] = {}
        for frame in frames:
            self._frames.setdefault(frame.stamp_ns, []).append(frame)
        self._stamps = sorted(self._frames)

    def __len__(self) -> int:
        return len(self._stamps)

    def at(self, stamp_ns: int, text: str) -> TruthFrame | None:
        """Return the truth of a frame and command; within 5 ms, the nearest."""
        place = bisect_left(self._stamps, stamp_ns)
        near = self._stamps[max(0, place - 1) : place + 1]
        if not near or abs((best := min(near, key=lambda s: abs(s - stamp_ns))) - stamp_ns) > NEAR_NS:
            return None
        fits = [frame for frame in self._frames[best] if frame.text in ("", text)]
        return fits[0] if fits else None


def open_truth(what: str, bag: Path | None) -> Truth:
    """Read the truth that `--truth` names: a folder, "topic:/mask[,/region]", a COCO file or a manifest.

    Raises:
        DataError: it is missing, damaged, or holds no stamped truth.
    """
    path = Path(what)
    if what.startswith(TOPIC):
        frames = _from_topics(what[len(TOPIC) :].split(","), bag)
    elif path.is_dir():
        frames = _from_folder(path)
    elif path.suffix == ".json":
        frames = _from_coco(path)
    elif path.suffix in (".jsonl", ".ndjson"):
        frames = _from_manifest(path)
    else:
        raise DataError(f"truth '{what}': give a folder of masks, topic:/NAME, a COCO .json or a manifest .jsonl")
    truth = Truth(frames)
    if not len(truth):
        raise DataError(f"truth '{what}' holds nothing: masks are found by the stamps in their names or lines")
    return truth


def stamp_in(name: str) -> int | None:
    """Return the stamp in ns that a stem ends with: 19 digits, or SEC_NANOSEC, SEC-NANOSEC, SEC.NANOSEC."""
    if match := re.search(r"(\d{9,11})[._-](\d{1,9})$", name):
        return int(match[1]) * NS_PER_S + int(match[2].ljust(9, "0") if "." in match[0] else match[2])
    match = re.search(r"(\d{1,20})$", name)
    return int(match[1]) if match else None


def _from_folder(folder: Path) -> Iterator[TruthFrame]:
    """Read masks in `folder`, and of regions in `folder`/regions by the same names."""
    found: dict[int, dict[str, Path]] = {}
    for kind, place in (("mask", folder), ("region", folder / "regions")):
        for path in sorted(place.iterdir()) if place.is_dir() else ():
            stamp = stamp_in(path.stem) if path.suffix.lower() in _PICTURES else None
            if stamp is not None:
                found.setdefault(stamp, {})[kind] = path
    for stamp, files in found.items():
        masks = {kind: read_binary(path) for kind, path in files.items()}
        yield _frame(stamp, masks.get("mask"), masks.get("region"))


def _from_topics(names: list[str], bag: Path | None) -> Iterator[TruthFrame]:
    if bag is None:
        raise DataError("a recorded truth topic needs its bag")
    seen: dict[int, dict[str, Bool]] = {}
    with open_bag(bag) as opened:
        missing = [name for name in names if all(topic.name != name for topic in opened.topics)]
        if missing:
            raise DataError(f"{bag} has no topic {', '.join(missing)}; see 'ris replay --help' on --truth")
        for message in opened.messages(names):
            kind = "mask" if message.topic == names[0] else "region"
            mask = decode_mask(opened.deserialize(message))
            stamp = header_of(message).stamp_ns
            waiting = seen.setdefault(stamp, {})
            waiting[kind] = mask
            if len(waiting) == len(names):
                yield _frame(stamp, waiting.get("mask"), waiting.get("region"))
                del seen[stamp]
    for stamp, left in seen.items():
        yield _frame(stamp, left.get("mask"), left.get("region"))


def _from_coco(path: Path) -> Iterator[TruthFrame]:
    """Read COCO instances: an image's annotations together are the truth; images go by the stamp in their names."""
    whole = _json(path, path.read_text(encoding="utf-8-sig"))
    if not isinstance(whole, dict) or "images" not in whole or "annotations" not in whole:
        raise DataError(f"{path} is no COCO file: it needs 'images' and 'annotations'")
    parts: dict[Any, list[Any]] = {}
    for annotation in whole["annotations"]:
        parts.setdefault(annotation["image_id"], []).append(annotation["segmentation"])
    for image in whole["images"]:
        stamp = image.get("stamp_ns", stamp_in(Path(str(image["file_name"])).stem))
        if stamp is None:
            raise DataError(f"{path}: image {image['file_name']!r} has no stamp in its name; add 'stamp_ns'")
        height, width = int(image["height"]), int(image["width"])
        own = parts.get(image["id"], [])
        mask = read_mask({"any": own}, path.parent, height, width) if own else np.zeros((height, width), np.bool_)
        yield _frame(int(stamp), mask, None)


def _from_manifest(path: Path) -> Iterator[TruthFrame]:
    """Read lines as of `ris predict --manifest` with truth beside them: `mask`, `region`, `present`, `size`."""
    for number, line in enumerate(path.read_text(encoding="utf-8-sig").splitlines(), 1):
        if not line.strip():
            continue
        item = _json(f"{path}, line {number}", line)
        names = (str(item.get("id", "")), Path(str(item.get("image", ""))).stem)
        stamp = item.get("stamp_ns", next((s for n in names if (s := stamp_in(n)) is not None), None))
        size = item.get("size") or (item.get("width"), item.get("height"))
        if stamp is None or not all(size):
            raise DataError(f"{path}, line {number}: 'stamp_ns' and 'size' [width, height] are needed")
        width, height = int(size[0]), int(size[1])
        masks = [
            read_mask(item[kind], path.parent, height, width) if item.get(kind) else None for kind in ("mask", "region")
        ]
        frame = _frame(int(stamp), masks[0], masks[1], (height, width))
        yield replace(frame, present=item.get("present"), text=str(item.get("text", "")))


def _frame(stamp_ns: int, mask: Bool | None, region: Bool | None, size: tuple[int, int] | None = None) -> TruthFrame:
    shape = next((m.shape for m in (mask, region) if m is not None), size or (0, 0))
    runs = [tuple(encode_rle(m)) if m is not None else None for m in (mask, region)]
    return TruthFrame(stamp_ns=stamp_ns, height=int(shape[0]), width=int(shape[1]), mask=runs[0], region=runs[1])


def _json(where: Path | str, text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise DataError(f"{where} is not JSON: {error}") from error
