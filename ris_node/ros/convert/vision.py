# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The one file that imports vision_msgs: instances as detections, and the names of the label mask's ids."""

from __future__ import annotations

from typing import Any

from ris_node.interface import LABELS
from ris_node.messages.types import HeaderMsg
from ris_node.pipeline.grounding import Grounding
from ris_node.types import Instance

try:
    from vision_msgs import msg as vision_msgs

    MISSING = ""
except ImportError:
    vision_msgs = None
    MISSING = "vision_msgs: no ~/detections and ~/label_info"


def detections(grounding: Grounding, header: HeaderMsg) -> Any:
    """Return a `vision_msgs/Detection2DArray` of the instances, under the frame's header."""
    return vision_msgs.Detection2DArray(
        header=header, detections=[_detection(instance, header) for instance in grounding.instances]
    )


def label_info() -> Any:
    """Return a `vision_msgs/LabelInfo` that names the ids in `~/label_mask`."""
    info = vision_msgs.LabelInfo(threshold=0.0)
    info.header.frame_id = ""
    info.class_map = [vision_msgs.VisionClass(class_id=number, class_name=name) for number, name in LABELS.items()]
    return info


def _detection(instance: Instance, header: HeaderMsg) -> Any:
    detection = vision_msgs.Detection2D(header=header, id=str(instance.instance_id))
    x, y, width, height = instance.box
    # the message gives the box's centre; pixel centres are whole numbers
    detection.bbox.center.position.x = x + (width - 1) / 2.0
    detection.bbox.center.position.y = y + (height - 1) / 2.0
    detection.bbox.size_x, detection.bbox.size_y = float(width), float(height)
    guess = vision_msgs.ObjectHypothesisWithPose()
    guess.hypothesis.class_id = instance.label
    guess.hypothesis.score = float(instance.score)
    detection.results = [guess]
    return detection
