# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""A bag as frames in order: each with its query, camera, depth and pose, as the node would have had them.

`Prefetch` makes them ahead in a thread of its own.
"""

from __future__ import annotations

import queue
import struct
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Generic, TypeVar

import numpy as np

from ris_node.bags.cdr import CdrReader, Header
from ris_node.bags.message import Message
from ris_node.bags.reader import Bag
from ris_node.bags.topics import Chosen, first_readable
from ris_node.config import NodeConfig, RegionConfig
from ris_node.errors import BagError, GeometryError
from ris_node.geometry.tf_tree import Pose, TfTree
from ris_node.geometry.transform import Transform
from ris_node.replay.commands import Commander
from ris_node.replay.options import ReplayOptions
from ris_node.sensing.camera import CameraContext, TfUnavailableError, is_rectified
from ris_node.sensing.queries import ActiveQuery
from ris_node.sensing.stream import RateGate, Take
from ris_node.stamps import stamp_to_ns
from ris_node.types import Frame

LOOK_AHEAD_NS = 200_000_000  # depth and transforms may be recorded this long after their image
_MOST_WAITING = 8  # frames held back for that
_DEPTHS_KEPT = 32
_NOTHING = np.zeros((1, 1, 3), np.uint8)  # stands for the image until a worker decodes it


@dataclass(frozen=True, kw_only=True)
class FrameJob:
    """One frame to answer. `index` counts answered frames, `source_index` all of the topic; `jump`: time went back."""

    index: int
    source_index: int
    message: Message
    stamp_ns: int
    frame_id: str
    query: ActiveQuery | None
    frame: Frame
    jump: bool = False


class RecordedTf:
    """Recorded transforms as the camera context asks for them."""

    def __init__(self, tree: TfTree) -> None:
        self.tree = tree

    def lookup(self, target_frame: str, source_frame: str, stamp_ns: int) -> Transform:
        """See `TransformSource.lookup`."""
        try:
            return self.tree.lookup(target_frame, source_frame, stamp_ns)
        except GeometryError as error:
            raise TfUnavailableError(str(error), self.tree.knows(source_frame)) from error

    def clear(self) -> None:
        """Do nothing: times that go back show in the transforms themselves."""


class FrameReader:
    """Reads a bag once from its beginning. For one thread.

    `seen` counts the images of the topic so far, `late` those whose stamps went back, `equal` those that repeated one.
    """

    def __init__(self, bag: Bag, chosen: Chosen, options: ReplayOptions) -> None:
        """Read what is needed before the first frame: static transforms and the first calibration."""
        self._bag, self._chosen, self._options = bag, chosen, options
        self._config: NodeConfig = options.config
        self.commander = Commander(options.commands, self._config.query)
        self._tree = TfTree()
        has_tf = bool(chosen.tf or chosen.tf_static)
        self._camera = CameraContext(
            lambda: self._config.region,
            RecordedTf(self._tree) if has_tf else None,
            pose_given=lambda: pose_given(self._config.region),
            rectified=is_rectified(chosen.image.name),
            depths_kept=_DEPTHS_KEPT,
        )
        self._gate, self._rate_hz = RateGate(), options.rate_hz or self._config.input.max_rate_hz
        self._patient = bool(chosen.tf or chosen.depth)
        self._last_ns: int | None = None
        self._index = 0
        self.seen = self.late = self.equal = 0
        self.notes: list[str] = []
        for message in bag.messages(chosen.tf_static) if chosen.tf_static else ():
            self._take(message)
        info = first_readable(bag, chosen.camera_info) if chosen.camera_info else None
        if info is not None:
            self._camera.on_camera_info(info)

    def jobs(self) -> Iterator[FrameJob]:
        """Yield the frames to answer, in the bag's order; each waits until what belongs to it has been read."""
        waiting: deque[tuple[Message, int, ActiveQuery | None, bool]] = deque()
        most = self._options.max_frames
        for message in self._bag.messages((self._chosen.image.name, *self._chosen.context)):
            while waiting and (message.log_ns - waiting[0][0].log_ns > LOOK_AHEAD_NS or len(waiting) > _MOST_WAITING):
                yield self._job(*waiting.popleft())
            if message.topic != self._chosen.image.name:
                self._take(message)
                continue
            try:
                take = self._picked(message)
            except BagError as error:  # without its header there is nothing to answer
                self._bag.leave_out(message, error)
                continue
            if take is Take.NO:
                continue
            if take is Take.JUMP:
                while waiting:
                    yield self._job(*waiting.popleft())
                self.commander.time_jumped()
            query = self.commander.at(message.log_ns)
            waiting.append((message, self.seen - 1, query, take is Take.JUMP))
            if not self._patient:
                yield self._job(*waiting.popleft())
            if most and self._index + len(waiting) >= most:
                break
        while waiting:
            yield self._job(*waiting.popleft())
        self.notes += self.commander.notes

    def _picked(self, message: Message) -> Take:
        """Whether an image is to be answered: every n-th, or at a rate by stamp."""
        self.seen += 1
        stamp_ns = header_of(message).stamp_ns
        if self._last_ns is not None:
            self.late += stamp_ns < self._last_ns
            self.equal += stamp_ns == self._last_ns
        self._last_ns = stamp_ns
        take = self._gate.take(stamp_ns, message.log_ns / 1e9, self._rate_hz)
        if (self.seen - 1) % self._options.every and take is not Take.JUMP:
            return Take.NO
        return take

    def _job(self, message: Message, source_index: int, query: ActiveQuery | None, jump: bool) -> FrameJob:
        header = header_of(message)
        region = query is not None and query.wants_region
        frame = self._camera.frame(_NOTHING, header.stamp_ns, header.frame_id, region=region)
        if self._camera.note and self._camera.note not in self.notes:
            self.notes.append(self._camera.note)
        job = FrameJob(
            index=self._index, source_index=source_index, message=message, stamp_ns=header.stamp_ns,
            frame_id=header.frame_id, query=query, frame=frame, jump=jump,
        )  # fmt: skip
        self._index += 1
        return job

    def _take(self, message: Message) -> None:
        """Take a calibration, depth, a command or transforms."""
        chosen = self._chosen
        try:
            if message.topic == chosen.camera_info:
                self._camera.on_camera_info(self._bag.deserialize(message))
            elif message.topic == chosen.depth:
                self._camera.on_depth(self._bag.deserialize(message))
            elif message.topic == chosen.command:
                self.commander.recorded(self._bag.deserialize(message), message.log_ns)
            else:
                self._take_tf(message, static=message.topic in chosen.tf_static)
        except BagError as error:  # one message that cannot be read is not worth a drive
            self._bag.leave_out(message, error)

    def _take_tf(self, message: Message, *, static: bool) -> None:
        for link in self._bag.deserialize(message).transforms:
            t, r = link.transform.translation, link.transform.rotation
            try:
                pose = Pose.of((t.x, t.y, t.z), (r.x, r.y, r.z, r.w))
            except GeometryError as error:
                self.notes.append(f"TF '{link.header.frame_id}' to '{link.child_frame_id}': {error}")
                continue
            stamp_ns = stamp_to_ns(link.header.stamp)
            self._tree.add(link.header.frame_id, link.child_frame_id, stamp_ns, pose, static=static)


