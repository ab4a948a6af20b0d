# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Node beside its bare network in float32, the precision in which the goal for their ratio was set.

INT8 halves the network's time and leaves everything around it as it is, so that the same node has a larger ratio.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from ris_node.bench.inprocess import BareNetwork, Passes
from ris_node.bench.live import Live, Load, summary
from ris_node.bench.pictures import Pictures
from ris_node.bundle.bundle import Bundle
from ris_node.config import ModelConfig
from ris_node.report.values import finite
from ris_node.runtime.base import Array

PRECISION = "fp32"
_PACE = 400.0  # milliseconds a second that the bare network may take, so that no frame has to wait


@dataclass
class Leg:
    """Bare network and node over DDS, both in float32, at the goal's size; paced at `rate_hz`."""

    size: str
    bare: Passes = field(default_factory=Passes)
    paced: Load = field(default_factory=Load)
    rate_hz: float = 0.0

    @property
    def ratio(self) -> float:
        """The node's median over the bare network's, of the same round, the median over rounds."""
        return self.paced.end_to_end.ratio(self.bare.total)

    def to_json(self) -> dict[str, Any]:
        """Return what was measured as JSON."""
        return {
            "size": self.size,
            "pace_hz": round(self.rate_hz, 2),
            "bare_network": {**self.bare.total.to_json(), "cpu_ms": finite(self.bare.cpu.p50)},
            "node_paced": summary(self.paced),
            "node/network": finite(self.ratio),
        }


@dataclass(frozen=True)
class Turn:
    """Settings of a leg: the command, `passes` of each part a round, and the log function `say`."""

    config: ModelConfig
    text: str
    rounds: int
    passes: int
    say: Callable[[str], None]


def float32_leg(turn: Turn, processes: Live, bundle: Bundle, pictures: Pictures, feeds: dict[str, Array]) -> Leg:
    """Start the node anew in float32 and give it and its bare network their turns.

    Raises:
        RisError: the bundle has no float32 graph, or a process of the bench does not work.
    """
    leg = Leg(pictures.size)
    bare = BareNetwork(bundle, replace(turn.config, precision=PRECISION), feeds, spinning=False)
    warm = Passes()
    bare.run(5, warm)
    leg.rate_hz = max(0.5, min(30.0, _PACE / warm.total.p50))
    turn.say("starting the node in float32")
    processes.start_node(PRECISION)
    processes.connect(turn.text)
    for k in range(turn.rounds):
        turn.say(f"float32, round {k + 1} of {turn.rounds}, {leg.size}")
        bare.run(turn.passes, leg.bare)
        time.sleep(0.2)
        processes.run(leg.size, leg.rate_hz, turn.passes, leg.paced)
    return leg
