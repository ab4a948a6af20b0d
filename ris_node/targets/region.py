# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""From a region of the image to a `RegionTarget`: the region in metres, and where in it the vehicle can stand.

The steps: know the camera; know the surface; lay cells over the region and look each up in the image; drop what
is an obstacle or out of range; keep the pieces in which the vehicle fits; choose the goal by policy; say how sure.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from ris_node.config import RegionConfig
from ris_node.errors import GeometryError
from ris_node.geometry import Camera, Transform, camera_mount
from ris_node.targets.covariance import goal_covariance
from ris_node.targets.fit import axis_and_extent, footprint
from ris_node.targets.grid import GroundGrid, ground_grid, view_heading
from ris_node.targets.pieces import Goal, Ground, NoFitError, Start, choose_goal, contact_cells, free_cells
from ris_node.targets.policies import wrap
from ris_node.targets.surface import Surface, depth_at, surface_from_depth
from ris_node.types import F32, F64, Bool, Frame, Manoeuvre, RegionTarget, TargetMethod, TargetStatus

_SAMPLES = 800
_KERB_M = 0.25


@dataclass(frozen=True)
class TargetRequest:
    """A region found in a frame.

    `region` Bool[H,W], `probability` f32[H,W] and `obstacle` Bool[H,W] (things that must not be touched; None:
    unknown) are of one size, with the aspect of the frame's image.
    """

    region: Bool
    probability: F32
    obstacle: Bool | None
    frame: Frame
    manoeuvre: Manoeuvre = Manoeuvre.NONE


@dataclass(frozen=True)
class _View:
    """The camera as the mask sees it, the surface, and how it came to be known."""

    camera: Camera
    mount: Transform
    frame_id: str
    surface: Surface
    method: TargetMethod
    pixels: F64
    rays: F64
    valid_fraction: float
    note: str = ""


