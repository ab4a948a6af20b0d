# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Around rclpy's lifecycle: refused transitions that do not end the node, reasons that are said, and autostart."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Protocol

from rclpy.lifecycle import TransitionCallbackReturn

UNCONFIGURED, INACTIVE, ACTIVE, FINALIZED = "unconfigured", "inactive", "active", "finalized"


class StartedNode(Protocol):
    """The part of a lifecycle node that `Autostart` needs."""

    phase: str

    def trigger_configure(self) -> TransitionCallbackReturn:
        """Configure the node."""

    def trigger_activate(self) -> TransitionCallbackReturn:
        """Activate the node."""


Transition = Callable[[Any, Any], TransitionCallbackReturn]


def guard_transitions(node: Any) -> None:
    """Answer a transition that the state does not allow with `success: false`.

    rclpy lets the error out of the service's callback, which would end the executor
    (https://github.com/ros2/rclpy/blob/jazzy/rclpy/rclpy/lifecycle/node.py, `__on_change_state`).
    """
    service = node._service_change_state
    inner = service.callback

    def guarded(request: Any, response: Any) -> Any:
        try:
            return inner(request, response)
        except Exception as error:
            wanted = request.transition.label or request.transition.id
            reason = str(error).splitlines()[0]
            node.log.warning(f"transition '{wanted}' is not possible while {node.phase}: {reason}")
            response.success = False
            return response

    service.callback = guarded


def told(transition: Transition) -> Transition:
    """Log what a transition callback raises; rclpy swallows it on the way to error processing."""

    @wraps(transition)
    def telling(node: Any, state: Any) -> TransitionCallbackReturn:
        try:
            return transition(node, state)
        except Exception as error:
            node.log.error(f"{transition.__name__} failed, {type(error).__name__}: {error}")
            raise

    return telling


class Autostart:
    """Configures and activates a node that has no manager; tries again only when asked to.

    `ready()` tells whether the model has loaded (None: still loading).
    """

    def __init__(self, node: StartedNode, ready: Callable[[], bool | None], *, wanted: bool) -> None:
        self._node = node
        self._ready = ready
        self.enabled = wanted
        self._wanted = wanted

    def again(self) -> None:
        """Start once more, after the reason for a failure has gone."""
        self._wanted = self.enabled

    def tick(self) -> None:
        """Take the next step, if one is due (called several times a second)."""
        if not self._wanted:
            return
        if self._node.phase == UNCONFIGURED:
            done = self._node.trigger_configure()
            self._wanted = done == TransitionCallbackReturn.SUCCESS
        elif self._node.phase == INACTIVE and self._ready() is not None:
            self._wanted = False
            if self._ready():
                self._node.trigger_activate()
        elif self._node.phase not in (UNCONFIGURED, INACTIVE):
            self._wanted = False
