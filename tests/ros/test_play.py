# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""`ris play` in a process of its own: bytes, order, spacing, clock, latched topics, pause, damage; and a live node."""

from __future__ import annotations

import itertools
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("rclpy")
pytest.importorskip("rosbags")
pytestmark = pytest.mark.ros

from harness import NS, rig, tiny, wait_for  # noqa: E402
from rclpy.node import Node  # noqa: E402
from ris_child import ended, running, spinning_node  # noqa: E402
from rosgraph_msgs.msg import Clock  # noqa: E402
from sensor_msgs.msg import Image  # noqa: E402
from std_msgs.msg import String  # noqa: E402
from std_srvs.srv import Trigger  # noqa: E402

from ris_node.bags.typestore import typestore  # noqa: E402
from ris_node.bags.writer import BagWriter  # noqa: E402
from ris_node.interface import LATCHED, RELIABLE_10, Qos  # noqa: E402
from ris_node.ros.bag.play_bag import PlayBag  # noqa: E402
from ris_node.ros.bag.player import PlayOptions, chosen_topics  # noqa: E402
from ris_node.ros.outputs.publishers import qos_profile  # noqa: E402
from ris_node.stamps import stamp_to_ns  # noqa: E402
from ris_scene.bag import SAID, START_NS, write_scene_bag  # noqa: E402

FRAMES = 12
RELIABLE = Qos(depth=100)