class _RefusalError(Exception):
    """Carries the answer out of the steps; never leaves this file."""

    def __init__(self, status: TargetStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


def region_target(request: TargetRequest, config: RegionConfig) -> RegionTarget:
    """Turn a region of the image into a goal in metres, or say why not.

    Args:
        request: masks and frame; the `camera_*` parameters stand in where it has neither a pose nor a pose problem and
            the target frame is the base frame.
        config: the vehicle, the limits and the policies.

    Returns:
        A target in the target frame, never in a camera frame. Bad input gives another status than OK and a message
        that says what to do; nothing is raised.
    """
    frame_id = request.frame.target_frame or config.target_frame
    valid_fraction, method = 0.0, TargetMethod.UNSET
    try:
        view = _look(request, config, frame_id)
        valid_fraction, method = view.valid_fraction, view.method
        return _aim(request, config, view)
    except _RefusalError as refusal:
        status, message = refusal.status, str(refusal)
    except NoFitError as error:
        status, message = TargetStatus.TOO_SMALL, str(error)
    except GeometryError as error:
        status, message = TargetStatus.NO_CAMERA, str(error)
    return RegionTarget(status=status, frame_id=frame_id, method=method, valid_fraction=valid_fraction, message=message)


def _look(request: TargetRequest, config: RegionConfig, frame_id: str) -> _View:
    """Establish the camera, its pose and the surface, or refuse."""
    frame, shape = request.frame, request.region.shape
    if request.region.ndim != 2:
        raise GeometryError(f"the region has shape {shape}; give one value a pixel, [H,W]")
    if request.probability.shape != shape or (request.obstacle is not None and request.obstacle.shape != shape):
        raise GeometryError(f"region, probability and obstacle differ in size (region {shape}); give one size")
    if frame.camera is None:
        raise _RefusalError(TargetStatus.NO_CAMERA, "no camera_info yet: publish it beside the image, or remap it")
    camera = frame.camera.fitted_to(shape[1], shape[0])
    mount = _mount(frame, config, frame_id)
    if not request.region.any():
        raise _RefusalError(TargetStatus.TOO_SMALL, "the region is empty")
    pixels = _sample(request.region)
    rays = camera.rays(pixels, quick=True)
    view = _View(camera, mount, frame_id, Surface(), TargetMethod.GROUND_PLANE, pixels, rays, 0.0)
    note = frame.depth_problem
    if frame.depth is not None:
        found = _measured(frame.depth, view, config.max_range_m)
        if isinstance(found, _View):
            return found
        note = found
    _, valid = view.surface.meet(mount, rays, config.max_range_m)
    if not valid.any():
        _refuse_plane(view, config, note)
    return replace(view, valid_fraction=float(valid.mean()), note=note)


def _mount(frame: Frame, config: RegionConfig, frame_id: str) -> Transform:
    """Return the camera's pose in the target frame, from TF or from parameters, or refuse."""
    if frame_id and frame_id == frame.frame_id:
        raise _RefusalError(
            TargetStatus.TF_UNAVAILABLE,
            f"target_frame '{frame_id}' is the camera's own frame: set it to a frame on the ground, such as base_link",
        )
    if frame.camera_in_target is not None and not frame.pose_problem:
        return frame.camera_in_target
    if frame.pose_problem or frame_id != config.base_frame:
        raise _RefusalError(
            TargetStatus.TF_UNAVAILABLE,
            frame.pose_problem
            or f"no transform from '{frame.frame_id}' to '{frame_id}' at the image's stamp: publish TF, "
            f"or set target_frame to '{config.base_frame}' and give the camera_* parameters",
        )
    return config_mount(config)


def config_mount(config: RegionConfig) -> Transform:
    """Return the camera's optical frame in the base frame as the `camera_*` parameters give it."""
    return camera_mount(
        config.camera_x_m,
        config.camera_y_m,
        config.camera_z_m,
        config.camera_roll_deg,
        config.camera_pitch_deg,
        config.camera_yaw_deg,
    )


def _sample(region: Bool) -> F64:
    """Return a few thousand pixels (x, y) f64[N,2], evenly spread over the region; all of a small one."""
    stride = max(1, int(np.sqrt(np.count_nonzero(region) / _SAMPLES)))
    found = np.argwhere(region[::stride, ::stride]) * stride if stride > 1 else np.argwhere(region)
    if len(found) == 0:  # thinner than the stride
        found = np.argwhere(region)
    return np.asarray(found[:, ::-1], dtype=np.float64)


def _measured(depth: F32, view: _View, max_range_m: float) -> _View | str:
    """Return the view with the surface that depth shows, or why depth is of no use here."""
    height, width = depth.shape[:2] if depth.ndim == 2 else (0, 0)
    if height == 0 or width == 0 or abs(width * view.camera.height / (height * view.camera.width) - 1.0) > 0.01:
        return f"the depth image's shape {depth.shape} does not match the image; register depth to colour"
    found = surface_from_depth(view.camera, view.mount, depth, view.pixels, max_range_m)
    if found is None:
        return "depth is missing or shows no ground in the region"
    return replace(view, surface=found[0], valid_fraction=found[1], method=TargetMethod.DEPTH)


def _refuse_plane(view: _View, config: RegionConfig, note: str) -> None:
    """Say why not one pixel of the region meets the ground plane."""
    height = view.surface.camera_height(view.mount)
    if height > 0.0 and view.surface.meet(view.mount, view.camera.rays(view.pixels), float("inf"))[1].any():
        raise _RefusalError(
            TargetStatus.OUT_OF_RANGE,
            f"the whole region is farther than max_range_m ({config.max_range_m:g} m): drive nearer, or raise it",
        )
    if height <= 0.0:
        reason = f"the camera is {-height:.2f} m below the ground z = 0 of '{view.frame_id}': check TF or camera_z_m"
        status = TargetStatus.NO_CAMERA
    else:
        reason, status = "the whole region is above the horizon: check camera_pitch_deg", TargetStatus.OUT_OF_RANGE
    if note:
        raise _RefusalError(TargetStatus.NO_DEPTH, f"{note}; and {reason}")
    raise _RefusalError(status, reason)


def _aim(request: TargetRequest, config: RegionConfig, view: _View) -> RegionTarget:
    """Choose the goal on the surface and describe it, or refuse."""
    grid = _grid(request.region, view, config)
    free = free_cells(request.region, request.obstacle, grid)
    if view.method is TargetMethod.DEPTH and request.frame.depth is not None:
        free &= ~_sticks_out(request.frame.depth, grid, view)
    belief = np.where(grid.seen, grid.look_up(request.probability), 0.0)
    ground = Ground(free, contact_cells(request.obstacle, grid), belief, grid)
    try:
        goal = choose_goal(ground, _vehicle(view, config), config)
    except NoFitError:
        if view.valid_fraction < 0.5:
            raise _RefusalError(
                TargetStatus.OUT_OF_RANGE,
                f"most of the region is farther than max_range_m ({config.max_range_m:g} m) or cannot be placed, and "
                "the rest is too small: drive nearer, or raise max_range_m",
            ) from None
        raise
    return _describe(request, config, view, (ground, goal))


def _grid(region: Bool, view: _View, config: RegionConfig) -> GroundGrid:
    """Lay the grid over everything of the region that lies within range."""
    rays = view.camera.rays(_border(region), quick=True)
    xy, valid = view.surface.meet(view.mount, rays, config.max_range_m)
    corners = xy[valid]
    if not valid.all():  # it runs over the edge of the range: take all that the camera sees up to there
        foot, heading = view.mount.translation[:2], view_heading(view.mount)
        spread = np.arctan2(*(corners - foot).T[::-1]) - heading if len(corners) else np.zeros(1)
        spread = (spread + np.pi) % (2 * np.pi) - np.pi
        angles = heading + np.linspace(spread.min() - 0.02, spread.max() + 0.02, 9)
        rim = foot + config.max_range_m * np.column_stack([np.cos(angles), np.sin(angles)])
        corners = np.concatenate([corners, rim])
    return ground_grid(view.camera, view.mount, view.surface, corners, config.grid_resolution, config.max_range_m)


def _border(region: Bool) -> F64:
    """Return the corners (x, y) f64[N,2] of the region's convex hull, with the pixels' own corners.

    What is convex in the image is convex on the ground, so the hull's corners reach as far as the region does.
    """
    rows = np.nonzero(region.any(axis=1))[0]
    first = region[rows].argmax(axis=1)
    last = region.shape[1] - 1 - region[rows, ::-1].argmax(axis=1)
    ends = np.concatenate([np.column_stack([first, rows]), np.column_stack([last, rows])])
    hull = cv2.convexHull(ends.astype(np.int32)).reshape(-1, 1, 2)
    corners = np.array([[-0.5, -0.5], [-0.5, 0.5], [0.5, -0.5], [0.5, 0.5]])
    return np.asarray((hull + corners).reshape(-1, 2), dtype=np.float64)


def _sticks_out(depth: F32, grid: GroundGrid, view: _View) -> Bool:
    """Return the cells Bool[R,C] in front of which depth shows something higher or deeper than a kerb is.

    A majority of 5x5 cells has to say so: single depths are wild, and unknown ones say nothing.
    """
    y, x = np.divmod(np.maximum(grid.pixel, 0), view.camera.width)
    pixels = np.column_stack([x.ravel(), y.ravel()]).astype(np.float64)
    seen = depth_at(depth, pixels, view.camera.width, view.camera.height).reshape(grid.pixel.shape)
    with np.errstate(invalid="ignore"):
        rise = view.surface.camera_height(view.mount) * (1.0 - seen / np.maximum(grid.depth, 1e-6))
        out = grid.seen & (np.abs(rise) > _KERB_M)
    return np.asarray(cv2.medianBlur(out.astype(np.uint8), 5) > 0, dtype=np.bool_)


def _vehicle(view: _View, config: RegionConfig) -> Start:
    """Return where the vehicle is in the target frame.

    In the base frame that is the origin; elsewhere it is where the camera is, less its mount by parameters.
    """
    if view.frame_id == config.base_frame:
        return Start(np.zeros(2), 0.0)
    base = view.mount @ config_mount(config).inverse()
    return Start(base.translation[:2], float(np.arctan2(base.rotation[1, 0], base.rotation[0, 0])))


def _describe(request: TargetRequest, config: RegionConfig, view: _View, found: tuple[Ground, Goal]) -> RegionTarget:
    """Put a goal that was found into words and metres."""
    ground, goal = found
    grid = ground.grid
    xy = grid.to_metres(goal.cell[None])[0]
    position = np.append(xy, view.surface.height(xy[None])[0])
    _, extent = axis_and_extent(goal.piece, grid)
    image = request.frame.image
    full = view.camera.fitted_to(image.shape[1], image.shape[0]) if image.size else view.camera
    pixel, _ = full.project(view.mount.inverse().apply(position[None]))
    return RegionTarget(
        status=TargetStatus.OK,
        frame_id=view.frame_id,
        footprint=footprint(goal.piece, grid),
        position=position,
        yaw=wrap(goal.yaw),
        covariance=goal_covariance(
            view.camera,
            view.mount,
            view.surface,
            position,
            cell_m=grid.cell_m,
            max_range_m=config.max_range_m,
            measured=view.method is TargetMethod.DEPTH,
        ),
        extent=(*extent, 0.0),
        method=view.method,
        score=float(ground.belief[goal.piece].mean()),
        valid_fraction=view.valid_fraction,
        goal_pixel=(float(pixel[0, 0]), float(pixel[0, 1])) if np.isfinite(pixel).all() else None,
        message="; ".join(note for note in (view.note, goal.note) if note),
    )
