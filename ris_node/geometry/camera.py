# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""A calibrated camera: pixels to rays and points to pixels.

Pixels are (x, y) with the origin at the centre of the top-left pixel, as in OpenCV and ROS.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from ris_node.errors import GeometryError
from ris_node.geometry.lens import check_lens, distort, undistort
from ris_node.types import F64, Bool

_ASPECT_TOLERANCE = 0.01
_NEAREST_M = 1e-6


@dataclass(frozen=True, eq=False)
class Camera:
    """Intrinsics of one camera, as in `sensor_msgs/CameraInfo`.

    `matrix` f64[3,3] is K in pixels; `distortion` f64[k] is D (empty: none); `model` is the distortion model.
    Nothing is checked on construction (messages carry anything): call `validate()` before use.
    """

    width: int
    height: int
    matrix: F64
    distortion: F64 = field(default_factory=lambda: np.zeros(0))
    model: str = "plumb_bob"

    def __post_init__(self) -> None:
        object.__setattr__(self, "matrix", np.array(self.matrix, dtype=np.float64))
        object.__setattr__(self, "distortion", np.array(self.distortion, dtype=np.float64).reshape(-1))

    @staticmethod
    def pinhole(width: int, height: int, hfov_deg: float) -> Camera:
        """Return a distortion-free camera with square pixels and the given horizontal field of view in degrees."""
        focal = width / 2.0 / np.tan(np.radians(hfov_deg) / 2.0)
        matrix = np.array([[focal, 0.0, (width - 1) / 2.0], [0.0, focal, (height - 1) / 2.0], [0.0, 0.0, 1.0]])
        return Camera(width, height, matrix)

    @cached_property
    def key(self) -> tuple[object, ...]:
        """Everything that makes this camera what it is, as a dictionary key."""
        return (self.width, self.height, self.matrix.tobytes(), self.distortion.tobytes(), self.model)

    def validate(self, width: int | None = None, height: int | None = None) -> None:
        """Check the numbers and, where given, that the camera belongs to an image of this size.

        Raises:
            GeometryError: a number is not finite, a focal length or size is not positive, the distortion is
                unknown, or the size is another.
        """
        if self.matrix.shape != (3, 3):
            raise GeometryError(f"camera matrix has shape {self.matrix.shape}, not (3, 3)")
        if not np.isfinite(self.matrix).all():
            raise GeometryError(f"camera matrix {self.matrix.tolist()} is not finite; check camera_info.k")
        fx, fy = float(self.matrix[0, 0]), float(self.matrix[1, 1])
        if fx <= 0.0 or fy <= 0.0:
            raise GeometryError(
                f"focal lengths ({fx:g}, {fy:g}) are not positive: the camera is not calibrated; fill camera_info.k"
            )
        if self.width <= 0 or self.height <= 0:
            raise GeometryError(f"camera size {self.width}x{self.height} is empty; fill camera_info.width and height")
        check_lens(self.model, self.distortion)
        if width is not None and height is not None and (self.width, self.height) != (width, height):
            raise GeometryError(f"camera_info is for {self.width}x{self.height}, the image is {width}x{height}")

    def fitted_to(self, width: int, height: int) -> Camera:
        """Return this camera for an image that was resized, not cropped, to another size of the same aspect.

        Raises:
            GeometryError: the aspect differs by more than 1 %, so no scale can be right; or as `validate`.
        """
        self.validate()
        if (self.width, self.height) == (width, height):
            return self
        if width <= 0 or height <= 0:
            raise GeometryError(f"image size {width}x{height} is empty")
        sx, sy = width / self.width, height / self.height
        if abs(sx / sy - 1.0) > _ASPECT_TOLERANCE:
            raise GeometryError(
                f"camera_info is for {self.width}x{self.height}, the image is {width}x{height}: another aspect, "
                "so it was cropped; publish the camera_info that belongs to the image"
            )
        matrix = self.matrix.copy()
        matrix[0, :2] *= sx
        matrix[1, :2] *= sy
        matrix[0, 2] = (self.matrix[0, 2] + 0.5) * sx - 0.5
        matrix[1, 2] = (self.matrix[1, 2] + 0.5) * sy - 0.5
        return Camera(width, height, matrix, self.distortion, self.model)

    def rays(self, pixels: F64) -> F64:
        """Return the undistorted ray f64[N,3] of each pixel f64[N,2] in the optical frame, with z = 1.

        A pixel that the lens cannot have made (outside of its image circle) gives NaN.
        """
        pixels = np.asarray(pixels, dtype=np.float64).reshape(-1, 2)
        (fx, skew, cx), (_, fy, cy) = self.matrix[0], self.matrix[1]
        y = (pixels[:, 1] - cy) / fy
        x = (pixels[:, 0] - cx - skew * y) / fx
        ideal = undistort(np.column_stack([x, y]), self.model, self.distortion)
        return np.column_stack([ideal, np.ones(len(ideal))])

    def project(self, points: F64) -> tuple[F64, Bool]:
        """Return where points f64[N,3] of the optical frame (metres) appear.

        Returns:
            Pixels f64[N,2], NaN behind the camera or beyond the lens, finite but out of bounds beside the image;
            and valid Bool[N]: in front of the camera and inside the image.
        """
        points = np.asarray(points, dtype=np.float64).reshape(-1, 3)
        pixels = np.full((len(points), 2), np.nan)
        with np.errstate(divide="ignore", invalid="ignore"):
            front = np.isfinite(points).all(axis=1) & (points[:, 2] > _NEAREST_M)
            ideal = points[:, :2] / points[:, 2:3]
            seen = front & (np.einsum("ij,ij->i", ideal, ideal) <= self._reach_squared)
        bent = distort(ideal[seen], self.model, self.distortion)
        (fx, skew, cx), (_, fy, cy) = self.matrix[0], self.matrix[1]
        pixels[seen, 0] = fx * bent[:, 0] + skew * bent[:, 1] + cx
        pixels[seen, 1] = fy * bent[:, 1] + cy
        x, y = pixels[:, 0], pixels[:, 1]
        with np.errstate(invalid="ignore"):
            inside = (x >= -0.5) & (x < self.width - 0.5) & (y >= -0.5) & (y < self.height - 0.5)
        return pixels, inside

    @cached_property
    def _reach_squared(self) -> float:
        """Squared radius (x/z, y/z) beyond which polynomial distortion folds back into the image."""
        if self.distortion.size == 0 or not self.distortion.any():
            return float("inf")
        xs, ys = np.linspace(-0.5, self.width - 0.5, 33), np.linspace(-0.5, self.height - 0.5, 33)
        top = np.column_stack([xs, np.full(33, ys[0])])
        left = np.column_stack([np.full(33, xs[0]), ys])
        down, across = np.array([0.0, self.height]), np.array([self.width, 0.0])
        edge = np.concatenate([top, top + down, left, left + across])
        rays = self.rays(edge)[:, :2]
        radii = np.einsum("ij,ij->i", rays, rays)
        radii = radii[np.isfinite(radii)]
        return float(radii.max()) * 1.02 if radii.size else float("inf")
