# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The fields that are read of messages, whoever made them, and the function that makes new ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from ris_node.stamps import Stamp


class Make(Protocol):
    """Makes messages: of rclpy's classes (`ros.convert.make`) or of the `rosbags` type store (`bags.typestore`)."""

    def __call__(self, name: str, /, **fields: object) -> Any:
        """Return a message of the type "package/Name"; fields that are not given have their default.

        Arrays of numbers are given as NumPy arrays of the field's own type.
        """


class HeaderMsg(Protocol):
    """A `std_msgs/Header`."""

    stamp: Stamp
    frame_id: str


class ImageMsg(Protocol):
    """A `sensor_msgs/Image`; `data` is any buffer of bytes."""

    header: HeaderMsg
    height: int
    width: int
    encoding: str
    is_bigendian: int
    step: int
    data: Any


class CompressedImageMsg(Protocol):
    """A `sensor_msgs/CompressedImage`; `data` is any buffer of bytes."""

    header: HeaderMsg
    format: str
    data: Any


class RegionOfInterestMsg(Protocol):
    """A `sensor_msgs/RegionOfInterest`."""

    x_offset: int
    y_offset: int
    height: int
    width: int


class CameraInfoMsg(Protocol):
    """A `sensor_msgs/CameraInfo`."""

    height: int
    width: int
    distortion_model: str
    d: Sequence[float]
    k: Sequence[float]
    p: Sequence[float]
    binning_x: int
    binning_y: int
    roi: RegionOfInterestMsg


class QueryMsg(Protocol):
    """A `ris_msgs/Query`."""

    header: HeaderMsg
    id: str
    text: str
    kind: int
    manoeuvre: int
    source: str
    confidence: float
    language: str
    ttl: Stamp


class RleMsg(Protocol):
    """A `ris_msgs/Rle`."""

    height: int
    width: int
    counts: Sequence[int]


class PolygonMsg(Protocol):
    """A `geometry_msgs/Polygon`."""

    points: Sequence[Any]


class InstanceMsg(Protocol):
    """A `ris_msgs/Instance`."""

    instance_id: int
    label: str
    score: float
    box: RegionOfInterestMsg
    centroid: Any
    area_fraction: float
    track_id: str
    outline: PolygonMsg
    mask: RleMsg


class RegionTargetMsg(Protocol):
    """A `ris_msgs/RegionTarget`."""

    header: HeaderMsg
    query_id: str
    status: int
    pose: Any
    footprint: PolygonMsg
    extent: Any
    method: int
    score: float
    valid_fraction: float
    message: str
