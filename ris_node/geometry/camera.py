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
from ris_node.geometry.lens import check_lens, distort, distort_table, undistort, undistort_table
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
        """Parameters of the camera as a dictionary key."""
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

    def rays(self, pixels: F64, *, quick: bool = False) -> F64:
        """Return the undistorted ray f64[N,3] of each pixel f64[N,2] in the optical frame, with z = 1.

        A pixel that the lens cannot have made (outside of its image circle) gives NaN. `quick` looks the distortion
        up in a table (a tenth or two of a pixel off; pixels outside of the image give NaN).
        """
        pixels = np.asarray(pixels, dtype=np.float64).reshape(-1, 2)
        (fx, skew, cx), (_, fy, cy) = self.matrix[0], self.matrix[1]
        y = (pixels[:, 1] - cy) / fy
        x = (pixels[:, 0] - cx - skew * y) / fx
        bent = np.column_stack([x, y])
        if quick and self.is_distorted:
            corner = np.array([[-1.0, -1.0], [self.width, self.height]])
            (left, top), (right, bottom) = (corner - [cx, cy]) / [fx, fy]
            ideal = undistort_table(self.model, self.distortion.tobytes(), (left, top, right, bottom))(bent)
        else:
            ideal = undistort(bent, self.model, self.distortion)
        return np.column_stack([ideal, np.ones(len(ideal))])

    def project(self, points: F64, *, quick: bool = False) -> tuple[F64, Bool]:
        """Return where points f64[N,3] of the optical frame (metres) appear.

        Returns:
            Pixels f64[N,2], NaN behind the camera or beyond the lens, finite but out of bounds beside the image;
            and valid Bool[N]: in front of the camera and inside the image. `quick` as in `rays`.
        """
        points = np.asarray(points, dtype=np.float64).reshape(-1, 3)
        with np.errstate(divide="ignore", invalid="ignore"):
            ideal = points[:, :2] / points[:, 2:3]
            seen = points[:, 2] > _NEAREST_M
        if self.is_distorted:
            with np.errstate(invalid="ignore", over="ignore"):
                seen &= np.einsum("ij,ij->i", ideal, ideal) <= _reach(self.key, self) ** 2
            ideal[seen] = self._bend(ideal[seen], quick)
        ideal[~seen] = np.nan
        (fx, skew, cx), (_, fy, cy) = self.matrix[0], self.matrix[1]
        pixels = np.empty_like(ideal)
        pixels[:, 0] = fx * ideal[:, 0] + skew * ideal[:, 1] + cx
        pixels[:, 1] = fy * ideal[:, 1] + cy
        x, y = pixels[:, 0], pixels[:, 1]
        with np.errstate(invalid="ignore"):
            inside = (x >= -0.5) & (x < self.width - 0.5) & (y >= -0.5) & (y < self.height - 0.5)
        return pixels, inside

    @property
    def is_distorted(self) -> bool:
        """Whether the lens bends anything."""
        return bool(self.distortion.any())

    def _bend(self, ideal: F64, quick: bool) -> F64:
        if quick:
            return distort_table(self.model, self.distortion.tobytes(), _reach(self.key, self))(ideal)
        return distort(ideal, self.model, self.distortion)


_reaches: dict[tuple[object, ...], float] = {}


def _reach(key: tuple[object, ...], camera: Camera) -> float:
    """Return the radius (x/z, y/z) beyond which polynomial distortion folds back into the image."""
    if key not in _reaches:
        if len(_reaches) > 32:
            _reaches.clear()
        xs, ys = np.linspace(-0.5, camera.width - 0.5, 33), np.linspace(-0.5, camera.height - 0.5, 33)
        top = np.column_stack([xs, np.full(33, ys[0])])
        left = np.column_stack([np.full(33, xs[0]), ys])
        down, across = np.array([0.0, camera.height]), np.array([camera.width, 0.0])
        rays = camera.rays(np.concatenate([top, top + down, left, left + across]))[:, :2]
        radii = np.hypot(rays[:, 0], rays[:, 1])
        radii = radii[np.isfinite(radii)]
        _reaches[key] = float(radii.max()) * 1.01 if radii.size else 1e3
    return _reaches[key]
