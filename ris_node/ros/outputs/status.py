# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""What the node says about itself on `~/status`: one latched message, sent anew when it changes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Any

from ris_msgs.msg import NodeStatus

from ris_node.errors import printable
from ris_node.messages.grounding import query_to_msg
from ris_node.ros.convert.make import make
from ris_node.runtime.base import BackendInfo
from ris_node.sensing.queries import ActiveQuery


class NodeState(IntEnum):
    """The values of `ris_msgs/NodeStatus.state`."""

    UNLOADED = 0
    LOADING = 1
    BUILDING_ENGINE = 2
    WARMING = 3
    READY = 4
    DEGRADED = 5
    FAULT = 6


@dataclass(frozen=True)
class Report:
    """Everything `~/status` carries but the stamp.

    `message` is of the moment; `degraded` (the stream), `unheard` (publishers that do not connect) and `impaired` (the
    model: another precision or runtime than was meant) last and make READY into DEGRADED; `waiting` (for a first frame)
    does not.
    """

    state: NodeState = NodeState.UNLOADED
    progress: float = 0.0
    query: ActiveQuery | None = None
    info: BackendInfo | None = None
    model_id: str = ""
    message: str = ""
    degraded: str = ""
    impaired: str = ""
    unheard: str = ""
    waiting: str = ""

    @property
    def shortfall(self) -> str:
        """Everything that makes READY into DEGRADED, in words; empty where nothing does."""
        return "; ".join(text for text in (self.impaired, self.unheard, self.degraded) if text)

    @property
    def shown(self) -> NodeState:
        """The state as others see it."""
        return NodeState.DEGRADED if self.state is NodeState.READY and self.shortfall else self.state


class StatusBoard:
    """Keeps the node's report and publishes it when it changes. Thread-safe.

    Args:
        publish: sends a NodeStatus message.
        now: the current stamp as a message.
    """

    def __init__(self, publish: Callable[[Any], None], now: Callable[[], Any]) -> None:
        self._publish = publish
        self._now = now
        self._lock = threading.RLock()
        self._report = Report()
        self._closed = False

    @property
    def report(self) -> Report:
        """What was said last."""
        return self._report

    def update(self, **changes: Any) -> None:
        """Change some of the report's fields and publish it, if it then differs."""
        with self._lock:
            report = replace(self._report, **changes)
            if report == self._report or self._closed:
                return
            self._report = report
            self._publish(self.message())

    def close(self) -> None:
        """Say nothing any more: the publisher is about to go."""
        with self._lock:
            self._closed = True

    def message(self) -> Any:
        """The report as a `ris_msgs/NodeStatus`."""
        report = self._report
        msg = NodeStatus(
            state=int(report.shown),
            progress=float(report.progress),
            model_id=report.model_id,
            message=printable("; ".join(text for text in (report.shortfall, report.waiting, report.message) if text)),
        )
        msg.header.stamp = self._now()
        if report.query is not None:
            msg.active_query = query_to_msg(make, report.query.query)
        if report.info is not None:
            info = report.info
            msg.backend, msg.provider, msg.precision = info.backend, info.provider, info.precision
            msg.device, msg.engine_key = info.device, info.engine_key
        return msg
