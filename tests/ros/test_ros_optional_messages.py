# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The messages of optional packages, where those are installed; not marked `ros`, because a skip is right elsewhere."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("rclpy")

from std_msgs.msg import Header

from ris_node.interface import LABELS
from ris_node.messages.common import stamp_to_msg
from ris_node.pipeline.grounding import Grounding
from ris_node.ros.convert import foxglove, vision
from ris_node.ros.convert.make import make
from ris_node.types import Instance, Query, Status

STAMP_NS = 7_000_000_000


@pytest.fixture
def grounding() -> Grounding:
    outline = np.array([[10, 20], [40, 20], [40, 60]], np.float32)
    car = Instance(
        instance_id=1,
        label="car",
        score=0.75,
        box=(10, 20, 31, 41),
        centroid=(25.0, 40.0),
        area_fraction=0.1,
        outline=outline,
    )
    return Grounding(Query("the car", id="q"), Status.PRESENT, 0.9, (car,), 64, 64)


@pytest.mark.skipif(bool(vision.MISSING), reason="vision_msgs is not installed (it is not on PyPI)")
def test_detections_and_label_info(grounding: Grounding):
    header = Header(stamp=stamp_to_msg(make, STAMP_NS), frame_id="camera")
    array = vision.detections(grounding, header)
    assert array.header == header and len(array.detections) == 1
    detection = array.detections[0]
    assert (detection.bbox.center.position.x, detection.bbox.center.position.y) == (25.0, 40.0)
    assert (detection.bbox.size_x, detection.bbox.size_y) == (31.0, 41.0) and detection.id == "1"
    assert detection.results[0].hypothesis.class_id == "car"
    assert detection.results[0].hypothesis.score == pytest.approx(0.75)
    assert {c.class_id: c.class_name for c in vision.label_info().class_map} == LABELS


@pytest.mark.skipif(bool(foxglove.MISSING), reason="foxglove_msgs is not installed (it is not on PyPI)")
def test_annotations(grounding: Grounding):
    annotations = foxglove.image_annotations(grounding, Header(stamp=stamp_to_msg(make, STAMP_NS)))
    assert annotations.points[0].type == annotations.points[0].LINE_LOOP
    assert [(p.x, p.y) for p in annotations.points[0].points] == [(10.0, 20.0), (40.0, 20.0), (40.0, 60.0)]
    assert annotations.texts[0].text == "car 0.75" and annotations.texts[0].timestamp == stamp_to_msg(make, STAMP_NS)
