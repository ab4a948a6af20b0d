# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The camera's state at a frame's stamp: intrinsics, depth of the same moment, pose in the target frame."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Protocol

import numpy as np

from ris_node.config import RegionConfig
from ris_node.errors import ImageError
from ris_node.geometry import Camera, Transform
from ris_node.messages.types import CameraInfoMsg, CompressedImageMsg, ImageMsg
from ris_node.sensing.depth import read_depth
from ris_node.stamps import stamp_to_ns
from ris_node.types import F32, U8, Frame

PAIR_NS = 50_000_000  # depth and colour within 50 ms belong together
_DEPTHS_KEPT = 5


class TfUnavailableError(Exception):
    """There is no transform at that stamp; `known` says whether the frame is in TF at all."""

    def __init__(self, message: str, known: bool) -> None:
        super().__init__(message)
        self.known = known


class TransformSource(Protocol):
    """Source of poses: tf2 in the node, a `TfTree` elsewhere."""

    def lookup(self, target_frame: str, source_frame: str, stamp_ns: int) -> Transform:
        """Return the source frame in the target frame at `stamp_ns`.

        Raises:
            TfUnavailableError: it is not known.
        """

    def clear(self) -> None:
        """Forget all transforms, because time has jumped back."""


class CameraContext:
    """Keeps camera_info and depth, and joins them to each frame. Thread-safe.

    Args:
        config: the current region parameters.
        tf: where poses come from, or None where tf2_ros is not installed or nothing was recorded.
        pose_given: whether someone set the `camera_*` parameters, so that they may stand in for an unknown frame.
        rectified: the image topic carries rectified images: the projection matrix P counts, not K and D.
        depths_kept: so many depth images are remembered; a reader that runs ahead needs more.
    """

    def __init__(
        self,
        config: Callable[[], RegionConfig],
        tf: TransformSource | None,
        *,
        pose_given: Callable[[], bool],
        rectified: bool = False,
        depths_kept: int = _DEPTHS_KEPT,
    ) -> None:
        self._config = config
        self._tf = tf
        self._pose_given = pose_given
        self.rectified = rectified
        self._lock = threading.Lock()
        self._camera: Camera | None = None
        self._depths: deque[tuple[int, ImageMsg | CompressedImageMsg]] = deque(maxlen=depths_kept)
        self.note = ""

    def on_camera_info(self, msg: CameraInfoMsg) -> None:
        """Take intrinsics; the object stays the same while they do."""
        camera = camera_from_info(msg, rectified=self.rectified)
        with self._lock:
            if self._camera is None or camera.key != self._camera.key:
                self._camera = camera

    def on_depth(self, msg: ImageMsg | CompressedImageMsg) -> None:
        """Take a depth image; it is decoded only when a frame needs it."""
        with self._lock:
            self._depths.append((stamp_to_ns(msg.header.stamp), msg))

    @property
    def camera(self) -> Camera | None:
        """Intrinsics received last."""
        return self._camera

    def clear(self) -> None:
        """Forget depth and transforms, because time has jumped back."""
        with self._lock:
            self._depths.clear()
        if self._tf is not None:
            self._tf.clear()

    def frame(self, image: U8, stamp_ns: int, frame_id: str, *, region: bool) -> Frame:
        """Return the frame of an image rgb u8[H,W,3], with camera, depth and pose where a region is wanted."""
        if not region:
            return Frame(image, stamp_ns, frame_id)
        config = self._config()
        pose, problem = self._pose(config, frame_id, stamp_ns)
        depth = self._depth(stamp_ns)
        return Frame(
            image,
            stamp_ns,
            frame_id,
            camera=self._camera,
            depth=depth,
            depth_problem=self.note if depth is None else "",
            camera_in_target=pose,
            target_frame=config.target_frame,
            pose_problem=problem,
        )

    def _pose(self, config: RegionConfig, frame_id: str, stamp_ns: int) -> tuple[Transform | None, str]:
        if self._tf is None:
            return None, ""  # the core uses the camera_* parameters
        try:
            return self._tf.lookup(config.target_frame, frame_id, stamp_ns), ""
        except TfUnavailableError as error:
            if not error.known and self._pose_given() and config.target_frame == config.base_frame:
                return None, ""
            return None, f"{error}; publish TF for the camera, or set the camera_* parameters where there is none"

    def _depth(self, stamp_ns: int) -> F32 | None:
        with self._lock:
            near = min(self._depths, key=lambda item: abs(item[0] - stamp_ns), default=None)
        self.note = ""
        if near is None or abs(near[0] - stamp_ns) > PAIR_NS:
            return None
        try:
            return read_depth(near[1])
        except ImageError as error:
            self.note = f"depth is ignored: {error}"
            return None


def camera_from_info(msg: CameraInfoMsg, *, rectified: bool = False) -> Camera:
    """Return the camera of a `sensor_msgs/CameraInfo`; of the rectified image where `rectified`. Nothing is checked.

    Binning divides and a region of interest shifts the matrix, as the message defines them.
    """
    matrix = np.array(msg.p if rectified else msg.k, np.float64).reshape(3, -1)[:, :3].copy()
    width, height = int(msg.width), int(msg.height)
    roi = msg.roi
    if roi.width and roi.height:
        matrix[0, 2] -= roi.x_offset
        matrix[1, 2] -= roi.y_offset
        width, height = int(roi.width), int(roi.height)
    across, down = max(int(msg.binning_x), 1), max(int(msg.binning_y), 1)
    matrix[0] /= across
    matrix[1] /= down
    return Camera(
        width // across,
        height // down,
        matrix,
        np.zeros(0) if rectified else np.array(msg.d, np.float64),
        msg.distortion_model or "plumb_bob",
    )


def is_rectified(topic: str) -> bool:
    """Whether an image topic's name says that its images are rectified (`.../image_rect`, `.../image_rect_color`)."""
    return any(part.startswith("image_rect") for part in topic.split("/"))
