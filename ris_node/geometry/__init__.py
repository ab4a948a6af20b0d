# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Cameras, rigid transforms and the ground plane: pixels to metres and back."""

from ris_node.geometry.camera import Camera
from ris_node.geometry.ground import ground_to_pixels, pixels_to_ground
from ris_node.geometry.transform import OPTICAL_IN_BODY, Transform, camera_mount

__all__ = ["OPTICAL_IN_BODY", "Camera", "Transform", "camera_mount", "ground_to_pixels", "pixels_to_ground"]
