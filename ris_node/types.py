# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The values that flow through the core: frames, queries, groundings and targets.

All are frozen dataclasses with NumPy arrays inside. Pixels are (x, y) with the origin at the centre of
the top-left pixel of the *input image*; metres follow REP 103 (x forward, y left, z up) in the named
frame; stamps are integer nanoseconds.
"""

from __future__ import annotations

import uuid
from dataclasses import KW_ONLY, dataclass, field, replace
from enum import IntEnum
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from ris_node.geometry.camera import Camera
    from ris_node.geometry.transform import Transform

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
I8 = npt.NDArray[np.int8]
U8 = npt.NDArray[np.uint8]
U16 = npt.NDArray[np.uint16]
I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class TensorSpec:
    """Name, static shape and NumPy dtype of one network input or output."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]


class QueryKind(IntEnum):
    """What a query asks for; the values are those of `ris_msgs/Query.kind`."""

    AUTO = 0
    OBJECT = 1
    REGION = 2


class Manoeuvre(IntEnum):
    """What the vehicle is asked to do; the values are those of `ris_msgs/Query.manoeuvre`."""

    NONE = 0
    STOP = 1
    PARK = 2
    FOLLOW = 3
    WAIT = 4
    TURN_LEFT = 5
    TURN_RIGHT = 6
    CANCEL = 7


class Status(IntEnum):
    """The verdict on a frame; the values are those of `ris_msgs/Grounding.status`.

    Zero is NO_QUERY, so that a message nobody filled in never claims a referent.
    """

    NO_QUERY = 0
    PRESENT = 1
    ABSENT = 2
    UNCERTAIN = 3
    AMBIGUOUS = 4
    ERROR = 5


class TargetStatus(IntEnum):
    """Whether a region became a target in metres; the values are those of `ris_msgs/RegionTarget.status`."""

    UNSET = 0
    OK = 1
    NO_CAMERA = 2
    NO_DEPTH = 3
    TF_UNAVAILABLE = 4
    TOO_SMALL = 5
    OUT_OF_RANGE = 6
    STALE = 7


class TargetMethod(IntEnum):
    """How pixels became metres; the values are those of `ris_msgs/RegionTarget.method`."""

    UNSET = 0
    DEPTH = 1
    CLOUD = 2
    GROUND_PLANE = 3


@dataclass(frozen=True)
class Query:
    """A command as it was given, before it is parsed.

    `confidence` is the recogniser's (0, NaN: unknown); `ttl_s` 0 means until replaced; `stamp_ns` is when it was said.
    """

    text: str
    id: str = ""
    _: KW_ONLY
    kind: QueryKind = QueryKind.AUTO
    manoeuvre: Manoeuvre = Manoeuvre.NONE
    source: str = ""
    confidence: float = float("nan")
    language: str = ""
    ttl_s: float = 0.0
    stamp_ns: int = 0

    def identified(self) -> Query:
        """Return the query with an id: its own, or a new one."""
        return self if self.id else replace(self, id=uuid.uuid4().hex[:12])


@dataclass(frozen=True)
class Frame:
    """One camera image with what is known of its camera.

    `image` is RGB u8[H,W,3]; `depth` f32[H,W] in metres (NaN or <= 0: unknown); `camera_in_target` maps the
    optical frame (z forward, x right, y down) into `target_frame` at the image's stamp; `pose_problem` says why TF
    could not tell it, and then there is no target: nothing stands in for it. `depth_problem` says why there is no depth
    although some came; the ground plane stands in for that.
    """

    image: U8
    stamp_ns: int = 0
    frame_id: str = ""
    _: KW_ONLY
    camera: Camera | None = None
    depth: F32 | None = None
    camera_in_target: Transform | None = None
    target_frame: str = ""
    pose_problem: str = ""
    depth_problem: str = ""

    @property
    def height(self) -> int:
        """Rows of the image."""
        return int(self.image.shape[0])

    @property
    def width(self) -> int:
        """Columns of the image."""
        return int(self.image.shape[1])


@dataclass(frozen=True, kw_only=True)
class Timing:
    """Milliseconds spent in each stage; `age_at_start` and `end_to_end` are NaN where no clock is shared."""

    age_at_start: float = float("nan")
    preprocess: float = 0.0
    text: float = 0.0
    inference: float = 0.0
    postprocess: float = 0.0
    publish: float = 0.0
    total: float = 0.0
    end_to_end: float = float("nan")


@dataclass(frozen=True, kw_only=True)
class Instance:
    """One connected referent: a box (x, y, w, h), a centroid and outline f32[N,2] in pixels of the input image.

    `instance_id` is its value in `Grounding.instance_map`; `score` is its mean mask probability.
    """

    instance_id: int
    label: str
    score: float
    box: tuple[int, int, int, int]
    centroid: tuple[float, float]
    area_fraction: float
    outline: F32
    track_id: str = ""


@dataclass(frozen=True, kw_only=True)
class RegionTarget:
    """A navigable region in metres, in `frame_id`.

    `footprint` f64[N,2] is the region's outline on the ground; `position` f64[3] and `yaw` are the goal;
    `covariance` f64[6,6] is of (x, y, z, roll, pitch, yaw); `extent` is (length, width, 0) of the region;
    `valid_fraction` is the share of region pixels that could be placed; `goal_pixel` is the goal in the image.
    """

    status: TargetStatus
    frame_id: str = ""
    footprint: F64 = field(default_factory=lambda: np.zeros((0, 2)))
    position: F64 = field(default_factory=lambda: np.zeros(3))
    yaw: float = 0.0
    covariance: F64 = field(default_factory=lambda: np.zeros((6, 6)))
    extent: tuple[float, float, float] = (0.0, 0.0, 0.0)
    method: TargetMethod = TargetMethod.UNSET
    score: float = 0.0
    valid_fraction: float = 0.0
    goal_pixel: tuple[float, float] | None = None
    message: str = ""
