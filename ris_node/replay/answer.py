# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""A worker's part of one frame: decode, ground, and everything that does not depend on the frames before."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from ris_node.bags.reader import Bag
from ris_node.bags.topics import RAW
from ris_node.bags.typestore import encoded, make
from ris_node.messages.common import header_to_msg, image_to_msg, jpeg_to_msg
from ris_node.messages.grounding import grounding_to_msg
from ris_node.messages.target import polygon_stamped, pose_stamped, target_to_msg
from ris_node.pipeline.grounder import Grounder
from ris_node.pipeline.grounding import Grounding, label_mask
from ris_node.pipeline.overlay import draw_overlay
from ris_node.pipeline.stream_answerer import StreamAnswerer, StreamFrame
from ris_node.replay.frames import FrameJob
from ris_node.replay.options import ReplayOptions
from ris_node.replay.rows import answer_row
from ris_node.sensing.images import decode_compressed, decode_image
from ris_node.targets.hold import TargetStep
from ris_node.types import U8

NODE = "/grounding_node"


@dataclass(frozen=True)
class Answered:
    """An answered frame; `messages` are (topic, CDR bytes) for the result bag, `picture` the overlay where wanted."""

    job: FrameJob
    grounding: Grounding
    row: dict[str, Any]
    messages: tuple[tuple[str, bytes], ...] = ()
    picture: U8 | None = None

    @property
    def wants_region(self) -> bool:
        """Whether the frame's query asks for a place to go to."""
        return self.job.query is not None and self.job.query.wants_region


class Answerer:
    """Answers frames; `answer` may run in several threads at once where the model allows it."""

    def __init__(self, bag: Bag, grounder: Grounder, options: ReplayOptions) -> None:
        self._bag, self._grounder, self._options = bag, grounder, options
        self._want_picture = options.video or (options.bag and options.overlays)
        self._stream = StreamAnswerer(lambda: grounder, lambda: self._want_picture)

    def answer(self, job: FrameJob) -> Answered:
        """Decode and ground one frame; an error becomes an answer with status ERROR."""
        begin = time.perf_counter()
        if job.jump:
            self._grounder.reset()
        answer = self._stream.answer(self._frame(job))
        total_ms = (time.perf_counter() - begin) * 1e3
        grounding = replace(answer.grounding, timing=replace(answer.grounding.timing, total=total_ms))
        kind = job.query.command.kind.name.lower() if job.query is not None else ""
        manoeuvre = job.query.command.manoeuvre.name if job.query is not None else ""
        row = {
            **answer_row(grounding, kind, answer.decode_ms), "bag": self._bag.name, "frame": job.index,
            "manoeuvre": manoeuvre, "source_index": job.source_index, "log_ns": job.message.log_ns,
            "total_ms": total_ms,
        }  # fmt: skip
        picture = self._picture(grounding, answer.image)
        messages = tuple(self._messages(grounding, job, picture)) if self._options.bag else ()
        return Answered(job, grounding, row, messages, picture if self._options.video else None)

    def _frame(self, job: FrameJob) -> StreamFrame:
        @cache
        def message() -> Any:
            return self._bag.deserialize(job.message)

        def decode() -> U8:
            return decode_image(message()) if job.message.type == RAW else decode_compressed(message())

        return StreamFrame(
            query=job.query,
            stamp_ns=job.stamp_ns,
            frame_id=job.frame_id,
            size=lambda: (getattr(message(), "height", 0), getattr(message(), "width", 0)),
            decode=decode,
            place=lambda image: replace(job.frame, image=image),
        )

    def _picture(self, grounding: Grounding, image: U8 | None) -> U8 | None:
        if not self._want_picture or image is None:
            return None
        return draw_overlay(image, grounding, alpha=self._options.config.output.overlay_alpha)

    def _messages(self, grounding: Grounding, job: FrameJob, picture: U8 | None) -> list[tuple[str, bytes]]:
        header = header_to_msg(make, job.stamp_ns, job.frame_id)
        result = grounding_to_msg(make, grounding, header, job.index)
        found = [(f"{NODE}/result", encoded("ris_msgs/Grounding", result))]
        if grounding.width and grounding.height:
            masks = (("label_mask", label_mask(grounding), "mono8"), ("instance_mask", grounding.instance_map, "16UC1"))
            for name, pixels, encoding in masks:
                image = image_to_msg(make, pixels, encoding, header)
                found.append((f"{NODE}/{name}", encoded("sensor_msgs/Image", image)))
        if picture is not None and self._options.overlays:
            jpeg = jpeg_to_msg(make, picture, header)
            found.append((f"{NODE}/overlay/compressed", encoded("sensor_msgs/CompressedImage", jpeg)))
        return found


def target_messages(step: TargetStep) -> list[tuple[str, bytes]]:
    """Return the node's messages for a target: `~/region`, and when it is confirmed pose and polygon."""
    target, stamp_ns = step.target, step.stamp_ns
    region = target_to_msg(make, target, step.query_id, stamp_ns)
    found = [(f"{NODE}/region", encoded("ris_msgs/RegionTarget", region))]
    if step.confirmed:
        pose, polygon = pose_stamped(make, target, stamp_ns), polygon_stamped(make, target, stamp_ns)
        found.append((f"{NODE}/target_pose", encoded("geometry_msgs/PoseStamped", pose)))
        found.append((f"{NODE}/region_polygon", encoded("geometry_msgs/PolygonStamped", polygon)))
    return found
