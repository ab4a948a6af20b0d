# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Commands from topics, services and goals come together here; the last one said wins."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

from ris_msgs.msg import Query as QueryMsg
from std_msgs.msg import String

from ris_node.errors import CommandError
from ris_node.interface import topic
from ris_node.messages.grounding import query_from_msg
from ris_node.ros.convert.reading import listen
from ris_node.ros.node.lifecycle import ACTIVE, INACTIVE
from ris_node.ros.outputs.publishers import publishers_of, qos_profile
from ris_node.sensing.losses import Gaps
from ris_node.sensing.queries import ActiveQuery, Queries
from ris_node.types import Query

if TYPE_CHECKING:
    from ris_node.ros.logs import NodeLogger
    from ris_node.ros.node.action import GroundAction
    from ris_node.ros.node.params import NodeParameters
    from ris_node.ros.outputs.diagnostics import Meter
    from ris_node.ros.outputs.publishers import Publishers
    from ris_node.ros.outputs.status import StatusBoard
    from ris_node.ros.outputs.targets import TargetOutputs


class CommandedNode(Protocol):
    """The part of the node that commands need."""

    phase: str
    parameters: NodeParameters
    log: NodeLogger
    status: StatusBoard
    outputs: Publishers
    targets: TargetOutputs
    goals: GroundAction
    meter: Meter

    def now_ns(self) -> int:
        """Return the node's clock in nanoseconds."""


class Commands:
    """Subscribes to `command` and `query`, and tells the rest of the node which query is in force."""

    def __init__(self, node: CommandedNode) -> None:
        self._node = node
        self._log = node.log
        self.queries = Queries(lambda: node.parameters.config.query, self._on_change)
        self._gaps: list[Gaps] = []
        for message, name, callback in ((String, "command", self._on_command), (QueryMsg, "query", self._on_query)):
            self._listen(message, name, callback)

    @property
    def lost(self) -> int:
        """How many commands are known to be lost: published faster than they are taken, 10 wait."""
        return sum(gaps.lost for gaps in self._gaps)

    def restart(self) -> None:
        """Count lost commands from 0 again (configure)."""
        for gaps in self._gaps:
            gaps.lost = 0

    def say(self, query: Query) -> ActiveQuery:
        """Make a query the active one; a refusal is published too.

        Raises:
            CommandError: it cannot be used, or not in this state.
        """
        try:
            if self._node.phase not in (INACTIVE, ACTIVE):
                raise CommandError(f"the node is {self._node.phase}: configure and activate it, then say it again")
            return self.queries.set(query, self._node.now_ns())
        except CommandError as error:
            self._refuse(str(error))
            raise

    def say_default(self, text: str) -> None:
        """Say the default query, unless there is a query or no default."""
        if text and self.queries.active is None:
            self._try(Query(text, source="default_query"))

    def clear(self) -> str:
        """Clear the active query; returns what happened."""
        return "cleared" if self.queries.clear("cleared") else "there was no active query"

    def stop(self, active: ActiveQuery, why: str) -> None:
        """Clear the query if it is still this one."""
        if self.queries.active is active:
            self.queries.clear(why)

    def _listen(self, message: Any, name: str, callback: Callable[[Any], None]) -> None:
        node, gaps = self._node, Gaps()
        self._gaps.append(gaps)
        subscription = listen(
            node,
            message,
            name,
            callback,
            qos_profile(topic(name).qos),
            arrived=lambda info: gaps.take(info, publishers_of(node, subscription)),
            unreadable=self._refuse,
        )

    def _on_command(self, msg: Any) -> None:
        self._try(Query(msg.data, source="command", stamp_ns=self._node.now_ns()))

    def _on_query(self, msg: Any) -> None:
        try:
            query = query_from_msg(msg)
        except CommandError as error:
            self._refuse(str(error))
        else:
            self._try(query)

    def _try(self, query: Query) -> None:
        with suppress(CommandError):
            self.say(query)

    def _refuse(self, reason: str) -> None:
        text = f"command refused: {reason}"
        self._log.warning(text, every=1.0)
        self._node.status.update(message=text)
        self._tell(text)

    def _tell(self, text: str) -> None:
        """Publish on a topic that needs no ris_msgs."""
        self._node.outputs.publish("~/feedback", String(data=text))

    def _on_change(self, now: ActiveQuery | None, why: str) -> None:
        node = self._node
        node.targets.withdraw(why or "another command came")
        node.goals.on_query(now, why)
        if now is None:
            text = f"query {why}"
            node.status.update(query=None, message=text)
        else:
            text = f"query {now.query.id}: '{now.command.text}' ({now.command.kind.name.lower()})"
            node.status.update(query=now, message=now.command.reason)
        self._log.info(text)
        self._tell(text)
