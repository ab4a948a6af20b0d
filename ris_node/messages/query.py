# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Queries as `ris_msgs/Query`, and back."""

from __future__ import annotations

import math
from enum import IntEnum
from typing import Any, TypeVar

from ris_node.errors import CommandError
from ris_node.messages.common import duration_to_msg, header_to_msg
from ris_node.messages.types import Make, QueryMsg
from ris_node.stamps import NS_PER_S, stamp_to_ns
from ris_node.types import Manoeuvre, Query, QueryKind

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
