# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import threading
import time

import numpy as np
import pytest

pytest.importorskip("rclpy")
pytest.importorskip("ris_msgs")
pytestmark = pytest.mark.ros

from action_msgs.msg import GoalStatus  # noqa: E402
from harness import DEACTIVATE, NODE, Rig, camera_info, rig, tiny, wait_for  # noqa: E402
from rclpy.action import ActionClient  # noqa: E402
from ris_msgs.action import Ground  # noqa: E402
from ris_msgs.msg import Grounding, Query, RegionTarget  # noqa: E402
from std_msgs.msg import String  # noqa: E402

GREY = np.full((480, 640, 3), 120, np.uint8)


class Camera:
    """Publishes frames until it is left; what it shows can be changed."""

    def __init__(self, live: Rig) -> None:
        self._client, self.image = live.client, None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._film)

    def _film(self) -> None:
        while not self._stop.wait(0.03):
            self._client.infos.publish(camera_info())
            self._client.send(self.image)

    def __enter__(self) -> Camera:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


class Goals:
    def __init__(self, live: Rig) -> None:
        self._client = ActionClient(live.client.node, Ground, f"{NODE}/ground")
        assert self._client.wait_for_server(20)
        self.feedback: list = []

    def send(self, text: str, timeout_s: float = 0.0, **fields):
        goal = Ground.Goal(query=Query(text=text), **fields)
        goal.timeout.sec, goal.timeout.nanosec = int(timeout_s), int(timeout_s % 1 * 1e9)
        future = self._client.send_goal_async(goal, feedback_callback=lambda m: self.feedback.append(m.feedback))
        wait_for(future.done, "the goal's acceptance")
        assert future.result().accepted
        return future.result()

    def result(self, handle):
        future = handle.get_result_async()
        wait_for(future.done, "the goal's result")
        return future.result().status, future.result().result


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    with rig(tiny(tmp_path_factory.mktemp("bundle"))) as found:
        yield found


def test_a_goal_succeeds_when_the_target_has_been_steady(live: Rig):
    goals = Goals(live)
    with Camera(live):
        status, result = goals.result(goals.send("stop next to the red car", stable_frames=4))
    assert status == GoalStatus.STATUS_SUCCEEDED and result.success
    assert result.result.status == Grounding.STATUS_PRESENT and result.result.text == "stop next to the red car"
    assert result.target.status == RegionTarget.STATUS_OK and result.target.query_id == result.result.query_id
    wait_for(lambda: goals.feedback and goals.feedback[-1].stable == 4, "the last feedback")
    assert [f.stable for f in goals.feedback] == sorted(f.stable for f in goals.feedback)
    assert goals.feedback[0].phase == Ground.Feedback.PHASE_WAITING_FOR_FRAME
    assert goals.feedback[-1].phase == Ground.Feedback.PHASE_CONFIRMING and goals.feedback[-1].best_score > 0.5
    assert live.client.active_id() == result.result.query_id, "after success the query stays"


def test_steadiness_starts_again_when_the_target_was_gone(live: Rig):
    goals = Goals(live)
    with Camera(live) as camera:
        camera.image = GREY
        handle = goals.send("the green thing", stable_frames=3)
        wait_for(lambda: goals.feedback and goals.feedback[-1].frames >= 3, "frames without it")
        assert goals.feedback[-1].stable == 0
        camera.image = None
        status, result = goals.result(handle)
    assert status == GoalStatus.STATUS_SUCCEEDED and result.result.instances


def quiet(live: Rig) -> bool:
    """Whether no frame has reached the node for half a second."""
    before = live.node.worker.counters
    time.sleep(0.5)
    return before.waiting == 0 and live.node.worker.counters == before


def test_a_goal_ends_when_time_is_up(live: Rig):
    goals = Goals(live)
    with Camera(live) as camera:
        camera.image = GREY
        status, result = goals.result(goals.send("the red thing", timeout_s=2.0))
    assert status == GoalStatus.STATUS_ABORTED and not result.success
    assert "time was up after" in result.message and "ABSENT" in result.message
    wait_for(lambda: live.client.active_id() == "", "the query to be cleared")
    wait_for(lambda: quiet(live), "the last frames on their way")
    status, result = goals.result(goals.send("the red thing", timeout_s=0.3))
    assert status == GoalStatus.STATUS_ABORTED and "no frame came" in result.message


