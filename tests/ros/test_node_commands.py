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

from harness import BLUES, GREEN, RED, Rig, box_of, image_msg, near, rig, tiny, wait_for  # noqa: E402
from ris_msgs.msg import Grounding, Query  # noqa: E402
from ris_msgs.srv import SetQuery  # noqa: E402
from std_msgs.msg import String  # noqa: E402
from std_srvs.srv import Trigger  # noqa: E402

SWAPS = 1000
TRUTH = {"the red thing": (RED,), "the green thing": (GREEN,), "the blue thing": BLUES}


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    with rig(tiny(tmp_path_factory.mktemp("bundle"))) as found:
        yield found


def matches(result: Grounding) -> bool:
    """Whether the mask is that of the command the result is labelled with."""
    boxes = [box_of(result, number) for number in range(len(result.instances))]
    return bool(boxes) and all(any(near(box, truth) for truth in TRUTH[result.text]) for box in boxes)


def test_a_thousand_command_swaps_at_full_load_never_mislabel(tmp_path_factory):
    """The node in a process of its own, the camera faster than it, commands as fast as they are taken."""
    with rig(tiny(tmp_path_factory.mktemp("bundle")), own_process=True) as live:
        client = live.client
        said: dict[str, str] = {}
        stop = threading.Event()

        def camera() -> None:
            msg = image_msg(0)
            while not stop.is_set():
                for _ in range(3):  # at once: however fast the node is, it cannot take them all
                    stamp_ns = client.next_stamp()
                    msg.header.stamp.sec, msg.header.stamp.nanosec = divmod(stamp_ns, 10**9)
                    client.images.publish(msg)
                time.sleep(0.006)

        filming = threading.Thread(target=camera)
        filming.start()
        try:
            texts = list(TRUTH)

            def swapped() -> bool:
                """A busy machine answers fewer frames in the same time: then there are more swaps."""
                for _ in range(SWAPS // 10):
                    query_id, text = f"swap-{len(said)}", texts[len(said) % 3]
                    said[query_id] = text
                    client.queries.publish(Query(id=query_id, text=text))
                    time.sleep(0.004)
                return len(said) >= SWAPS and came_and_went() > 100

            def came_and_went() -> int:
                return len({r.query_id for r in list(client.results)})

            wait_for(swapped, "commands that come and go while frames are answered", 60.0)
            last = f"swap-{len(said) - 1}"
            wait_for(lambda: client.results[-1].query_id == last, "the last command's answers", 60.0)
            wait_for(lambda: sum(r.dropped_since_last for r in list(client.results)) > 50, "frames that are dropped")
        finally:
            stop.set()
            filming.join()
        results = [r for r in client.results if r.query_id in said]
        wrong = [r for r in results if r.text != said[r.query_id] or not matches(r)]
        assert not wrong, f"{len(wrong)} of {len(results)}, first {wrong[0].query_id} {wrong[0].text}"
        assert all(r.status in (Grounding.STATUS_PRESENT, Grounding.STATUS_AMBIGUOUS) for r in results)


def test_two_commands_at_once_keep_their_order(live: Rig):
    client = live.client
    for round_number in range(20):
        first, second = f"first-{round_number}", f"second-{round_number}"
        client.queries.publish(Query(id=first, text="the red thing"))
        client.queries.publish(Query(id=second, text="the green thing"))
        wait_for(lambda second=second: client.active_id() == second, "the second")
        assert client.ground().query_id == second


@pytest.mark.parametrize("text", ["", "  \t ", "x" * 10_000, "🚗🚙", "\x01\x02\x1b"])
def test_commands_that_cannot_be_used_are_refused_with_a_reason(live: Rig, text: str):
    client = live.client
    query_id = client.say("the red thing")
    client.commands.publish(String(data=text))
    wait_for(lambda: "command refused" in client.statuses[-1].message, "the refusal on ~/status")
    assert client.active_id() == query_id
    assert client.ground().query_id == query_id


@pytest.mark.parametrize("text", ["das rote Auto", "赤い車", "the red\x07 thing\u200b 🚗"])
def test_odd_commands_are_answered(live: Rig, text: str):
    client = live.client
    query_id = client.say(text)
    assert client.ground().query_id == query_id


def test_queries_that_make_no_sense_are_refused(live: Rig):
    client = live.client
    client.say("the red thing")
    client.queries.publish(Query(text="the car", kind=9))
    wait_for(lambda: "kind is 9" in client.statuses[-1].message, "the refusal on ~/status")


def test_set_query_answers_with_the_id_or_the_reason(live: Rig):
    client = live.client
    good = client.call(SetQuery, "set_query", SetQuery.Request(query=Query(text="the green thing")))
    assert good.success and good.query_id and client.ground().query_id == good.query_id
    bad = client.call(SetQuery, "set_query", SetQuery.Request(query=Query(text=" ")))
    assert not bad.success and bad.message and not bad.query_id
    assert client.ground().query_id == good.query_id


def test_a_refusal_is_on_a_latched_topic_without_our_messages(live: Rig):
    client = live.client
    client.say("the red thing")
    client.commands.publish(String(data=" "))
    wait_for(lambda: "command refused" in client.statuses[-1].message, "the refusal on ~/status")
    late: list[String] = []
    listening = client.listen("~/feedback", late)
    wait_for(lambda: late and late[-1].data == client.statuses[-1].message, "the refusal, though said before")
    client.say("the green thing")
    wait_for(lambda: "'the green thing'" in late[-1].data, "the next command, taken")
    refused = client.call(SetQuery, "set_query", SetQuery.Request(query=Query(text="x" * 10_000)))
    wait_for(lambda: refused.message in late[-1].data, "the service's refusal")
    client.node.destroy_subscription(listening)


def test_clear_query_clears(live: Rig):
    client = live.client
    client.say("the red thing")
    assert client.call(Trigger, "clear_query", Trigger.Request()).success
    wait_for(lambda: client.active_id() == "", "the cleared status")
    assert client.ground().status == Grounding.STATUS_NO_QUERY
    assert "no active query" in client.call(Trigger, "clear_query", Trigger.Request()).message


def test_cancel_by_manoeuvre_and_by_word(live: Rig):
    client = live.client
    for cancel in (Query(manoeuvre=Query.MANOEUVRE_CANCEL), Query(text="cancel that")):
        client.say("the red thing")
        client.queries.publish(cancel)
        wait_for(lambda: client.active_id() == "", "the cancellation")
        assert client.ground().status == Grounding.STATUS_NO_QUERY


def test_a_command_ends_when_its_time_is_up(live: Rig):
    client = live.client
    message = Query(id="brief", text="the red thing")
    message.ttl.nanosec = 400_000_000
    client.queries.publish(message)
    wait_for(lambda: client.active_id() == "brief", "the query")
    wait_for(lambda: client.active_id() == "", "its end")
    assert "expired" in client.statuses[-1].message
    assert client.ground().status == Grounding.STATUS_NO_QUERY


def test_a_speaker_who_is_not_understood_is_refused(live: Rig):
    from rcl_interfaces.srv import SetParameters

    client, node = live.client, live.node
    from rclpy.parameter import Parameter

    request = SetParameters.Request(parameters=[Parameter("min_asr_confidence", value=0.7).to_parameter_msg()])
    assert client.call(SetParameters, "set_parameters", request).results[0].successful
    query_id = client.say("the red thing")
    client.queries.publish(Query(text="the green thing", confidence=0.3))
    wait_for(lambda: "0.30" in client.statuses[-1].message, "the refusal")
    assert client.active_id() == query_id and node.commands.queries.active.query.id == query_id
    client.queries.publish(Query(id="unset", text="the green thing"))
    wait_for(lambda: client.active_id() == "unset", "the query whose confidence nobody has set")


def test_the_answer_in_flight_keeps_the_command_it_was_begun_with(live: Rig):
    """The model is held while the command changes; its answer must carry the old one."""
    client, node = live.client, live.node
    old = client.say("the red thing")
    entered, go = threading.Event(), threading.Event()
    grounder = node.engine.grounder
    inner = grounder._segmenter.segment

    def held(image: np.ndarray, features: object) -> object:
        entered.set()
        assert go.wait(20)
        return inner(image, features)

    grounder._segmenter.segment = held
    try:
        stamp_ns = client.send()
        assert entered.wait(10)
        new = client.say("the green thing")
    finally:
        grounder._segmenter.segment = inner
        go.set()
    result = client.result_of(stamp_ns)
    assert result.query_id == old and near(box_of(result), RED)
    after = client.ground()
    assert after.query_id == new and near(box_of(after), GREEN)
