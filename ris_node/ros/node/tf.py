# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The one file that knows tf2_ros: where the camera was at the image's stamp, asked without waiting."""

from __future__ import annotations

from typing import Any

import numpy as np
from rclpy.time import Time

from ris_node.errors import GeometryError
from ris_node.geometry import Transform
from ris_node.sensing.camera import TfUnavailableError

try:
    import tf2_ros

    MISSING = ""
except ImportError:
    tf2_ros = None
    MISSING = "tf2_ros: the camera's pose comes from the camera_* parameters"


class TfListener:
    """Listens to `/tf` and `/tf_static` on the node's own executor."""

    def __init__(self, node: Any) -> None:
        # without a node the buffer offers no service of its own and leaves jumps in time to us
        self._buffer = tf2_ros.Buffer()
        self._listener = tf2_ros.TransformListener(self._buffer, node, spin_thread=False)

    def lookup(self, target_frame: str, source_frame: str, stamp_ns: int) -> Transform:
        """The source frame in the target frame at `stamp_ns`; never waits.

        Raises:
            TfUnavailableError: TF does not know a frame, or not at that stamp, or the image has none.
        """
        if stamp_ns == 0:  # to TF that would mean "the latest"
            raise TfUnavailableError("the image has no stamp to look up in TF: let the driver stamp it", True)
        try:
            found = self._buffer.lookup_transform(target_frame, source_frame, Time(nanoseconds=stamp_ns))
            return _transform(found.transform)
        except GeometryError as error:
            raise TfUnavailableError(str(error), True) from error
        except Exception as error:  # tf2's exceptions are compiled; which there are depends on the release
            raise TfUnavailableError(
                f"no transform from '{source_frame}' to '{target_frame}' at the image's stamp: {error}",
                f"{source_frame}:" in self._buffer.all_frames_as_yaml(),
            ) from error

    def clear(self) -> None:
        """Forget all transforms, because time has jumped back."""
        self._buffer.clear()

    def close(self) -> None:
        """Stop listening."""
        self._listener.unregister()


def open_listener(node: Any) -> TfListener | None:
    """A listener where tf2_ros is installed, else None."""
    return TfListener(node) if tf2_ros is not None else None


def _transform(msg: Any) -> Transform:
    rotation, translation = msg.rotation, msg.translation
    return Transform.from_quaternion(
        rotation.x,
        rotation.y,
        rotation.z,
        rotation.w,
        np.array([translation.x, translation.y, translation.z], np.float64),
    )
