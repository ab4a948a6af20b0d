# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("rclpy")
pytest.importorskip("ris_msgs")
pytestmark = pytest.mark.ros

from harness import Rig, rig, tiny, wait_for  # noqa: E402
from rcl_interfaces.msg import Log  # noqa: E402
from rcl_interfaces.msg import Parameter as ParameterMessage  # noqa: E402
from rcl_interfaces.srv import GetParameters, SetParameters  # noqa: E402
from rclpy.context import Context  # noqa: E402
from rclpy.parameter import Parameter  # noqa: E402

from ris_node.config import all_specs  # noqa: E402
from ris_node.interface import Qos  # noqa: E402
from ris_node.ros.node.node import GroundingNode  # noqa: E402
from ris_node.ros.outputs.publishers import qos_profile  # noqa: E402


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    with rig(tiny(tmp_path_factory.mktemp("bundle")), max_rate_hz=100, vehicle_length_m=1, max_rate_hzz=3.0) as found:
        yield found


def set_parameters(live: Rig, **values: object) -> list[str]:
    """Why each of them was refused; "" for one that was taken."""
    request = SetParameters.Request(parameters=[Parameter(n, value=v).to_parameter_msg() for n, v in values.items()])
    results = live.client.call(SetParameters, "set_parameters", request).results
    return ["" if result.successful else result.reason or "refused" for result in results]


def get_parameter(live: Rig, name: str):
    return live.client.call(GetParameters, "get_parameters", GetParameters.Request(names=[name])).values[0]


def started(*ros_args: str) -> GroundingNode:
    """A node that was given a command line, not spun."""
    context = Context()
    context.init(args=["--ros-args", *ros_args])
    return GroundingNode(context=context)


def test_an_integer_for_a_float_is_a_float(live: Rig):
    assert get_parameter(live, "max_rate_hz").double_value == 100.0
    assert get_parameter(live, "vehicle_length_m").double_value == 1.0
    assert set_parameters(live, max_rate_hz=10, query_ttl_s=5) == ["", ""]
    assert get_parameter(live, "max_rate_hz").double_value == 10.0
    assert live.node.live.input.max_rate_hz == 10.0
    assert "max_rate_hz" in set_parameters(live, max_rate_hz=-1)[0]
    assert set_parameters(live, max_rate_hz=True)[0] and set_parameters(live, max_query_chars=1.5)[0]
    assert set_parameters(live, max_rate_hz=0, query_ttl_s=0) == ["", ""]


def test_an_integer_for_a_float_on_the_command_line_and_in_yaml(tmp_path: Path):
    yaml = tmp_path / "own.yaml"
    yaml.write_text("/**:\n  ros__parameters:\n    camera_z_m: 2\n")
    node = started("-p", "max_rate_hz:=10", "--params-file", str(yaml))
    try:
        assert (node.live.input.max_rate_hz, node.live.region.camera_z_m) == (10.0, 2.0)
    finally:
        assert node.close()
        node.destroy_node()
        node.context.shutdown()


def test_a_misspelt_parameter_is_named_once_with_the_nearest_name(live: Rig):
    logs: list[Log] = []
    qos = qos_profile(Qos(depth=100, latched=True))
    listening = live.client.node.create_subscription(Log, "/rosout", logs.append, qos)
    wait_for(lambda: any("max_rate_hzz" in log.msg for log in logs), "the warning")
    live.client.say("the red thing")
    warned = [log for log in logs if "max_rate_hzz" in log.msg]
    assert len(warned) == 1 and warned[0].level == 30
    assert "max_rate_hzz (did you mean max_rate_hz?)" in warned[0].msg
    assert not [log for log in logs if "use_sim_time" in log.msg and "unknown" in log.msg]
    live.client.node.destroy_subscription(listening)


def test_the_nodes_own_dump_is_taken_while_it_is_active(live: Rig):
    names = [spec.name for spec in all_specs()]
    values = live.client.call(GetParameters, "get_parameters", GetParameters.Request(names=names)).values
    dump = [ParameterMessage(name=name, value=value) for name, value in zip(names, values, strict=True)]
    given = set(live.node.parameters.given)
    results = live.client.call(SetParameters, "set_parameters", SetParameters.Request(parameters=dump)).results
    assert [r.reason for r in results if not r.successful] == []
    assert live.node.parameters.given == given, "a pose that nobody has given is still not given"
    assert "unconfigured" in set_parameters(live, target_frame="map")[0]
    assert "start-up" in set_parameters(live, autostart=False)[0]
