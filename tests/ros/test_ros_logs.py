# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Log calls of the node: throttled and plain lines in any order, and none that can raise."""

from __future__ import annotations

import logging

import pytest

pytestmark = pytest.mark.ros
pytest.importorskip("rclpy")
pytest.importorskip("ris_msgs")

import numpy as np  # noqa: E402
from harness import Rig, image_msg, rig, tiny, wait_for  # noqa: E402
from rclpy.logging import get_logger  # noqa: E402
from ris_msgs.msg import Grounding  # noqa: E402
from std_msgs.msg import String  # noqa: E402

from ris_node.ros.logs import NodeLogger, RosLogHandler  # noqa: E402


class _Kept:
    """Stands for a rclpy logger; keeps the lines, or raises as rclpy does."""

    def __init__(self, error: Exception | None = None) -> None:
        self.lines: list[str] = []
        self._error = error

    def warning(self, message: str) -> None:
        if self._error is not None:
            raise self._error
        self.lines.append(message)

    error = info = debug = warning


def test_throttled_and_plain_lines_share_a_real_logger_in_any_order() -> None:
    log = NodeLogger(get_logger("order"), lambda: True)
    for _ in range(2):
        log.warning("plain")
        log.warning("throttled", every=5.0, key="a")
        log.error("throttled", every=1.0, key="b")
        log.error("plain")
        RosLogHandler(log).emit(logging.LogRecord("ris_node", logging.WARNING, "", 0, "from the core", (), None))


def test_lines_with_one_key_are_throttled_by_time() -> None:
    kept, now = _Kept(), [0.0]
    log = NodeLogger(kept, lambda: True, lambda: now[0])
    for now[0] in (0.0, 4.9, 5.0, 9.9, 10.1):
        log.warning(f"at {now[0]}", every=5.0, key="frames")
    log.warning("other", every=5.0, key="other")
    assert kept.lines == ["at 0.0", "at 5.0", "at 10.1", "other"]


def test_a_line_that_rclpy_refuses_goes_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    NodeLogger(_Kept(ValueError("filters")), lambda: True).error("what happened")
    assert "what happened" in capsys.readouterr().err


def test_nothing_is_logged_after_the_context_has_ended() -> None:
    kept = _Kept()
    NodeLogger(kept, lambda: False).warning("late")
    assert kept.lines == []


def _bad_frames(live: Rig) -> None:
    for _ in range(3):
        stamp_ns = live.client.next_stamp()
        msg = image_msg(stamp_ns, np.zeros((48, 64, 3), np.uint8))
        msg.encoding = "no_such_encoding"
        live.client.images.publish(msg)
        result = live.client.result_of(stamp_ns)
        assert result.status == Grounding.STATUS_ERROR and "no_such_encoding" in result.message


def _refused_command(live: Rig) -> None:
    before = live.client.active_id()
    live.client.commands.publish(String(data="x" * 5000))
    wait_for(lambda: any("command refused" in status.message for status in live.client.statuses), "the refusal")
    assert live.client.active_id() == before


@pytest.mark.parametrize("steps", [(_bad_frames, _refused_command), (_refused_command, _bad_frames)])
def test_bad_frames_and_a_refused_command_in_any_order(tmp_path_factory: pytest.TempPathFactory, steps: tuple) -> None:
    with rig(tiny(tmp_path_factory.mktemp("bundle")), own_process=True) as live:
        live.client.say("the red thing")
        for step in steps:
            step(live)
        assert live.client.ground().status == Grounding.STATUS_PRESENT
        assert "Requested logging filters" not in live.server.output
