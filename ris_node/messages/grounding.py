# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Queries, groundings, instances, timings and run-length masks as `ris_msgs`, and back."""

from __future__ import annotations

import math
from dataclasses import asdict, fields
from enum import IntEnum
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from ris_node.errors import CommandError
from ris_node.messages.common import duration_to_msg, header_to_msg, polygon_from_msg, polygon_to_msg
from ris_node.messages.types import HeaderMsg, InstanceMsg, Make, QueryMsg, RleMsg
from ris_node.rle import decode_rle, encode_rle
from ris_node.stamps import NS_PER_S, stamp_to_ns
from ris_node.types import U16, Bool, Instance, Manoeuvre, Query, QueryKind, Timing

if TYPE_CHECKING:
    from ris_node.pipeline.grounding import Grounding

Number = TypeVar("Number", bound=IntEnum)


def query_to_msg(make: Make, query: Query) -> Any:
    """Return the `ris_msgs/Query` of a query."""
    return make(
        "ris_msgs/Query",
        header=header_to_msg(make, query.stamp_ns, ""),
        id=query.id,
        text=query.text,
        kind=int(query.kind),
        manoeuvre=int(query.manoeuvre),
        source=query.source,
        confidence=float(query.confidence),
        language=query.language,
        ttl=duration_to_msg(make, query.ttl_s),
    )


def query_from_msg(msg: QueryMsg) -> Query:
    """Return the query of a `ris_msgs/Query`; its values are checked, its text is not.

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


def _member(kind: type[Number], value: int, name: str) -> Number:
    try:
        return kind(value)
    except ValueError:
        choices = ", ".join(f"{m.value} {m.name}" for m in kind)
        raise CommandError(f"{name} is {value}: give one of {choices}") from None


def grounding_to_msg(make: Make, grounding: Grounding, header: HeaderMsg, frame_index: int = 0) -> Any:
    """Return the `ris_msgs/Grounding` of a grounding, under the input frame's header."""
    instance_map = grounding.instance_map if grounding.instances else np.zeros((0, 0), np.uint16)
    return make(
        "ris_msgs/Grounding",
        header=header,
        query_id=grounding.query.id,
        text=grounding.query.text,
        status=int(grounding.status),
        presence=float(grounding.presence),
        instances=[instance_to_msg(make, instance, instance_map) for instance in grounding.instances],
        height=grounding.height,
        width=grounding.width,
        timing=timing_to_msg(make, grounding.timing),
        frame_index=frame_index,
        model_id=grounding.model_id,
        message=grounding.message,
    )


def instance_to_msg(make: Make, instance: Instance, instance_map: U16) -> Any:
    """Return the `ris_msgs/Instance` of an instance, with its mask cut from `instance_map` u16[H,W]."""
    x, y, width, height = (int(v) for v in instance.box)
    inside = instance_map[y : y + height] == instance.instance_id
    return make(
        "ris_msgs/Instance",
        instance_id=instance.instance_id,
        label=instance.label,
        score=float(instance.score),
        box=make("sensor_msgs/RegionOfInterest", x_offset=x, y_offset=y, height=height, width=width),
        centroid=make("geometry_msgs/Point32", x=float(instance.centroid[0]), y=float(instance.centroid[1])),
        area_fraction=float(instance.area_fraction),
        track_id=instance.track_id,
        outline=polygon_to_msg(make, instance.outline),
        mask=rle_to_msg(make, inside, above=y, below=len(instance_map) - y - len(inside)),
    )


def instance_from_msg(msg: InstanceMsg) -> Instance:
    """Return the instance of a `ris_msgs/Instance`; its mask is read with `rle_from_msg(msg.mask)`."""
    return Instance(
        instance_id=msg.instance_id,
        label=msg.label,
        score=msg.score,
        box=(msg.box.x_offset, msg.box.y_offset, msg.box.width, msg.box.height),
        centroid=(msg.centroid.x, msg.centroid.y),
        area_fraction=msg.area_fraction,
        outline=polygon_from_msg(msg.outline).astype(np.float32),
        track_id=msg.track_id,
    )


def timing_to_msg(make: Make, timing: Timing) -> Any:
    """Return the `ris_msgs/Timing` of a timing (milliseconds both)."""
    return make("ris_msgs/Timing", **{name: float(value) for name, value in asdict(timing).items()})


def timing_from_msg(msg: object) -> Timing:
    """Return the timing of a `ris_msgs/Timing` (milliseconds both)."""
    return Timing(**{f.name: float(getattr(msg, f.name)) for f in fields(Timing)})


def rle_to_msg(make: Make, mask: Bool, *, above: int = 0, below: int = 0) -> Any:
    """Return the `ris_msgs/Rle` of a mask bool[H,W] with so many empty rows `above` and `below` it."""
    counts = np.array(encode_rle(mask, above=above, below=below), np.uint32)
    return make("ris_msgs/Rle", height=above + mask.shape[0] + below, width=mask.shape[1], counts=counts)


def rle_from_msg(msg: RleMsg) -> Bool | None:
    """Return the mask bool[H,W] of a `ris_msgs/Rle`; None where none was sent.

    Raises:
        DataError: the runs do not add up to the size.
    """
    return decode_rle(np.asarray(msg.counts, np.int64), msg.height, msg.width) if len(msg.counts) else None
