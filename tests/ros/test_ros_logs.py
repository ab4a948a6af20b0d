# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import logging
import sys

import pytest

pytest.importorskip("rclpy")
pytestmark = pytest.mark.ros

from rclpy.logging import get_logger  # noqa: E402

from ris_node.ros.logs import NodeLogger, RosLogHandler  # noqa: E402

LEVELS = ("debug", "info", "warning", "error")


class Time:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def lines(capfd) -> list[str]:
    return [line.split("]: ", 1)[1] for line in capfd.readouterr().err.splitlines() if "]: " in line]


def test_seldom_and_plain_lines_of_every_level_come_from_one_place(capfd):
    log, texts = NodeLogger(get_logger("test_logs"), lambda: True), []
    for turn, every in zip("abcd", (0.0, 5.0, 1.0, 0.0), strict=True):
        for level in LEVELS:
            texts.append(f"{level} {turn}")
            getattr(log, level)(texts[-1], every=every)
    log.fatal("the end")
    assert lines(capfd) == [*(text for text in texts if not text.startswith("debug")), "the end"]


def test_a_seldom_line_says_how_many_were_left_out(capfd):
    time = Time()
    log = NodeLogger(get_logger("test_seldom"), lambda: True, time)
    for number in range(4):
        log.warning(f"frame {number} is bad", every=5.0, key="frame")
        log.warning(f"another, at character {number}", every=5.0)
    time.now_s += 5.0
    log.warning("frame 4 is bad", every=5.0, key="frame")
    log.warning("frame 5 is bad", every=5.0, key="frame")
    assert lines(capfd) == [
        "frame 0 is bad",
        "another, at character 0",
        "frame 4 is bad (and 3 more since the last such line)",
    ]


def test_keys_do_not_pile_up(capfd):
    log = NodeLogger(get_logger("test_keys"), lambda: True, Time())
    for number in range(1000):
        log.info(f"refused: {'x' * number}", every=1.0)
    assert len(lines(capfd)) == 1000 and len(log._said) < 100


@pytest.mark.parametrize("text", ["name \udcff.png", "a\0b", "\x1b[31m", "x" * 100_000, "%s %d {}"])
def test_no_text_is_too_odd_to_be_logged(capfd, text: str):
    log = NodeLogger(get_logger("test_odd"), lambda: True)
    log.warning(text)
    log.warning("still here")
    assert lines(capfd)[-1] == "still here"


def test_a_logger_that_raises_is_left_out(capfd, monkeypatch):
    class Broken:
        def error(self, text: str) -> None:
            raise ValueError("Requested logging filters cannot be changed between calls.")

    log = NodeLogger(Broken(), lambda: True)
    log.error("a callback failed")
    assert "error: 'a callback failed' (not logged, ValueError" in capfd.readouterr().err
    monkeypatch.setattr(sys, "stderr", None)
    log.error("once more")


def test_a_record_of_the_core_whose_arguments_do_not_fit_is_logged_all_the_same(capfd):
    core = logging.Logger("core")
    core.addHandler(RosLogHandler(NodeLogger(get_logger("test_core"), lambda: True)))
    core.warning("%d frames", "many")
    core.error("%s", "an error")
    assert lines(capfd) == ["%d frames ('many',)", "an error"]


def test_nothing_is_logged_after_the_context_has_ended(capfd):
    NodeLogger(get_logger("test_late"), lambda: False).warning("late")
    assert lines(capfd) == []