def header_of(message: Message) -> Header:
    """Return the header at the beginning of a recorded message.

    Raises:
        BagError: the message does not begin with one.
    """
    try:
        return CdrReader(message.data).header()
    except (ValueError, struct.error) as error:
        raise BagError(
            f"the message of {len(message.data)} bytes received at {message.log_ns / 1e9:.6f} s has no header"
        ) from error


def pose_given(config: RegionConfig) -> bool:
    """Whether someone set the camera's pose by hand, so that it may stand in for a frame that TF does not know."""
    specs = {spec.name: spec.default for spec in RegionConfig.specs() if spec.name.startswith("camera_")}
    return any(getattr(config, name) != default for name, default in specs.items())


def film_rate(bag: Bag, chosen: Chosen, options: ReplayOptions, looked_at: int = 20) -> float:
    """Return frames a second of the overlay video: the median step of the first images, thinned as the replay is."""
    stamps: list[int] = []
    messages: Any = bag.messages([chosen.image.name])
    for message in messages:
        with suppress(BagError):
            stamps.append(header_of(message).stamp_ns)
        if len(stamps) >= looked_at:
            break
    messages.close()
    steps = np.diff(np.array(stamps, np.int64))
    steps = steps[steps > 0]
    rate = 1e9 / float(np.median(steps)) if steps.size else 10.0
    if options.rate_hz:
        rate = min(rate, options.rate_hz)
    return float(min(max(rate / options.every, 1.0), 120.0))


Item = TypeVar("Item")
_POLL_S = 0.05


class _End:
    def __init__(self, error: BaseException | None) -> None:
        self.error = error


class Prefetch(Generic[Item]):
    """Iterates over `items`, which are made in another thread; leaving the `with` ends that thread."""

    def __init__(self, items: Iterator[Item], ahead: int) -> None:
        self._items = items
        self._queue: queue.Queue[Item | _End] = queue.Queue(max(1, ahead))
        self._left = threading.Event()
        self._thread = threading.Thread(target=self._run, name="read", daemon=True)

    def __enter__(self) -> Prefetch[Item]:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._left.set()
        self._thread.join()

    def __iter__(self) -> Iterator[Item]:
        while True:
            item = self._queue.get()
            if isinstance(item, _End):
                if item.error is not None:
                    raise item.error
                return
            yield item

    def _run(self) -> None:
        end = _End(None)
        try:
            for item in self._items:
                if not self._put(item):
                    return
        except BaseException as error:  # handed over to whoever iterates
            end = _End(error)
        self._put(end)

    def _put(self, item: Item | _End) -> bool:
        while not self._left.is_set():
            try:
                self._queue.put(item, timeout=_POLL_S)
                return True
            except queue.Full:
                continue
        return False
