# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""What is known of the camera when a frame comes; the node uses the core's as it is."""

from __future__ import annotations

from ris_node.sensing.camera import CameraContext, camera_from_info, is_rectified

__all__ = ["CameraContext", "camera_from_info", "is_rectified"]
