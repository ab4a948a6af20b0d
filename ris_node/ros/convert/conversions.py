# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The core's values to and from `ris_msgs`: queries, instances, timings, masks and node states."""

from __future__ import annotations

import math
from array import array
from dataclasses import fields
from enum import IntEnum
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from builtin_interfaces.msg import Duration as DurationMsg
from builtin_interfaces.msg import Time as TimeMsg
from geometry_msgs.msg import Point32, Polygon
from ris_msgs.msg import Grounding as GroundingMsg
from ris_msgs.msg import Instance as InstanceMsg
from ris_msgs.msg import Query as QueryMsg
from ris_msgs.msg import Rle as RleMsg
from ris_msgs.msg import Timing as TimingMsg

from ris_node.errors import CommandError
from ris_node.rle import decode_rle, encode_rle
from ris_node.stamps import NS_PER_S, stamp_to_ns
from ris_node.types import F32, F64, U16, Bool, Instance, Manoeuvre, Query, QueryKind, Timing

if TYPE_CHECKING:
    from ris_node.pipeline.grounding import Grounding

Message = Any
Number = TypeVar("Number", bound=IntEnum)


def ns_to_stamp(stamp_ns: int) -> Message:
    """A `builtin_interfaces/Time` of nanoseconds."""
    return TimeMsg(sec=stamp_ns // NS_PER_S, nanosec=stamp_ns % NS_PER_S)


def seconds_to_duration(seconds: float) -> Message:
    """A `builtin_interfaces/Duration` of seconds, to the nanosecond."""
    total = round(seconds * NS_PER_S)
    return DurationMsg(sec=total // NS_PER_S, nanosec=total % NS_PER_S)


def query_from_msg(msg: Message) -> Query:
    """The query of a `ris_msgs/Query`; its values are checked, its text is not.

    Raises:
        CommandError: an unknown kind or manoeuvre, a confidence outside of 0..1, or a negative time to live.
    """
    confidence = float(msg.confidence)
    if not math.isnan(confidence) and not 0.0 <= confidence <= 1.0:
        raise CommandError(f"confidence is {confidence:g}: give a number from 0 to 1 (0 or NaN: not known)")
    ttl_s = stamp_to_ns(msg.ttl) / NS_PER_S
    if ttl_s < 0.0:
        raise CommandError(f"ttl is {ttl_s:g} s: give 0 (until replaced) or more")
    return Query(
        text=msg.text,
        id=msg.id,
        kind=_member(QueryKind, msg.kind, "kind"),
        manoeuvre=_member(Manoeuvre, msg.manoeuvre, "manoeuvre"),
        source=msg.source,
        confidence=confidence,
        language=msg.language,
        ttl_s=ttl_s,
        stamp_ns=stamp_to_ns(msg.header.stamp),
    )


def query_to_msg(query: Query) -> Message:
    """The `ris_msgs/Query` of a query."""
    msg = QueryMsg(
        id=query.id,
        text=query.text,
        kind=int(query.kind),
        manoeuvre=int(query.manoeuvre),
        source=query.source,
        confidence=float(query.confidence),
        language=query.language,
        ttl=seconds_to_duration(query.ttl_s),
    )
    msg.header.stamp = ns_to_stamp(query.stamp_ns)
    return msg


def rle_to_msg(mask: Bool) -> Message:
    """The `ris_msgs/Rle` of a mask bool[H,W]."""
    return RleMsg(height=int(mask.shape[0]), width=int(mask.shape[1]), counts=array("I", encode_rle(mask)))


def rle_from_msg(msg: Message) -> Bool | None:
    """The mask bool[H,W] of a `ris_msgs/Rle`; None where none was sent.

    Raises:
        DataError: the runs do not add up to the size.
    """
    return decode_rle(np.asarray(msg.counts, np.int64), msg.height, msg.width) if len(msg.counts) else None


def instance_rle(instance_map: U16, instance: Instance) -> Message:
    """The `ris_msgs/Rle` of one instance; only the rows of its box are looked at."""
    height, width = instance_map.shape
    top, rows = instance.box[1], instance.box[3]
    inside = (instance_map[top : top + rows] == instance.instance_id).ravel()
    runs = array("I", encode_rle(inside.reshape(rows, width)) if rows else [0])
    runs[0] += top * width
    below = (height - top - rows) * width
    if len(runs) % 2:  # the last run is of zeros
        runs[-1] += below
    elif below:
        runs.append(below)
    return RleMsg(height=height, width=width, counts=runs)


def polygon(points: F32 | F64) -> Message:
    """A `geometry_msgs/Polygon` of points [N,2] or [N,3]; a missing z is 0."""
    return Polygon(points=[Point32(x=p[0], y=p[1], z=p[2] if len(p) > 2 else 0.0) for p in points.tolist()])


def polygon_points(msg: Message) -> F64:
    """The points f64[N,2] of a `geometry_msgs/Polygon`; z is dropped."""
    return np.array([(p.x, p.y) for p in msg.points], np.float64).reshape(-1, 2)


def instance_to_msg(instance: Instance, instance_map: U16) -> Message:
    """The `ris_msgs/Instance` of an instance, with its mask cut from `instance_map` u16[H,W]."""
    msg = InstanceMsg(
        instance_id=instance.instance_id,
        label=instance.label,
        score=float(instance.score),
        area_fraction=float(instance.area_fraction),
        track_id=instance.track_id,
        outline=polygon(instance.outline),
        mask=instance_rle(instance_map, instance),
    )
    msg.box.x_offset, msg.box.y_offset, msg.box.width, msg.box.height = (int(v) for v in instance.box)
    msg.centroid.x, msg.centroid.y = (float(v) for v in instance.centroid)
    return msg


def instance_from_msg(msg: Message) -> Instance:
    """The instance of a `ris_msgs/Instance`; its mask is read with `rle_from_msg(msg.mask)`."""
    return Instance(
        instance_id=msg.instance_id,
        label=msg.label,
        score=msg.score,
        box=(msg.box.x_offset, msg.box.y_offset, msg.box.width, msg.box.height),
        centroid=(msg.centroid.x, msg.centroid.y),
        area_fraction=msg.area_fraction,
        outline=polygon_points(msg.outline).astype(np.float32),
        track_id=msg.track_id,
    )


def timing_to_msg(timing: Timing) -> Message:
    """The `ris_msgs/Timing` of a timing (milliseconds both)."""
    return TimingMsg(**{f.name: float(getattr(timing, f.name)) for f in fields(Timing)})


def timing_from_msg(msg: Message) -> Timing:
    """The timing of a `ris_msgs/Timing` (milliseconds both)."""
    return Timing(**{f.name: float(getattr(msg, f.name)) for f in fields(Timing)})


def grounding_to_msg(grounding: Grounding, header: Message) -> Message:
    """The `ris_msgs/Grounding` of an answer, under the input frame's header; the node adds its counters."""
    msg = GroundingMsg(
        header=header,
        query_id=grounding.query.id,
        text=grounding.query.text,
        status=int(grounding.status),
        presence=float(grounding.presence),
        height=grounding.height,
        width=grounding.width,
        timing=timing_to_msg(grounding.timing),
        model_id=grounding.model_id,
        message=grounding.message,
    )
    if grounding.instances:
        instance_map = grounding.instance_map
        msg.instances = [instance_to_msg(instance, instance_map) for instance in grounding.instances]
    return msg


def _member(kind: type[Number], value: int, name: str) -> Number:
    try:
        return kind(value)
    except ValueError:
        choices = ", ".join(f"{m.value} {m.name}" for m in kind)
        raise CommandError(f"{name} is {value}: give one of {choices}") from None
