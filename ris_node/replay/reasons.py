# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Reasons why answers to region queries have no target, or one with a reservation, counted by kind."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from ris_node.pipeline.grounding import Grounding
from ris_node.types import RegionTarget

_NUMBER = re.compile(r"-?\d+(\.\d+)?")


class Reason(NamedTuple):
    """A kind of reason: the target's status, the message of the first frame that gave it, and how many did."""

    status: str
    message: str
    frames: int = 1

    def note(self) -> str:
        """Describe it in a line of a summary."""
        first = "the first: " if self.frames > 1 else ""
        what = "targets with a note" if self.status == "OK" else f"frames without a target, {self.status}"
        return f"{self.frames} {what}; {first}{self.message}"


def message_of(grounding: Grounding, target: RegionTarget | None) -> str:
    """Return the node's message on `~/region` and, where it differs, the one on `~/result`."""
    said = (target.message if target is not None else "", grounding.message)
    return "; ".join(dict.fromkeys(filter(None, said)))


def reason_of(row: Mapping[str, Any]) -> Reason | None:
    """Return the reason in a row of the results; None where none is due: nothing asked, not in the picture, no note."""
    if row["status"] != "PRESENT" or not row["target_status"] or not row["message"]:
        return None
    return Reason(row["target_status"], row["message"])


def count_reasons(reasons: Iterable[Reason]) -> list[Reason]:
    """Add reasons up by kind, in the order in which they first came; messages of a kind differ in numbers only."""
    found: dict[tuple[str, str], Reason] = {}
    for reason in reasons:
        key = reason.status, _NUMBER.sub("#", reason.message)
        known = found.get(key)
        found[key] = reason if known is None else known._replace(frames=known.frames + reason.frames)
    return list(found.values())
