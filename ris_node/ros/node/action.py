# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""`~/ground`: look for a query in the stream until it is seen steadily, somebody cancels, or time is up.

A goal makes its query the active one. Goals wait in line for each other; a command given by any other way ends the
goal that runs and those that wait, because the last said wins. After success the query stays active (the stream of
targets goes on); after cancel, timeout or failure it is cleared.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from action_msgs.msg import GoalStatus
from rclpy.action import ActionServer, CancelResponse
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.node import Node
from ris_msgs.action import Ground
from ris_msgs.msg import Grounding as GroundingMsg

from ris_node.errors import CommandError
from ris_node.interface import ACTIONS
from ris_node.messages.grounding import query_from_msg
from ris_node.messages.target import target_to_msg
from ris_node.pipeline.grounding import Grounding
from ris_node.ros.convert.make import make
from ris_node.sensing.queries import ActiveQuery
from ris_node.stamps import NS_PER_S, stamp_to_ns
from ris_node.types import Query, RegionTarget, Status, TargetStatus

_WAITING_MAX = 16


class DeferredActionServer(ActionServer):  # type: ignore[misc]  # rclpy carries no types
    """An action server whose goals run without a callback that waits: `finish` ends an executing goal."""

    def notify_execute(self, goal_handle: Any, execute_callback: Any) -> None:
        """Do nothing when a goal starts to execute; frames drive it."""

    def finish(self, goal_handle: Any, end: Callable[[Any], Any]) -> None:
        """Let `end(goal_handle)` set the final state and return the result, on the executor."""
        super().notify_execute(goal_handle, end)


@dataclass
class _Goal:
    """One goal and how far it has come."""

    handle: Any
    query: Query
    min_score: float
    wanted: int
    deadline_s: float
    active: ActiveQuery | None = None
    frames: int = 0
    stable: int = 0
    best: float = 0.0
    last: Any = None
    target: Any = None
    ended: bool = False
    feedback: Any = field(default_factory=Ground.Feedback)


@dataclass(frozen=True)
class GoalActions:
    """What goals do to the node.

    `start(query)` makes a query the active one (CommandError: it cannot be used), `stop(active, why)` clears it
    if it still is, `ready()` says why the node cannot look for anything now ("" when it can), `listen(on)` asks for
    or declines answers, and `stable_frames()` is the node's own setting.
    """

    start: Callable[[Query], ActiveQuery]
    stop: Callable[[ActiveQuery, str], None]
    ready: Callable[[], str]
    listen: Callable[[bool], None]
    stable_frames: Callable[[], int]


