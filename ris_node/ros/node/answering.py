# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The worker's work on one frame: decode, ground, publish. Exactly one result leaves for every processed frame."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from ris_node.config import NodeConfig
from ris_node.errors import RisError
from ris_node.messages.grounding import grounding_to_msg
from ris_node.pipeline.grounder import Grounder, PreparedQuery
from ris_node.pipeline.grounding import Grounding
from ris_node.ros.convert.bridge import decode_image
from ris_node.ros.convert.make import make
from ris_node.ros.logs import printable
from ris_node.ros.outputs.diagnostics import Meter
from ris_node.ros.outputs.images import ImageOutputs
from ris_node.ros.outputs.publishers import Publishers
from ris_node.ros.outputs.targets import TargetOutputs
from ris_node.sensing.camera import CameraContext
from ris_node.sensing.images import ASSUMED, decode_compressed
from ris_node.sensing.queries import ActiveQuery
from ris_node.stamps import stamp_to_ns
from ris_node.types import U8, Query, RegionTarget, Status

Message = Any
_MS = 1e-6  # nanoseconds to milliseconds
_NO_QUERY = "no query is active: publish on 'command' or 'query', or call ~/set_query"
Listener = Callable[[Grounding, Message, "RegionTarget | None"], None]


@dataclass(frozen=True)
class FrameJob:
    """A frame as it came, with the query in force at that moment."""

    msg: Message  # sensor_msgs/Image or CompressedImage
    query: ActiveQuery | None


@dataclass(frozen=True)
class Bench:
    """Everything the work needs; made anew by each configure."""

    grounder: Callable[[], Grounder | None]
    config: Callable[[], NodeConfig]
    camera: CameraContext
    publishers: Publishers
    targets: TargetOutputs
    images: ImageOutputs
    meter: Meter
    now_ns: Callable[[], int]
    active: Callable[[], ActiveQuery | None]
    log: Any


