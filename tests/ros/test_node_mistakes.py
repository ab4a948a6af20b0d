# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Ordinary mistakes, one after another in every order: each gets its answer, the node lives and the log stays short."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import cycle, permutations
from pathlib import Path

import pytest

pytest.importorskip("rclpy")
pytest.importorskip("ris_msgs")
pytestmark = pytest.mark.ros

from harness import GREEN, Rig, diagnostics, image_msg, near, rig, tiny, wait_for  # noqa: E402
from harness import box_of as box  # noqa: E402
from rcl_interfaces.srv import SetParameters  # noqa: E402
from rclpy.parameter import Parameter  # noqa: E402
from rclpy.serialization import serialize_message  # noqa: E402
from ris_msgs.msg import Grounding  # noqa: E402
from std_msgs.msg import String  # noqa: E402
from std_srvs.srv import Trigger  # noqa: E402

from ris_node.ros.node import answering  # noqa: E402
from ris_node.ros.outputs.images import ImageOutputs  # noqa: E402
from ris_node.types import Status  # noqa: E402


@pytest.fixture(scope="module")
def bundle(tmp_path_factory) -> Path:
    return tiny(tmp_path_factory.mktemp("bundle"))


def bad_frames(live: Rig) -> None:
    for _ in range(3):
        result = live.client.ground(encoding="rgb899")
        assert result.status == Grounding.STATUS_ERROR and "rgb899" in result.message


def refused_commands(live: Rig) -> None:
    client, active = live.client, live.client.active_id()
    no_utf8 = serialize_message(String(data="the b\x02ue thing")).replace(b"\x02", b"\xff")  # as C++ may publish
    for said in (String(data="x" * 5000), String(data="\x01\x02\x1b"), no_utf8):
        client.statuses.clear()
        client.commands.publish(said)
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
        assert output.count("command refused") == 3, output


def counted(live: Rig) -> dict[str, str]:
    return {pair.key: pair.value for pair in diagnostics(live.client).values}


def broken(*_: object) -> None:
    raise ZeroDivisionError("on \udcff purpose")  # as in names of files that are no UTF-8


def test_whatever_a_frame_raises_it_gets_an_error_and_the_next_is_answered(bundle: Path, monkeypatch):
    with rig(bundle) as live:
        client, node = live.client, live.node
        query_id = client.say("stop next to the green thing")
        with monkeypatch.context() as patch:
            patch.setattr(node.engine.grounder, "ground", broken)
            result = client.ground()
        assert result.status == Grounding.STATUS_ERROR and r"ZeroDivisionError: on \udcff purpose" in result.message
        assert result.query_id == query_id and (result.width, result.height) == (640, 480)
        with monkeypatch.context() as patch:
            inner = answering.grounding_to_msg
            patch.setattr(
                answering,
                "grounding_to_msg",
                lambda make, g, header: broken() if g.status != Status.ERROR else inner(make, g, header),
            )
            result = client.ground()
        assert result.status == Grounding.STATUS_ERROR and "ZeroDivisionError" in result.message
        assert client.ground().status == Grounding.STATUS_PRESENT


@pytest.mark.parametrize("part", ["targets", "images"])
def test_an_output_that_fails_costs_nothing_else(bundle: Path, monkeypatch, part: str):
    with rig(bundle) as live:
        client, node = live.client, live.node
        masks: list = []
        client.listen("~/label_mask", masks)
        client.say("stop next to the green thing")
        wait_for(lambda: client.ground() and masks, "a mask")
        masks.clear()
        with monkeypatch.context() as patch:
            owner, name = (node.targets, "answer") if part == "targets" else (ImageOutputs, "publish")
            patch.setattr(owner, name, broken)
            assert client.ground().status == Grounding.STATUS_PRESENT
        if part == "targets":
            wait_for(lambda: masks, "the frame's mask all the same")
        assert client.ground().status == Grounding.STATUS_PRESENT
        assert int(counted(live)["bad_frames"]) >= 1


def test_messages_that_are_none_do_not_end_the_node(bundle: Path):
    with rig(bundle, own_process=True) as live:
        client = live.client
        client.say("the red thing")
        assert client.ground().status == Grounding.STATUS_PRESENT
        whole = serialize_message(image_msg(5))
        kinds = cycle((whole[:10], whole[:40], b"\0\1\0\0" + b"\xff" * 60))

        def said() -> bool:
            data = next(kinds)  # again and again: best effort with depth 1 keeps only the newest
            client.images.publish(data)
            client.infos.publish(data)
            time.sleep(0.05)
            return "is no Image" in live.server.output

        wait_for(said, "the reason in the log")
        assert client.ground().status == Grounding.STATUS_PRESENT
        assert live.server.process.poll() is None and "Traceback" not in live.server.output
        told = counted(live)
        assert int(told["received"]) == sum(int(told[name]) for name in ("processed", "dropped", "waiting"))