class GroundAction:
    """Serves `~/ground`. `on_answer` runs on the worker's thread, everything else on the executor."""

    def __init__(self, node: Node, actions: GoalActions) -> None:
        self._actions = actions
        self._lock = threading.RLock()
        self._running: _Goal | None = None
        self._line: deque[_Goal] = deque()
        self._server = DeferredActionServer(
            node,
            Ground,
            ACTIONS[0].name,
            execute_callback=_never_called,
            handle_accepted_callback=self._on_accepted,
            cancel_callback=self._on_cancel,
            callback_group=MutuallyExclusiveCallbackGroup(),
            result_timeout=60,
        )

    @property
    def busy(self) -> bool:
        """Whether a goal runs or waits."""
        return self._running is not None or bool(self._line)

    def on_answer(self, grounding: Grounding, msg: Any, target: RegionTarget | None) -> None:
        """Take the answer to a frame."""
        with self._lock:
            goal = self._running
            if goal is None or goal.ended or goal.active is None or msg.query_id != goal.active.query.id:
                return
            goal.frames += 1
            goal.best = max(goal.best, float(grounding.presence))
            goal.last = msg
            if target is not None:
                goal.target = target_to_msg(make, target, msg.query_id, grounding.stamp_ns)
            goal.stable = goal.stable + 1 if _seen(goal, grounding, target) else 0
            self._feedback(goal)
            if goal.stable >= goal.wanted:
                self._end(goal, "", "succeed")

    def on_query(self, now: ActiveQuery | None, why: str) -> None:
        """Another query, or none, has come into force by other means than a goal."""
        with self._lock:
            running = self._running
            if running is None or running.active is None or now is running.active:
                return
            reason = f"another command came: '{now.query.text[:60]}'" if now is not None else f"the query was {why}"
            self.abort_all(reason)

    def abort_all(self, why: str) -> None:
        """End every goal: the node stops, or somebody has said something newer."""
        with self._lock:
            goals = [goal for goal in (self._running, *self._line) if goal is not None]
            self._line.clear()
            for goal in goals:
                self._end(goal, why, "abort")

    def tick(self) -> None:
        """Look at the clock, and start the next goal in line (called several times a second)."""
        with self._lock:
            for goal in [goal for goal in (self._running, *self._line) if goal is not None]:
                if not goal.ended and time.monotonic() > goal.deadline_s:
                    self._end(goal, _timeout_text(goal), "abort")
            self._next()

    def destroy(self) -> None:
        """End all goals and take the server down."""
        self.abort_all("the node is shutting down")
        self._server.destroy()

    def _on_accepted(self, handle: Any) -> None:
        request = handle.request
        timeout_s = stamp_to_ns(request.timeout) / NS_PER_S
        goal = _Goal(
            handle=handle,
            query=Query(""),
            min_score=float(request.min_score),
            wanted=int(request.stable_frames) or self._actions.stable_frames(),
            deadline_s=time.monotonic() + timeout_s if timeout_s > 0.0 else float("inf"),
        )
        with self._lock:
            refusal = self._actions.ready()
            if not refusal and len(self._line) >= _WAITING_MAX:
                refusal = f"{_WAITING_MAX} goals are waiting already: cancel some, or try again later"
            try:
                goal.query = query_from_msg(request.query)
            except CommandError as error:
                refusal = refusal or str(error)
            if refusal:
                self._end(goal, refusal, "abort")
                return
            self._line.append(goal)
            self._next()

    def _next(self) -> None:
        while self._running is None and self._line:
            goal = self._line.popleft()
            if goal.ended:
                continue
            goal.handle.execute()
            self._running = goal
            self._actions.listen(True)
            try:
                goal.active = self._actions.start(goal.query)
            except CommandError as error:
                self._end(goal, str(error), "abort")
                continue
            if not goal.active.command.groundable:
                self._end(goal, goal.active.command.reason, "abort")
            else:
                self._feedback(goal)

    def _on_cancel(self, handle: Any) -> Any:
        with self._lock:
            for goal in (self._running, *self._line):
                if goal is not None and goal.handle is handle and not goal.ended:
                    self._end(goal, "cancelled", "canceled")
                    return CancelResponse.ACCEPT
        return CancelResponse.REJECT

    def _end(self, goal: _Goal, message: str, how: str) -> None:
        if goal.ended:
            return
        goal.ended = True
        if goal is self._running:
            self._running = None
            self._actions.listen(False)
            if how != "succeed" and goal.active is not None:
                self._actions.stop(goal.active, message)
        result = Ground.Result(success=how == "succeed", message=message)
        result.result = goal.last if goal.last is not None else GroundingMsg(text=goal.query.text, message=message)
        if goal.target is not None:
            result.target = goal.target

        def end(handle: Any) -> Any:
            if handle.status == GoalStatus.STATUS_ACCEPTED:  # it never came out of the line
                handle.execute()
            # a cancellation may have been asked for between the decision and this moment
            getattr(handle, "canceled" if handle.is_cancel_requested else how)()
            return result

        self._server.finish(goal.handle, end)

    def _feedback(self, goal: _Goal) -> None:
        feedback = goal.feedback
        searching = Ground.Feedback.PHASE_CONFIRMING if goal.stable else Ground.Feedback.PHASE_SEARCHING
        feedback.phase = searching if goal.frames else Ground.Feedback.PHASE_WAITING_FOR_FRAME
        feedback.frames, feedback.stable, feedback.best_score = goal.frames, goal.stable, goal.best
        goal.handle.publish_feedback(feedback)


def _never_called(_: Any) -> Any:
    return Ground.Result()


def _seen(goal: _Goal, grounding: Grounding, target: RegionTarget | None) -> bool:
    if grounding.status is not Status.PRESENT or grounding.presence < goal.min_score:
        return False
    return target is None or target.status is TargetStatus.OK


def _timeout_text(goal: _Goal) -> str:
    if goal.active is None:
        return "time was up while other goals were running"
    if goal.frames == 0:
        return "time was up and no frame came: check the camera"
    seen = Status(goal.last.status).name if goal.last is not None else "nothing"
    text = f"time was up after {goal.frames} frames; the last was {seen}, best presence {goal.best:.2f}"
    return f"{text}; {goal.target.message}" if goal.target is not None and goal.target.message else text
