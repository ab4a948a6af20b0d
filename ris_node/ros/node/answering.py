# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The worker's part of one frame: answer it and publish. Exactly one result leaves for every processed frame."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from ris_node.config import NodeConfig
from ris_node.messages.grounding import grounding_to_msg
from ris_node.pipeline.grounder import Grounder
from ris_node.pipeline.grounding import Grounding
from ris_node.pipeline.stream_answerer import StreamAnswer, StreamAnswerer, StreamFrame
from ris_node.ros.convert.bridge import decode
from ris_node.ros.convert.make import make
from ris_node.ros.logs import NodeLogger
from ris_node.ros.outputs.diagnostics import Meter
from ris_node.ros.outputs.images import ImageOutputs
from ris_node.ros.outputs.publishers import Publishers
from ris_node.ros.outputs.targets import TargetOutputs
from ris_node.sensing.camera import CameraContext
from ris_node.sensing.images import ASSUMED
from ris_node.sensing.queries import ActiveQuery
from ris_node.stamps import stamp_to_ns
from ris_node.types import RegionTarget

Message = Any
_MS = 1e-6  # nanoseconds to milliseconds
Listener = Callable[[Grounding, Message, "RegionTarget | None"], None]


@dataclass(frozen=True)
class ImageJob:
    """An image as it came, with the query in force at that moment."""

    msg: Message  # sensor_msgs/Image or CompressedImage
    query: ActiveQuery | None


@dataclass(frozen=True)
class AnswerContext:
    """The parts of the node that answering a frame takes."""

    grounder: Callable[[], Grounder | None]
    config: Callable[[], NodeConfig]
    camera: CameraContext
    publishers: Publishers
    targets: TargetOutputs
    images: ImageOutputs
    meter: Meter
    now_ns: Callable[[], int]
    active: Callable[[], ActiveQuery | None]
    log: NodeLogger


class FrameAnswerer:
    """Answers frames on the worker's thread.

    `listener` (an action goal's) is given every answer with its message; it may be None.
    """

    def __init__(self, context: AnswerContext) -> None:
        self._context = context
        self._index = 0
        self._publish_ms = 0.0
        self._stream = StreamAnswerer(context.grounder, context.images.need_picture)
        self.listener: Listener | None = None

    def restart(self) -> None:
        """Count frames from 0 again (activation)."""
        self._index = 0
        self._stream.restart()

    def process(self, job: ImageJob, dropped: int) -> bool:
        """Answer one frame; False when it is too old to be answered."""
        begin, context = time.perf_counter(), self._context
        stamp_ns = stamp_to_ns(job.msg.header.stamp)
        age_ms = self._age_ms(stamp_ns)
        limit_s = context.config().input.max_frame_age_s
        if limit_s > 0.0 and age_ms > limit_s * 1e3:  # never true for NaN, an unknown age
            context.meter.too_old(age_ms)
            return False
        frame = self._frame(job, stamp_ns)
        answer = self._stream.answer(frame)
        if answer.error is not None:
            self._complain(answer.grounding.message)
        answered = time.perf_counter()
        self._publish(job, frame, answer, (begin, answered, age_ms, dropped))
        self._publish_ms = (time.perf_counter() - answered) * 1e3
        context.meter.publish_ms(self._publish_ms)
        return True

    def _frame(self, job: ImageJob, stamp_ns: int) -> StreamFrame:
        msg, query, camera = job.msg, job.query, self._context.camera
        if (encoding := getattr(msg, "encoding", "")) in ASSUMED:
            self._context.log.warning(f"images of encoding {encoding} are taken as {ASSUMED[encoding]}", every=math.inf)
        return StreamFrame(
            query=query,
            stamp_ns=stamp_ns,
            frame_id=msg.header.frame_id,
            size=lambda: (int(getattr(msg, "height", 0)), int(getattr(msg, "width", 0))),
            decode=lambda: decode(msg),
            place=lambda image: camera.frame(
                image, stamp_ns, msg.header.frame_id, region=query is not None and query.wants_region
            ),
        )

    def _publish(
        self,
        job: ImageJob,
        frame: StreamFrame,
        answer: StreamAnswer,
        moments: tuple[float, float, float, int],
    ) -> None:
        context, grounding, (begin, answered, age_ms, dropped) = self._context, answer.grounding, moments
        image = answer.image if answer.error is None else None
        total_ms = (answered - begin) * 1e3
        timing = replace(
            grounding.timing,
            age_at_start=age_ms,
            publish=self._publish_ms,
            total=total_ms,
            end_to_end=self._age_ms(grounding.stamp_ns),
        )
        grounding, msg = self._send_result(job, frame, replace(grounding, timing=timing), dropped)
        target = self._answer_target(job, grounding)
        with self._surviving("masks and pictures"):
            if grounding.width and grounding.height:
                context.images.publish(grounding, image, job.msg.header)
        context.meter.answered(grounding)
        listener = self.listener
        with self._surviving("the goal"):
            if listener is not None and msg is not None:
                listener(grounding, msg, target)

    def _send_result(
        self, job: ImageJob, frame: StreamFrame, grounding: Grounding, dropped: int
    ) -> tuple[Grounding, Message | None]:
        """Publish the result, or an ERROR where it cannot be; what was said, and its message if somebody listens."""
        index, self._index = self._index, self._index + 1
        if self.listener is None and not self._context.publishers.wanted("~/result"):
            return grounding, None

        def send(grounding: Grounding) -> Message:
            msg = grounding_to_msg(make, grounding, job.msg.header)
            msg.frame_index, msg.dropped_since_last = index, dropped
            self._context.publishers.publish("~/result", msg)
            return msg

        try:
            return grounding, send(grounding)
        except Exception as error:
            failed = replace(self._stream.failed(frame, error), timing=grounding.timing)
            self._complain(failed.message)
            return failed, send(failed)

    def _answer_target(self, job: ImageJob, grounding: Grounding) -> RegionTarget | None:
        context = self._context
        if job.query is None or not job.query.wants_region:
            return None
        try:
            return context.targets.answer(grounding, lambda: context.active() is job.query)
        except Exception as error:
            self._complain(f"the target of a frame failed, {type(error).__name__}: {error}")
            context.targets.withdraw("the target could not be published")
            return None

    @contextmanager
    def _surviving(self, what: str) -> Iterator[None]:
        """Log and count what fails once the result has left; the rest of the frame's outputs go on."""
        try:
            yield
        except Exception as error:
            self._complain(f"{what} of a frame failed, {type(error).__name__}: {error}")

    def _complain(self, message: str) -> None:
        self._context.log.warning(message, every=5.0, key="frame")
        self._context.meter.failed(message)

    def _age_ms(self, stamp_ns: int) -> float:
        """Milliseconds since the stamp by the node's clock; NaN where either is not known."""
        now_ns = self._context.now_ns()
        return (now_ns - stamp_ns) * _MS if now_ns and stamp_ns else float("nan")
