# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""What `ris doctor` finds: one fact, how bad it is, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

OK, NOTE, WARNING, BROKEN = "ok", "note", "warning", "broken"
SIGNS = {OK: "ok     ", NOTE: "note   ", WARNING: "warning", BROKEN: "BROKEN "}


@dataclass(frozen=True)
class Finding:
    """One line of the report; `level` BROKEN makes the exit code 1, `advice` says what to do next."""

    area: str
    level: str
    what: str
    advice: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)

    def as_text(self) -> str:
        """Return the finding as one or two lines."""
        advice = f"\n           -> {self.advice}" if self.advice else ""
        return f"  {SIGNS[self.level]}  {self.what}{advice}"

    def as_dict(self) -> dict[str, Any]:
        """Return the finding as JSON-ready values."""
        return asdict(self)