def test_a_goal_can_be_cancelled(live: Rig):
    goals = Goals(live)
    with Camera(live) as camera:
        camera.image = GREY
        handle = goals.send("the red thing")
        wait_for(lambda: goals.feedback and goals.feedback[-1].frames > 1, "frames")
        cancel = handle.cancel_goal_async()
        wait_for(cancel.done, "the cancellation's answer")
        assert len(cancel.result().goals_canceling) == 1
        status, result = goals.result(handle)
    assert status == GoalStatus.STATUS_CANCELED and not result.success and result.message == "cancelled"
    wait_for(lambda: live.client.active_id() == "", "the query to be cleared")


def test_goals_wait_in_line_and_may_be_cancelled_there(live: Rig):
    goals = Goals(live)
    with Camera(live) as camera:
        camera.image = GREY
        first, second, third = (goals.send(text) for text in ("the red thing", "the blue car", "the green thing"))
        wait_for(lambda: live.client.statuses[-1].active_query.text == "the red thing", "the first")
        wait_for(second.cancel_goal_async().done, "the cancellation")
        assert goals.result(second)[0] == GoalStatus.STATUS_CANCELED
        camera.image = None
        assert goals.result(first)[0] == goals.result(third)[0] == GoalStatus.STATUS_SUCCEEDED


def test_a_newer_command_ends_the_goal_and_the_line(live: Rig):
    goals = Goals(live)
    with Camera(live) as camera:
        camera.image = GREY
        handles = [goals.send("the red thing"), goals.send("the blue car")]
        wait_for(lambda: live.client.statuses[-1].active_query.text == "the red thing", "the first")
        live.client.commands.publish(String(data="the green thing"))
        for handle in handles:
            status, result = goals.result(handle)
            assert status == GoalStatus.STATUS_ABORTED and "the green thing" in result.message
    assert live.client.statuses[-1].active_query.text == "the green thing"


def test_min_score_asks_for_more_than_the_threshold(live: Rig):
    goals = Goals(live)
    with Camera(live):
        status, result = goals.result(goals.send("the red thing", timeout_s=2.0, min_score=1.0))
        assert status == GoalStatus.STATUS_ABORTED and "best presence 1.00" in result.message
        assert goals.result(goals.send("the red thing", min_score=0.9))[0] == GoalStatus.STATUS_SUCCEEDED


@pytest.mark.parametrize(
    ("text", "words"), [(" ", "no words"), ("hello", "names nothing"), ("don't stop", "not to do")]
)
def test_what_cannot_be_looked_for_is_refused_with_the_reason(live: Rig, text: str, words: str):
    goals = Goals(live)
    status, result = goals.result(goals.send(text))
    assert status == GoalStatus.STATUS_ABORTED and words in result.message


def test_a_node_that_cannot_place_a_region_or_is_not_active_says_so(tmp_path_factory):
    with rig(tiny(tmp_path_factory.mktemp("bundle"))) as live:
        goals = Goals(live)
        handle = goals.send("stop next to the red car", timeout_s=2.0)
        wait_for(live.client.active_id, "the query")
        live.client.ground()  # and no camera_info
        status, result = goals.result(handle)
        assert status == GoalStatus.STATUS_ABORTED and "PRESENT" in result.message and "camera_info" in result.message
        assert result.target.status == RegionTarget.STATUS_NO_CAMERA
        with Camera(live) as camera:
            camera.image = GREY
            running = goals.send("the red thing")
            wait_for(lambda: goals.feedback, "feedback")
            assert live.client.change(DEACTIVATE)
            status, result = goals.result(running)
            assert status == GoalStatus.STATUS_ABORTED and "deactivated" in result.message
        status, result = goals.result(goals.send("the red thing"))
        assert status == GoalStatus.STATUS_ABORTED and "inactive" in result.message
