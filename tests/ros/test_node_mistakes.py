# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Ordinary mistakes, one after another in every order: each gets its answer, the node lives and the log stays short."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations
from pathlib import Path

import pytest

pytest.importorskip("rclpy")
pytest.importorskip("ris_msgs")
pytestmark = pytest.mark.ros

from harness import GREEN, Rig, near, rig, tiny, wait_for  # noqa: E402
from harness import box_of as box  # noqa: E402
from rcl_interfaces.srv import SetParameters  # noqa: E402
from rclpy.parameter import Parameter  # noqa: E402
from ris_msgs.msg import Grounding  # noqa: E402
from std_msgs.msg import String  # noqa: E402
from std_srvs.srv import Trigger  # noqa: E402


@pytest.fixture(scope="module")
def bundle(tmp_path_factory) -> Path:
    return tiny(tmp_path_factory.mktemp("bundle"))


def bad_frames(live: Rig) -> None:
    for _ in range(3):
        result = live.client.ground(encoding="rgb899")
        assert result.status == Grounding.STATUS_ERROR and "rgb899" in result.message


def refused_commands(live: Rig) -> None:
    client, active = live.client, live.client.active_id()
    for text in ("x" * 5000, "\x01\x02\x1b"):
        client.statuses.clear()
        client.commands.publish(String(data=text))
        wait_for(lambda: any("command refused" in s.message for s in client.statuses), "the refusal on ~/status")
        assert client.active_id() == active, "the command before it stays in force"


def missing_bundle(live: Rig) -> None:
    client = live.client
    request = SetParameters.Request(parameters=[Parameter("model_dir", value="/nowhere").to_parameter_msg()])
    assert client.call(SetParameters, "set_parameters", request).results[0].successful
    assert not client.call(Trigger, "reload_model", Trigger.Request()).success


MISTAKES: tuple[Callable[[Rig], None], ...] = (bad_frames, refused_commands, missing_bundle)


@pytest.mark.parametrize("order", list(permutations(MISTAKES))[::2], ids=lambda order: order[0].__name__)
def test_mistakes_in_any_order(bundle: Path, order: tuple[Callable[[Rig], None], ...]):
    """A fresh process for each order: what is logged first decides what rclpy expects of a line."""
    with rig(bundle, own_process=True) as live:
        client = live.client
        query_id = client.say("the green thing")
        for mistake in order:
            mistake(live)
        result = client.ground()
        assert result.status == Grounding.STATUS_PRESENT and near(box(result), GREEN) and result.query_id == query_id
        output = live.server.output
        assert live.server.process.poll() is None
        assert "logging filter" not in output and "Traceback" not in output and "callback failed" not in output
        assert output.count("command refused") == 2, output