class Answerer:
    """Answers frames on the worker's thread.

    `listener` (an action goal's) is given every answer with its message; it may be None.
    """

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._index = 0
        self._publish_ms = 0.0
        self._features: tuple[tuple[Grounder, ActiveQuery], PreparedQuery] | None = None
        self.listener: Listener | None = None

    def restart(self) -> None:
        """Count frames from 0 again (activation)."""
        self._index, self._features = 0, None

    def process(self, job: FrameJob, dropped: int) -> bool:
        """Answer one frame; False when it is too old to be answered."""
        begin, bench = time.perf_counter(), self._bench
        stamp_ns = stamp_to_ns(job.msg.header.stamp)
        age_ms = self._age_ms(stamp_ns)
        limit_s = bench.config().input.max_frame_age_s
        if limit_s > 0.0 and age_ms > limit_s * 1e3:  # never true for NaN, an unknown age
            bench.meter.too_old(age_ms)
            return False
        try:
            grounding, image = self._ground(job)
        except Exception as error:
            grounding, image = self._failed(job, error), None
        answered = time.perf_counter()
        self._publish(job, grounding, image, (begin, answered, age_ms, dropped))
        self._publish_ms = (time.perf_counter() - answered) * 1e3
        bench.meter.publish_ms(self._publish_ms)
        return True

    def _ground(self, job: FrameJob) -> tuple[Grounding, U8 | None]:
        bench, grounder = self._bench, self._bench.grounder()
        wanted = job.query is not None or bench.images.need_picture()
        begin = time.perf_counter()
        image = _decode(job.msg) if wanted else None
        if (encoding := getattr(job.msg, "encoding", "")) in ASSUMED:
            bench.log.warning(f"images of encoding {encoding} are taken as {ASSUMED[encoding]}", every=math.inf)
        decode_ms = (time.perf_counter() - begin) * 1e3
        if job.query is None or grounder is None:
            return self._no_query(job, image), image
        assert image is not None
        prepared, text_ms = self._prepared(grounder, job.query)
        frame = bench.camera.see(image, job.msg.header, region=job.query.wants_region)
        found = grounder.ground(frame, prepared)
        timing = replace(found.timing, preprocess=found.timing.preprocess + decode_ms, text=text_ms)
        return replace(found, timing=timing), image

    def _prepared(self, grounder: Grounder, query: ActiveQuery) -> tuple[PreparedQuery, float]:
        """The query's features and the milliseconds they cost now; kept while query and model stay the same."""
        key = (grounder, query)
        if self._features is None or self._features[0] != key:
            self._features = (key, grounder.prepare(query.query))
            return self._features[1], self._features[1].text_ms
        return self._features[1], 0.0

    def _no_query(self, job: FrameJob, image: U8 | None) -> Grounding:
        height, width = image.shape[:2] if image is not None else _size(job.msg)
        return self._empty(job, Status.NO_QUERY, _NO_QUERY, height, width)

    def _failed(self, job: FrameJob, error: Exception) -> Grounding:
        known = isinstance(error, RisError)
        message = str(error) if known else f"internal error, {type(error).__name__}: {error}"
        self._complain(message)
        return self._empty(job, Status.ERROR, printable(message), *_size(job.msg))

    def _empty(self, job: FrameJob, status: Status, message: str, height: int, width: int) -> Grounding:
        grounder, header = self._bench.grounder(), job.msg.header
        return Grounding(
            query=job.query.query if job.query is not None else Query(""),
            status=status,
            presence=0.0,
            instances=(),
            width=width,
            height=height,
            stamp_ns=stamp_to_ns(header.stamp),
            frame_id=header.frame_id,
            model_id=grounder.model_id if grounder is not None else "",
            message=message,
        )

    def _publish(
        self,
        job: FrameJob,
        grounding: Grounding,
        image: U8 | None,
        moments: tuple[float, float, float, int],
    ) -> None:
        bench, (begin, answered, age_ms, dropped) = self._bench, moments
        total_ms = (answered - begin) * 1e3
        timing = replace(
            grounding.timing,
            age_at_start=age_ms,
            publish=self._publish_ms,
            total=total_ms,
            end_to_end=self._age_ms(grounding.stamp_ns),
        )
        grounding, msg = self._send_result(job, replace(grounding, timing=timing), dropped)
        target = self._answer_target(job, grounding)
        with self._surviving("masks and pictures"):
            if grounding.width and grounding.height:
                bench.images.publish(grounding, image, job.msg.header)
        bench.meter.answered(grounding)
        listener = self.listener
        with self._surviving("the goal"):
            if listener is not None and msg is not None:
                listener(grounding, msg, target)

    def _send_result(self, job: FrameJob, grounding: Grounding, dropped: int) -> tuple[Grounding, Message | None]:
        """Publish the result, or an ERROR where it cannot be; what was said, and its message if somebody listens."""
        index, self._index = self._index, self._index + 1
        if self.listener is None and not self._bench.publishers.wanted("~/result"):
            return grounding, None

        def send(grounding: Grounding) -> Message:
            msg = grounding_to_msg(make, grounding, job.msg.header)
            msg.frame_index, msg.dropped_since_last = index, dropped
            self._bench.publishers.publish("~/result", msg)
            return msg

        try:
            return grounding, send(grounding)
        except Exception as error:
            failed = replace(self._failed(job, error), timing=grounding.timing)
            return failed, send(failed)

    def _answer_target(self, job: FrameJob, grounding: Grounding) -> RegionTarget | None:
        bench = self._bench
        if job.query is None or not job.query.wants_region:
            return None
        try:
            return bench.targets.answer(grounding, lambda: bench.active() is job.query)
        except Exception as error:
            self._complain(f"the target of a frame failed, {type(error).__name__}: {error}")
            bench.targets.withdraw("the target could not be published")
            return None

    @contextmanager
    def _surviving(self, what: str) -> Iterator[None]:
        """Log and count what fails once the result has left; the rest of the frame's outputs go on."""
        try:
            yield
        except Exception as error:
            self._complain(f"{what} of a frame failed, {type(error).__name__}: {error}")

    def _complain(self, message: str) -> None:
        self._bench.log.warning(message, every=5.0, key="frame")
        self._bench.meter.failed(message)

    def _age_ms(self, stamp_ns: int) -> float:
        """Milliseconds since the stamp by the node's clock; NaN where either is not known."""
        now_ns = self._bench.now_ns()
        return (now_ns - stamp_ns) * _MS if now_ns and stamp_ns else float("nan")


def _decode(msg: Message) -> U8:
    return decode_image(msg) if hasattr(msg, "encoding") else decode_compressed(msg)


def _size(msg: Message) -> tuple[int, int]:
    """Height and width of a raw image; 0 x 0 for one that was not decoded."""
    return int(getattr(msg, "height", 0)), int(getattr(msg, "width", 0))