@pytest.fixture(scope="module")
def bag(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """12 frames in 1.1 s, with two commands."""
    return write_scene_bag(
        tmp_path_factory.mktemp("play") / "drive", FRAMES, distinct=3, width=320, height=240, tf=False
    )


@pytest.fixture
def listener(ros_domain: int) -> Iterator[Node]:
    with spinning_node("listener", ros_domain) as node:
        yield node


def playing(bag: Path, *options: str, domain: int | None = None) -> AbstractContextManager[subprocess.Popen[str]]:
    return running("play", str(bag), "--json", *options, domain=domain)


def test_every_message_comes_as_recorded_in_order_and_not_before_its_time(bag: Path, listener: Node) -> None:
    found: list[tuple[str, bytes, float]] = []
    clock: list[int] = []
    for topic, kind in (("/image", Image), ("/command", String), ("/truth/mask", Image)):
        listener.create_subscription(
            kind,
            topic,
            lambda data, topic=topic: found.append((topic, bytes(data), time.monotonic())),
            qos_profile(RELIABLE if topic != "/image" else Qos(100, reliable=False)),
            raw=True,
        )
    listener.create_subscription(
        Clock, "/clock", lambda msg: clock.append(stamp_to_ns(msg.clock)), qos_profile(Qos(1000, reliable=False))
    )
    with playing(bag, "--wait", "20", "--rate", "0.5") as child:
        summary, _ = ended(child)
    assert summary["messages"]["/image"] == FRAMES
    assert summary["loops"] == 1
    with PlayBag(bag) as opened:
        for topic in ("/image", "/truth/mask"):
            recorded = [message.data for message in opened.messages({topic})]
            wait_for(lambda topic=topic: len([f for f in found if f[0] == topic]) >= FRAMES, topic, 10)  # type: ignore[misc]
            assert [data for name, data, _ in found if name == topic] == recorded
    times = [at for name, _, at in found if name == "/image"]
    assert times[-1] - times[0] > 2.0, "11 steps of 0.1 s at half the rate"
    assert clock == sorted(clock)
    assert clock[0] == START_NS
    assert clock[-1] == START_NS + (FRAMES - 1) * NS // 10
    assert len(clock) > 100


def latched_bag(path: Path) -> Path:
    text = typestore().types["std_msgs/msg/String"]
    with BagWriter(path) as bag:
        bag.add_topic("/site", "std_msgs/String", LATCHED)
        bag.add_topic("/count", "std_msgs/String", RELIABLE_10)
        bag.write("/site", START_NS, text(data="old"))
        bag.write("/site", START_NS + NS // 10, text(data="yard"))
        for number in range(30):
            bag.write("/count", START_NS + (number + 2) * NS // 10, text(data=str(number)))
    return path


def test_a_latched_topic_reaches_who_comes_late_even_past_its_message(tmp_path: Path, listener: Node) -> None:
    counted: list[Any] = []
    site: list[Any] = []
    listener.create_subscription(String, "/counted", counted.append, qos_profile(RELIABLE))
    with playing(latched_bag(tmp_path / "bag"), "--start", "1", "--wait", "20", "--remap", "/count:=/counted") as child:
        wait_for(lambda: len(counted) > 3, "messages")
        listener.create_subscription(String, "/site", site.append, qos_profile(LATCHED))
        wait_for(lambda: site, "the latched message")
        ended(child)
    assert [msg.data for msg in site] == ["yard"]
    assert [int(msg.data) for msg in counted] == list(range(8, 30))


def test_pause_by_service_and_by_signal_loses_nothing(tmp_path: Path, listener: Node) -> None:
    counted: list[Any] = []
    times: list[int] = []
    listener.create_subscription(String, "/count", counted.append, qos_profile(RELIABLE))
    listener.create_subscription(
        Clock, "/clock", lambda msg: times.append(stamp_to_ns(msg.clock)), qos_profile(Qos(1, reliable=False))
    )
    pause = listener.create_client(Trigger, "/ris_play/pause")
    with playing(latched_bag(tmp_path / "bag"), "--wait", "20", "--topics", "/count") as child:
        wait_for(lambda: len(counted) > 3, "messages")
        future = pause.call_async(Trigger.Request())
        wait_for(future.done, "the service")
        assert future.result().message.startswith("paused at ")
        time.sleep(0.2)
        before, ticks = len(counted), len(times)
        time.sleep(0.5)
        assert len(counted) == before < 30
        assert len(set(times[ticks:])) == 1, "the clock is told, and stands still"
        child.send_signal(signal.SIGUSR1)
        summary, _ = ended(child)
    wait_for(lambda: len(counted) == 30, "the others")
    assert [int(msg.data) for msg in counted] == list(range(30))
    assert summary["messages"] == {"/count": 30}


@pytest.mark.parametrize("cut", [True, False], ids=["end missing", "middle overwritten"])
def test_of_a_damaged_bag_the_good_part_is_played(cut: bool, tmp_path: Path, listener: Node) -> None:
    broken = write_scene_bag(tmp_path / "broken", FRAMES, compression="storage", width=320, height=240, tf=False)
    file = broken / "broken.mcap"
    data = file.read_bytes()
    middle = len(data) // 2
    file.write_bytes(data[:middle] if cut else data[:middle] + bytes(20_000) + data[middle + 20_000 :])
    found: list[bytes] = []
    listener.create_subscription(Image, "/truth/mask", found.append, qos_profile(RELIABLE), raw=True)
    with playing(broken, "--rate", "10", "--topics", "/truth/mask", "--wait", "20") as child:
        _, err = ended(child, 1)
    assert "broken.mcap" in err
    assert "damaged" in err
    assert 1 <= len(found) < FRAMES


def test_what_cannot_be_played_is_named(bag: Path, tmp_path: Path) -> None:
    for options, part, code in (
        ([str(tmp_path / "no")], "no", 1),
        ([str(bag), "--topics", "/nothing"], "no topic /nothing", 2),
        ([str(bag), "--start", "99"], "the bag has 1.1", 2),
        ([str(bag), "--rate", "0"], "give 0.01 to 100", 2),
        ([str(bag), "--remap", "/image"], "FROM:=TO", 2),
    ):
        with playing(Path(options[0]), *options[1:]) as child:
            _, err = ended(child, code)
        assert part in err, err


def test_all_below_a_name_is_left_out(bag: Path) -> None:
    with PlayBag(bag) as opened:
        chosen, left = chosen_topics(opened, PlayOptions(exclude=("/truth/", "/not/there/", "/command")))
    names = {entry.name for entry in chosen}
    assert {"/truth/mask", "/command"} <= set(left) and "/image" in names
    assert not any(name.startswith("/truth/") for name in names)


def test_a_live_node_in_simulated_time_survives_time_jumping_back(bag: Path, tmp_path: Path) -> None:
    """Five times through: answers each time, indices without a gap, and every frame accounted for."""
    with rig(tiny(tmp_path), use_sim_time=True) as live:
        worker, client = live.node.worker, live.client
        assert worker is not None
        wait_for(lambda: settled(worker.counters), "the camera's last frame")
        first = worker.counters
        client.results.clear()
        remaps = [f"{name}:={live.namespace}{name}" for name in ("/image", "/camera_info", "/command")]
        options = [part for entry in remaps for part in ("--remap", entry)]
        with playing(bag, "--loop", "--rate", "2", "--wait", "20", *options, domain=live.domain) as child:
            wait_for(lambda: jumps(client.results) >= 4, "time to jump back four times", 60)
            child.send_signal(signal.SIGINT)
            summary, _ = ended(child)
        assert summary["loops"] >= 4
        assert summary["messages"]["/image"] >= 4 * FRAMES
        wait_for(lambda: settled(worker.counters), "the last answer")
        counters = worker.counters
        processed, received = counters.processed - first.processed, counters.received - first.received
        wait_for(lambda: len(client.results) == processed, "the results of all frames")
        results = list(client.results)
        # the newest frame always is answered, so each dropped one is counted on the answer after it
        assert len(results) + sum(result.dropped_since_last for result in results) == received
        assert 0.8 * summary["messages"]["/image"] <= received <= summary["messages"]["/image"]
        indices = [result.frame_index for result in results]
        assert indices == list(range(indices[0], indices[0] + len(indices)))
        stamps = [stamp_to_ns(result.header.stamp) for result in results]
        assert set(stamps) <= {START_NS + number * NS // 10 for number in range(FRAMES)}
        assert {result.text for result in results} >= {said.text for said in SAID}
        assert client.ground() is not None, "and it goes on with a camera"


def jumps(results: list[Any]) -> int:
    stamps = [stamp_to_ns(result.header.stamp) for result in list(results)]
    return sum(after < before for before, after in itertools.pairwise(stamps))


def settled(counters: Any) -> bool:
    return bool(counters.waiting == 0 and counters.received == counters.processed + counters.dropped)
