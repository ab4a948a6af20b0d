# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""`ris record` in a process of its own: a live node's run, latched topics, mixed QoS, Ctrl-C and a kill."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

pytest.importorskip("rclpy")
pytest.importorskip("rosbags")
pytestmark = pytest.mark.ros

from builtin_interfaces.msg import Time  # noqa: E402
from harness import NODE, rig, tiny, wait_for  # noqa: E402
from rclpy.node import Node  # noqa: E402
from rclpy.serialization import deserialize_message  # noqa: E402
from ris_child import interrupted, running, spinning_node  # noqa: E402
from ris_msgs.msg import Grounding, NodeStatus  # noqa: E402
from rosgraph_msgs.msg import Clock  # noqa: E402
from std_msgs.msg import String  # noqa: E402

from ris_node.bags.reader import open_bag  # noqa: E402
from ris_node.bags.typestore import typestore  # noqa: E402
from ris_node.errors import RisError  # noqa: E402
from ris_node.interface import LATCHED, Qos  # noqa: E402
from ris_node.ros.bag.play_bag import PlayBag  # noqa: E402
from ris_node.ros.outputs.publishers import qos_profile  # noqa: E402

RELIABLE, BEST_EFFORT = Qos(depth=100), Qos(depth=100, reliable=False)


@pytest.fixture
def talker(ros_domain: int) -> Iterator[Node]:
    with spinning_node("talker", ros_domain) as node:
        yield node


def heard(publisher: Any, count: int = 1) -> None:
    wait_for(lambda: publisher.get_subscription_count() >= count, "the recorder", 120)
    time.sleep(1.0)  # found by the publisher is not yet found by the subscriber


def test_a_live_run_is_recorded_and_its_latched_status_reaches_late_listeners_again(
    tmp_path: Path, talker: Node
) -> None:
    out = tmp_path / "run"
    with rig(tiny(tmp_path)) as live:
        client = live.client
        client.say("the red square")
        options = ["--out", str(out), "--namespace", live.namespace, "--json"]
        with running("record", *options, domain=live.domain) as child:
            wait_for(lambda: client.images.get_subscription_count() == 2, "the recorder at the camera")
            result = f"{live.namespace}/{NODE}/result"
            wait_for(lambda: client.node.count_subscribers(result) == 2, "the recorder at the results")
            time.sleep(0.3)
            client.results.clear()
            stamps = [client.send() for _ in range(5) if time.sleep(0.1) is None]  # type: ignore[func-returns-value]
            client.result_of(stamps[-1])
            time.sleep(0.3)
            summary = interrupted(child)
        said = [repr(message) for message in client.results]  # it may hold NaN, which equals nothing
    assert summary["messages"][result] == len(said) >= 1
    with PlayBag(out) as bag:
        assert [repr(deserialize_message(m.data, Grounding)) for m in bag.messages({result})] == said
        status = f"{live.namespace}/{NODE}/status"
        assert bag.topics[status].qos.latched, "it stays latched"
        states = [deserialize_message(m.data, NodeStatus).state for m in bag.messages({status})]
        assert states[-1] == NodeStatus.STATE_READY, "and was recorded, though published before"
        assert bag.topics[f"{live.namespace}/image"].qos.reliable is False
    late: list[Any] = []
    with running("play", str(out), "--rate", "0.2") as child:
        time.sleep(2.5)
        talker.create_subscription(NodeStatus, status, late.append, qos_profile(LATCHED))
        wait_for(lambda: late, "the latched status")
    assert late[0].active_query.text == "the red square"


