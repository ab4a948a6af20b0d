# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The demo's drive as a bag: the recording of the live run, with the truth of each answered frame and TF."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import numpy as np

from ris_node.bags.reader import Bag, open_bag
from ris_node.bags.typestore import needs
from ris_node.bags.writer import BagWriter
from ris_node.demo.judge import FrameTruth
from ris_node.demo.recording import VERB
from ris_node.errors import DemoError, RisError
from ris_node.geometry.transform import Transform
from ris_node.interface import LATCHED, RELIABLE_5
from ris_node.outputs import remove, sign
from ris_scene.bag import (
    BASE_FRAME,
    CAMERA_FRAME,
    MASK,
    REGION_MASK,
    image_message,
    stamped,
    tf_message,
)

DRIVE = "drive"
HALVES = ".bags"  # the folder of the two that become one
LIVE, TRUTH = f"{HALVES}/live", f"{HALVES}/truth"
MADE = (HALVES,)  # in any demo; DRIVE where it is asked for


def clear(out: Path) -> None:
    """Remove the unfinished bags of an earlier run."""
    remove(out, HALVES, by=VERB)


def record_path(wanted: str | None, out: Path) -> Path | None:
    """Return the bag to write; None: none is wanted. The default one, OUT/drive, replaces an earlier one.

    Raises:
        DemoError: a bag that was named exists, or `rosbags` is missing.
    """
    if wanted is None:
        return None
    try:
        needs("rosbags")
    except RisError as error:
        raise DemoError(str(error)) from error
    if not wanted:
        remove(out, DRIVE, by=VERB)
        return out / DRIVE
    if Path(wanted).exists():
        raise DemoError(f"--record {wanted}: it exists already; choose another name, or remove it first")
    return Path(wanted)


@contextmanager
def truths(out: Path, record: Path | None) -> Iterator[TruthBag]:
    """Open the bag for the truth of frames; without effect when nothing is recorded."""
    bag = TruthBag(out) if record is not None else None
    try:
        yield bag or TruthBag(None)
    finally:
        if bag is not None:
            bag.close()


class TruthBag:
    """Takes the truth of one frame after another, into a bag in the folder `out` (None: nowhere)."""

    def __init__(self, out: Path | None) -> None:
        self._bag: BagWriter | None = None
        if out is None:
            return
        sign(out / HALVES, by=VERB)
        self._bag = BagWriter(out / TRUTH, compression="storage")
        for name in (MASK, REGION_MASK):
            self._bag.add_topic(name, "sensor_msgs/Image", RELIABLE_5)

    def add(self, stamp_ns: int, truth: FrameTruth, shape: tuple[int, int]) -> None:
        """Keep a frame's truth as mono8 images of shape (rows, columns): 255 on what is meant, and where to go."""
        if self._bag is None:
            return
        nothing = np.zeros(shape, np.bool_)
        masks = {MASK: truth.mask, REGION_MASK: truth.region.mask if truth.region is not None else None}
        for name, mask in masks.items():
            pixels = (nothing if mask is None else mask) * np.uint8(255)
            self._bag.write(name, stamp_ns, stamped(image_message(pixels, "mono8"), stamp_ns))

    def close(self) -> None:
        """Finish the bag."""
        if self._bag is not None:
            self._bag.close()


def write_drive(out: Path, target: Path, mount: Transform | None) -> int:
    """Join the recorded run and the truth, in the order of time, into the bag `target`; returns how many messages.

    Args:
        out: the demo's folder, where both lie.
        target: the bag to make.
        mount: the camera in base_link, which goes into /tf_static; None: not known.

    Raises:
        DemoError: nothing was recorded, or it cannot be written.
    """
    bags: list[Bag] = []
    try:
        bags = [open_bag(out / name) for name in (LIVE, TRUTH) if (out / name).is_dir()]
        with BagWriter(target, compression="storage") as joined:
            sign(target, by=VERB)
            for bag in bags:
                for topic in bag.topics:
                    joined.add_topic(topic.name, topic.type, topic.qos)
            _write_mount(joined, bags, mount)
            for message in heapq.merge(*(bag.messages() for bag in bags), key=lambda message: message.log_ns):
                joined.write(message.topic, message.log_ns, message.data)
            return joined.count
    except (RisError, OSError) as error:
        raise DemoError(f"cannot write the drive as a bag, {target}: {error}") from error
    finally:
        for bag in bags:
            bag.close()
        clear(out)


def _write_mount(joined: BagWriter, bags: list[Bag], mount: Transform | None) -> None:
    first = min((message.log_ns for bag in bags for message in islice(bag.messages(), 1)), default=None)
    if mount is not None and first is not None and "/tf_static" not in joined:
        joined.add_topic("/tf_static", "tf2_msgs/TFMessage", LATCHED)
        joined.write("/tf_static", first, tf_message(BASE_FRAME, CAMERA_FRAME, mount, first))
