# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""What the node gives to its parts, so that none of them needs to know the node."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ris_node.ros.node.action import GoalActions
from ris_node.ros.node.answering import AnswerContext
from ris_node.ros.node.lifecycle import ACTIVE
from ris_node.ros.node.services import ServiceActions
from ris_node.ros.outputs.images import ImageOutputs

if TYPE_CHECKING:
    from ris_node.ros.node.node import GroundingNode


def answer_context(node: GroundingNode) -> AnswerContext:
    """What answering a frame takes."""
    return AnswerContext(
        grounder=lambda: node.engine.grounder,
        config=lambda: node.live,
        camera=node.camera,
        publishers=node.outputs,
        targets=node.targets,
        images=ImageOutputs(node.outputs, lambda: node.live.output),
        meter=node.meter,
        now_ns=node.now_ns,
        active=lambda: node.commands.queries.active,
        log=node.log,
    )


def goal_actions(node: GroundingNode) -> GoalActions:
    """What goals may do."""

    def ready() -> str:
        return "" if node.phase == ACTIVE else f"the node is {node.phase}: activate it first"

    def listen(on: bool) -> None:
        node.answerer.listener = node.goals.on_answer if on else None

    return GoalActions(
        start=node.commands.say,
        stop=node.commands.stop,
        ready=ready,
        listen=listen,
        stable_frames=lambda: node.live.region.stable_frames,
    )


def service_actions(node: GroundingNode) -> ServiceActions:
    """What services may do."""
    return ServiceActions(
        set_query=node.commands.say,
        clear_query=node.commands.clear,
        enable=node.source.enable,
        reload=node.reload,
        loaded=lambda: (node.engine.loading, node.engine.error),
        worker=lambda: node.worker,
        grounder=lambda: node.engine.grounder,
    )


def extras(node: GroundingNode) -> dict[str, str]:
    """What `/diagnostics` says beside state, model, frames and latency."""
    return {
        "lifecycle": node.phase,
        "missing": ", ".join(sorted(node.outputs.missing)),
        "note": node.camera.note,
        "not_heard_by": node.mismatches.outputs,
        "camera_infos": str(node.source.loss.infos),
        "frames_lost": str(node.source.loss.lost),
        "commands_lost": str(node.commands.lost),
    }