def test_publishers_of_any_qos_are_recorded(tmp_path: Path, talker: Node) -> None:
    """A reliable publisher alone is heard reliably; a best-effort one beside it later is heard too."""
    first = talker.create_publisher(String, "/note", qos_profile(RELIABLE))
    static = talker.create_publisher(String, "/place", qos_profile(LATCHED))
    static.publish(String(data="before the recorder came"))
    out = tmp_path / "bag"
    with running(
        "record", "--out", str(out), "--all", "--exclude", "secret", "--storage", "sqlite3", "--json"
    ) as child:
        heard(first)
        talker.create_publisher(String, "/secret", qos_profile(RELIABLE)).publish(String(data="no"))
        first.publish(String(data="one"))
        second = talker.create_publisher(String, "/note", qos_profile(BEST_EFFORT))
        heard(second)
        for number in range(3):
            second.publish(String(data=f"two {number}"))
            time.sleep(0.05)
        first.publish(String(data="three"))
        wait_for(lambda: len(readable(out)) == 6, "all on the disk")
        summary = interrupted(child)
    # a node of another test may still be on its way out: only what was said here counts
    assert {name: count for name, count in summary["messages"].items() if count} == {"/note": 5, "/place": 1}
    with PlayBag(out) as bag:
        found = [(m.topic, typestore().deserialize_cdr(m.data, m.type).data)
                 for m in bag.messages({"/note", "/place"})]  # fmt: skip
        assert bag.topics["/place"].qos == LATCHED
    assert found[0] == ("/place", "before the recorder came")
    assert [text for name, text in found if name == "/note"] == ["one", "two 0", "two 1", "two 2", "three"]


@pytest.mark.parametrize("storage", ["mcap", "sqlite3"])
def test_a_killed_recorder_leaves_what_was_synced(storage: str, tmp_path: Path, talker: Node) -> None:
    publisher = talker.create_publisher(String, "/note", qos_profile(RELIABLE))
    out = tmp_path / "bag"
    with running("record", "--out", str(out), "--topics", "/note", "--storage", storage) as child:
        heard(publisher)
        for number in range(10):
            publisher.publish(String(data=str(number)))
        wait_for(lambda: len(readable(out)) == 10, "a part on the disk")
        publisher.publish(String(data="perhaps"))
        child.kill()
        child.wait()
    assert readable(out)[:10] == [str(number) for number in range(10)]


def readable(path: Path) -> list[str]:
    """Return what can be read of an unfinished bag."""
    try:
        with open_bag(path) as bag:
            return [typestore().deserialize_cdr(entry.data, entry.type).data for entry in bag.messages()]
    except RisError:
        return []


def test_in_simulated_time_nothing_is_stamped_zero(tmp_path: Path, talker: Node) -> None:
    """What comes before the first /clock, such as a latched status, gets the first time there is."""
    talker.create_publisher(String, "/place", qos_profile(LATCHED)).publish(String(data="early"))
    clock = talker.create_publisher(Clock, "/clock", qos_profile(Qos(1, reliable=False)))
    note = talker.create_publisher(String, "/note", qos_profile(RELIABLE))
    out = tmp_path / "bag"
    with running("record", "--out", str(out), "--topics", "/place", "/note", "--use-sim-time", "--json") as child:
        heard(note)
        heard(clock)

        def arrived() -> bool:
            clock.publish(Clock(clock=Time(sec=1234)))
            time.sleep(0.2)
            note.publish(String(data="now"))
            return "now" in readable(out)

        wait_for(arrived, "the note")
        interrupted(child)
    with open_bag(out) as bag:
        assert {message.log_ns for message in bag.messages()} == {1234 * 10**9}
    assert readable(out)[0] == "early"


def test_what_cannot_be_recorded_is_said(tmp_path: Path) -> None:
    with running("record", "--out", str(tmp_path), "--all") as child:
        _, err = child.communicate(timeout=30)
    assert child.returncode == 2
    assert "exists already" in err
    with running("record", "--out", str(tmp_path / "bag"), "--topics", "/nothing", "--seconds", "0.5") as child:
        _, err = child.communicate(timeout=30)
    assert child.returncode == 1
    assert "no message came" in err


def test_the_qos_overrides_for_ros2_bag() -> None:
    with running("record", "--qos-overrides", "--namespace", "front") as child:
        out, _ = child.communicate(timeout=30)
    profiles = yaml.safe_load(out)
    latched = {name for name, profile in profiles.items() if profile["durability"] == "transient_local"}
    assert latched >= {f"/front/{NODE}/status", "/tf_static"}
    assert f"/front/{NODE}/overlay" not in profiles, "listening to it would make the node draw it"
    assert profiles["/front/image"]["reliability"] == "best_effort"
    assert all(profile["history"] == "keep_last" and profile["depth"] > 0 for profile in profiles.values())
