# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Masks and pictures of an answer on their topics; what nobody listens to is not computed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ris_node.config import OutputConfig
from ris_node.messages.common import image_to_msg, jpeg_to_msg
from ris_node.pipeline.grounding import Grounding, binary, instance_mask, label_mask
from ris_node.pipeline.overlay import draw_overlay
from ris_node.ros.convert import foxglove, vision
from ris_node.ros.convert.make import make
from ris_node.ros.outputs.publishers import Publishers
from ris_node.types import U8

Message = Any


_MASKS: tuple[tuple[str, str, Callable[[Grounding], Any]], ...] = (
    ("~/label_mask", "mono8", label_mask),
    ("~/instance_mask", "16UC1", instance_mask),
    ("~/mask", "mono8", lambda grounding: binary(grounding.mask)),
    ("~/confidence", "mono8", lambda grounding: grounding.confidence),
    ("~/region_mask", "mono8", lambda grounding: binary(grounding.region_mask)),
)
_PICTURES = ("~/overlay", "~/overlay/compressed")


class ImageOutputs:
    """Publishes masks, overlays and the optional forms of the instances under the frame's own header."""

    def __init__(self, publishers: Publishers, config: Callable[[], OutputConfig]) -> None:
        self._publishers = publishers
        self._config = config
        if publishers.has("~/label_info"):
            publishers.publish("~/label_info", vision.label_info())

    def need_picture(self) -> bool:
        """Whether somebody listens to an overlay, so that frames without a query are decoded too."""
        return any(self._publishers.wanted(name) for name in _PICTURES)

    def publish(self, grounding: Grounding, image: U8 | None, header: Message) -> None:
        """Send what is listened to; `image` rgb u8[H,W,3] is None where the frame was not decoded."""
        publishers = self._publishers
        for name, encoding, pixels in _MASKS:
            if publishers.wanted(name):
                publishers.publish(name, image_to_msg(make, pixels(grounding), encoding, header))
        if publishers.wanted("~/detections"):
            publishers.publish("~/detections", vision.detections(grounding, header))
        if publishers.wanted("~/annotations"):
            publishers.publish("~/annotations", foxglove.image_annotations(grounding, header))
        if image is not None and self.need_picture():
            self._publish_pictures(grounding, image, header)

    def _publish_pictures(self, grounding: Grounding, image: U8, header: Message) -> None:
        picture = draw_overlay(image, grounding, alpha=self._config().overlay_alpha)
        if self._publishers.wanted("~/overlay"):
            self._publishers.publish("~/overlay", image_to_msg(make, picture, "rgb8", header))
        if self._publishers.wanted("~/overlay/compressed"):
            self._publishers.publish("~/overlay/compressed", jpeg_to_msg(make, picture, header))
