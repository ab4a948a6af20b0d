# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Lens distortion in normalised image coordinates (x/z, y/z), through OpenCV's models."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from ris_node.errors import GeometryError
from ris_node.types import F32, F64

FISHEYE = ("equidistant", "fisheye")
POLYNOMIAL = ("plumb_bob", "rational_polynomial", "rational", "thin_prism", "tilted", "none", "")
_POLYNOMIAL_SIZES = (4, 5, 8, 12, 14)
_NEWTON_STEPS = 12
_TABLE_SIDE = 97
_ORIGIN = np.zeros(3)
_NO_MAP = np.zeros(0, dtype=np.float32)


def check_lens(model: str, distortion: F64) -> None:
    """Refuse an unknown distortion model or a number of coefficients that it does not take.

    Raises:
        GeometryError: says which model and how many coefficients were found.
    """
    if not np.isfinite(distortion).all():
        raise GeometryError(f"distortion {distortion.tolist()} is not finite; calibrate the camera or give none")
    if distortion.size == 0 or not distortion.any():
        return
    if model in FISHEYE:
        if distortion.size != 4:
            raise GeometryError(f"distortion model {model!r} takes 4 coefficients, not {distortion.size}")
    elif model in POLYNOMIAL:
        if distortion.size not in _POLYNOMIAL_SIZES:
            raise GeometryError(
                f"distortion model {model!r} takes one of {_POLYNOMIAL_SIZES} coefficients, not {distortion.size}"
            )
    else:
        known = ", ".join(repr(name) for name in (*POLYNOMIAL[:2], *FISHEYE))
        raise GeometryError(f"unknown distortion model {model!r}; use one of {known}, or publish rectified images")


def distort(points: F64, model: str, distortion: F64) -> F64:
    """Bend ideal normalised points f64[N,2] the way the lens does; returns f64[N,2]."""
    if len(points) == 0 or distortion.size == 0 or not distortion.any():
        return points
    if model in FISHEYE:
        bent = cv2.fisheye.distortPoints(points.reshape(-1, 1, 2), np.eye(3), distortion)
    else:
        solid = np.column_stack([points, np.ones(len(points))])
        bent, _ = cv2.projectPoints(solid, _ORIGIN, _ORIGIN, np.eye(3), distortion)
    return np.asarray(bent, dtype=np.float64).reshape(-1, 2)


def undistort(points: F64, model: str, distortion: F64) -> F64:
    """Undo `distort` for f64[N,2]; a point that no ray can have made comes back as NaN.

    OpenCV's few fixed-point steps give the start, Newton's method (derivatives by central differences) the rest:
    wide lenses need it, and OpenCV's own criteria differ between its versions.
    """
    if len(points) == 0 or distortion.size == 0 or not distortion.any():
        return points
    guess = _first_guess(points, model, distortion)
    guess[~np.isfinite(guess).all(axis=1) | (np.abs(guess) > 1e3).any(axis=1)] = 0.0
    left = np.arange(len(points))
    for _ in range(_NEWTON_STEPS):
        error = distort(guess[left], model, distortion) - points[left]
        off = np.abs(error).max(axis=1) > 1e-10
        left, error = left[off], error[off]
        if len(left) == 0:
            break
        guess[left] -= _newton_move(guess[left], error, model, distortion)
    wrong = np.abs(distort(guess[left], model, distortion) - points[left]).max(axis=1) > 1e-6 if len(left) else left > 0
    guess[left[wrong]] = np.nan
    return guess


def _newton_move(guess: F64, error: F64, model: str, distortion: F64) -> F64:
    """Return how far to go back, f64[N,2], for f64[N,2] of error: no more than 1 a step."""
    dx, dy = (_slope(guess, step, model, distortion) for step in (np.array([1e-6, 0.0]), np.array([0.0, 1e-6])))
    det = dx[:, 0] * dy[:, 1] - dx[:, 1] * dy[:, 0]
    det = np.where(np.abs(det) < 1e-9, 1e-9, det)
    move = np.column_stack(
        [dy[:, 1] * error[:, 0] - dy[:, 0] * error[:, 1], dx[:, 0] * error[:, 1] - dx[:, 1] * error[:, 0]]
    )
    return np.asarray(np.clip(move / det[:, None], -1.0, 1.0), dtype=np.float64)


def _first_guess(points: F64, model: str, distortion: F64) -> F64:
    shaped = points.reshape(-1, 1, 2)
    undo = cv2.fisheye.undistortPoints if model in FISHEYE else cv2.undistortPoints
    return np.array(undo(shaped, np.eye(3), distortion), dtype=np.float64).reshape(-1, 2)


def _slope(points: F64, step: F64, model: str, distortion: F64) -> F64:
    ahead, behind = distort(points + step, model, distortion), distort(points - step, model, distortion)
    return (ahead - behind) / (2.0 * float(step.sum()))


@dataclass(frozen=True)
class LensTable:
    """A lens mapping tabulated once: exact to a tenth or two of a pixel, and cheap for every frame.

    `shift` f32[n,n,2] is what the mapping adds at the points of an even lattice from `low` f64[2] in `step` f64[2].
    """

    low: F64
    step: F64
    shift: F32

    def __call__(self, points: F64) -> F64:
        """Map normalised points f64[N,2]; NaN beyond the lattice or where the lens maps nothing."""
        with np.errstate(invalid="ignore"):
            place = np.nan_to_num((points - self.low) / self.step, nan=-9.0, posinf=-9.0, neginf=-9.0)
            place = np.clip(place, -9.0, _TABLE_SIDE + 9.0)
        found = np.empty_like(points)
        for start in range(0, len(points), 32_000):  # cv2.remap takes fewer than 32768 rows
            part = place[start : start + 32_000].astype(np.float32).reshape(-1, 1, 2)
            beyond = (float("nan"),) * 4
            shift = cv2.remap(
                self.shift, part, _NO_MAP, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=beyond
            )
            found[start : start + 32_000] = shift.reshape(-1, 2)
        return np.asarray(points + found)


@lru_cache(maxsize=8)
def distort_table(model: str, distortion: bytes, reach: float) -> LensTable:
    """Tabulate `distort` for normalised points up to `reach` from the axis; `distortion` are the bytes of D f64[k]."""
    coefficients = np.frombuffer(distortion)
    low = np.array([-reach, -reach])
    return _table(lambda points: distort(points, model, coefficients), low, -low)


@lru_cache(maxsize=8)
def undistort_table(model: str, distortion: bytes, bounds: tuple[float, float, float, float]) -> LensTable:
    """Tabulate `undistort` for normalised points within (x low, y low, x high, y high)."""
    coefficients = np.frombuffer(distortion)
    return _table(lambda points: undistort(points, model, coefficients), np.array(bounds[:2]), np.array(bounds[2:]))


def _table(mapping: Callable[[F64], F64], low: F64, high: F64) -> LensTable:
    axes = [np.linspace(low[k], high[k], _TABLE_SIDE) for k in range(2)]
    x, y = np.meshgrid(*axes)
    points = np.column_stack([x.ravel(), y.ravel()])
    shift = (mapping(points) - points).astype(np.float32).reshape(_TABLE_SIDE, _TABLE_SIDE, 2)
    return LensTable(low, (high - low) / (_TABLE_SIDE - 1), shift)
