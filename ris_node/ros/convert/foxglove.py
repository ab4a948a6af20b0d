# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The one file that imports foxglove_msgs: outlines and captions to lay over the camera's picture."""

from __future__ import annotations

from typing import Any

from ris_node.messages.types import HeaderMsg
from ris_node.pipeline.grounding import Grounding
from ris_node.types import Instance, Status

try:
    from foxglove_msgs import msg as foxglove_msgs

    MISSING = ""
except ImportError:
    foxglove_msgs = None
    MISSING = "foxglove_msgs: no ~/annotations"

_GREEN = (0.1, 0.9, 0.3, 1.0)
_AMBER = (1.0, 0.7, 0.0, 1.0)


def image_annotations(grounding: Grounding, header: HeaderMsg) -> Any:
    """Return a `foxglove_msgs/ImageAnnotations` of the instances; amber where the answer is not PRESENT."""
    rgba = _GREEN if grounding.status is Status.PRESENT else _AMBER
    return foxglove_msgs.ImageAnnotations(
        points=[_outline(instance, header, rgba) for instance in grounding.instances],
        texts=[_caption(instance, header, rgba) for instance in grounding.instances],
    )


def _outline(instance: Instance, header: HeaderMsg, rgba: tuple[float, float, float, float]) -> Any:
    points = foxglove_msgs.PointsAnnotation(timestamp=header.stamp, type=foxglove_msgs.PointsAnnotation.LINE_LOOP)
    points.points = [foxglove_msgs.Point2(x=x, y=y) for x, y in instance.outline.tolist()]
    points.outline_color = _color(rgba)
    points.thickness = 2.0
    return points


def _caption(instance: Instance, header: HeaderMsg, rgba: tuple[float, float, float, float]) -> Any:
    text = foxglove_msgs.TextAnnotation(timestamp=header.stamp, font_size=14.0)
    text.position = foxglove_msgs.Point2(x=float(instance.box[0]), y=float(instance.box[1]))
    text.text = f"{instance.label or 'referent'} {instance.score:.2f}"
    text.text_color = _color(rgba)
    return text


def _color(rgba: tuple[float, float, float, float]) -> Any:
    return foxglove_msgs.Color(r=rgba[0], g=rgba[1], b=rgba[2], a=rgba[3])
