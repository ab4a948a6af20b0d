# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ris_node.pipeline.grounding import Grounding
from ris_node.targets.hold import TargetHold, TargetStep, outdated
from ris_node.types import Query, RegionTarget, Status, TargetStatus

OK = RegionTarget(
    status=TargetStatus.OK, frame_id="base_link", position=np.array([8.0, 1.0, 0.0]), covariance=np.eye(6) * 0.01
)
KINDS = ("ok", "no target", "absent", "withdraw")


def answer(query_id: str, stamp_ns: int, target: RegionTarget | None, status: Status = Status.PRESENT) -> Grounding:
    return Grounding(Query("stop there", query_id), status, 0.9, (), 640, 480, stamp_ns=stamp_ns, target=target)


def step_of(hold: TargetHold, kind: str, query_id: str, stamp_ns: int) -> TargetStep | None:
    if kind == "withdraw":
        return hold.withdraw("cancelled")
    target = {"ok": OK, "no target": RegionTarget(status=TargetStatus.NO_CAMERA, frame_id="base_link"), "absent": None}[
        kind
    ]
    return hold.answer(
        answer(query_id, stamp_ns, target, Status.ABSENT if target is None else Status.PRESENT), "base_link"
    )


def test_a_steady_target_is_confirmed_and_taken_back_with_its_own_stamp() -> None:
    hold = TargetHold(frames=2)
    first, second = (hold.answer(answer("a", stamp, OK), "base_link") for stamp in (10, 20))
    assert not first.confirmed and second.confirmed and second.target is OK
    back = hold.withdraw("cancelled")
    assert back is not None and (back.query_id, back.stamp_ns, back.confirmed) == ("a", 20, False)
    assert back.target.status is TargetStatus.STALE and back.target.message.startswith("cancelled: do not drive")
    assert hold.withdraw("again") is None
    assert not hold.answer(answer("a", 30, OK), "base_link").confirmed, "the count began anew"


def test_a_step_says_why_there_is_no_target() -> None:
    step = TargetHold(1).answer(answer("a", 10, None, Status.ABSENT), "map")
    assert step.target.status is TargetStatus.UNSET and "ABSENT" in step.target.message
    assert step.target.frame_id == "map" and not step.confirmed
    late = outdated(answer("a", 10, OK), "map")
    assert late.target.status is TargetStatus.STALE and not late.confirmed


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # the machine may be busy
@given(st.lists(st.tuples(st.sampled_from(KINDS), st.sampled_from("ab")), max_size=30), st.integers(1, 3))
def test_whatever_comes_no_confirmed_target_is_left_standing(events: list[tuple[str, str]], frames: int) -> None:
    """A planner that follows confirmed steps and lets go at any other never follows a target that was withdrawn."""
    hold, followed, agreed = TargetHold(frames), None, 0
    last = ""
    for stamp, (kind, query_id) in enumerate(events, 1):
        step = step_of(hold, kind, query_id, stamp)
        agreed = 0 if kind != "ok" or query_id != last else agreed
        agreed += kind == "ok"
        last = "" if kind == "withdraw" else query_id
        if step is None:
            assert kind == "withdraw" and followed is None
            continue
        assert step.confirmed == (agreed >= frames)
        followed = step.target if step.confirmed else None
        assert (followed is None) or followed.status is TargetStatus.OK
    assert (hold.withdraw("end") is not None) == (followed is not None)
