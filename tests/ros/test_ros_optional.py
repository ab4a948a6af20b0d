# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Optional packages: what is said where they are missing, and TF with its buffer played by a small stand-in."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("rclpy")
pytest.importorskip("ris_msgs")
pytestmark = pytest.mark.ros

from geometry_msgs.msg import TransformStamped  # noqa: E402
from sensor_msgs.msg import CameraInfo  # noqa: E402

from ris_node.config import RegionConfig  # noqa: E402
from ris_node.geometry import Transform, camera_mount  # noqa: E402
from ris_node.ros.convert import bridge, foxglove, vision  # noqa: E402
from ris_node.ros.node import tf  # noqa: E402
from ris_node.sensing.camera import CameraContext  # noqa: E402

STAMP_NS = 7_000_000_000


def test_what_is_missing_is_named_with_what_it_costs():
    for part, name in ((bridge, "cv_bridge"), (tf, "tf2_ros"), (vision, "vision_msgs"), (foxglove, "foxglove_msgs")):
        assert part.MISSING == "" or (part.MISSING.startswith(name) and ":" in part.MISSING)


class Buffer:
    """What tf2_ros' buffer does, for one transform at one stamp: fails for any other, and asserts the stamp's use."""

    def __init__(self, mount: Transform) -> None:
        self.mount, self.cleared = mount, False

    def lookup_transform(self, target: str, source: str, moment) -> TransformStamped:
        if (target, source) != ("map", "camera") or moment.nanoseconds != STAMP_NS:
            raise LookupError(f"extrapolation or unknown frame {source}")
        found = TransformStamped()
        found.transform.translation.x, found.transform.translation.y, found.transform.translation.z = (
            float(v) for v in self.mount.translation
        )
        w = np.sqrt(1.0 + np.trace(self.mount.rotation)) / 2.0
        r = self.mount.rotation
        found.transform.rotation.w = float(w)
        found.transform.rotation.x = float((r[2, 1] - r[1, 2]) / (4 * w))
        found.transform.rotation.y = float((r[0, 2] - r[2, 0]) / (4 * w))
        found.transform.rotation.z = float((r[1, 0] - r[0, 1]) / (4 * w))
        return found

    def all_frames_as_yaml(self) -> str:
        return "camera: \n  parent: 'base_link'\n"

    def clear(self) -> None:
        self.cleared = True


@pytest.fixture
def listener(monkeypatch) -> tf.TfListener:
    class Module:
        Buffer = staticmethod(lambda: Buffer(camera_mount(1.0, 2.0, 3.0, 4.0, 5.0, 6.0)))

        class TransformListener:
            def __init__(self, buffer, node, *, spin_thread) -> None:
                assert not spin_thread

            def unregister(self) -> None: ...

    monkeypatch.setattr(tf, "tf2_ros", Module)
    found = tf.open_listener(object())
    assert found is not None
    return found


def context(listener: tf.TfListener | None, *, given: bool, **config: object) -> CameraContext:
    camera = CameraContext(lambda: RegionConfig(**config), listener, pose_given=lambda: given, rectified=False)
    camera.on_camera_info(CameraInfo(width=64, height=48, k=[50.0, 0.0, 32.0, 0.0, 50.0, 24.0, 0.0, 0.0, 1.0]))
    return camera


IMAGE = np.zeros((48, 64, 3), np.uint8)


def see(camera: CameraContext, frame_id: str, stamp_ns: int):
    return camera.frame(IMAGE, stamp_ns, frame_id, region=True)


def test_tf_is_asked_for_the_images_stamp(listener: tf.TfListener):
    frame = see(context(listener, given=False, target_frame="map"), "camera", STAMP_NS)
    mount = camera_mount(1.0, 2.0, 3.0, 4.0, 5.0, 6.0)
    assert np.allclose(frame.camera_in_target.rotation, mount.rotation)
    assert np.allclose(frame.camera_in_target.translation, mount.translation)
    assert frame.target_frame == "map" and not frame.pose_problem


@pytest.mark.parametrize("stamp_ns", [STAMP_NS + 1, 0])
def test_another_stamp_is_no_pose_and_never_the_latest(listener: tf.TfListener, stamp_ns: int):
    frame = see(context(listener, given=True, target_frame="map"), "camera", stamp_ns)
    assert frame.camera_in_target is None and "stamp" in frame.pose_problem


def test_parameters_stand_in_only_where_tf_does_not_know_the_frame_and_they_were_given(listener: tf.TfListener):
    assert not see(context(listener, given=True), "another", STAMP_NS).pose_problem
    assert see(context(listener, given=False), "another", STAMP_NS).pose_problem
    assert see(context(listener, given=True), "camera", STAMP_NS + 1).pose_problem
    assert see(context(listener, given=True, target_frame="map"), "another", STAMP_NS).pose_problem
    assert not see(context(None, given=False), "camera", STAMP_NS).pose_problem


def test_a_jump_in_time_clears_transforms(listener: tf.TfListener):
    context(listener, given=False).clear()
    assert listener._buffer.cleared


def test_object_queries_ask_for_no_camera(listener: tf.TfListener):
    frame = context(listener, given=False).frame(IMAGE, 0, "nobody", region=False)
    assert frame.camera is None and not frame.pose_problem
