# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Doctor: frames sent and counted over the middleware, and a camera looked at as the node would."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from typing import Any

from ris_node.cli.doctor.finding import BROKEN, NOTE, OK, WARNING, Finding
from ris_node.cli.doctor.probes import look_at_camera, measure

TYPES = {"sensor_msgs/msg/Image": "raw", "sensor_msgs/msg/CompressedImage": "compressed"}


def check_live(width: int, height: int) -> Iterator[Finding]:
    """Send frames between two processes and count what arrives."""
    if importlib.util.find_spec("rclpy") is None:
        yield _no_ros("live")
        return
    result = measure(width, height)
    if result.error:
        yield Finding("live", BROKEN, f"frames could not be sent: {result.error}", "see 'ros' and 'transport' above")
        return
    what = f"{result.received} of {result.sent} frames of {width}x{height} arrived"
    what += f", median {result.median_ms:.1f} ms" if result.received else ""
    data = {
        "sent": result.sent,
        "received": result.received,
        "median_ms": result.median_ms if result.received else None,
    }
    if result.received == 0:
        yield Finding("live", BROKEN, what, "see 'transport' above", data)
    elif result.received < 0.95 * result.sent:
        yield Finding("live", WARNING, what, "see 'transport' above; a busy machine loses frames too", data)
    else:
        yield Finding("live", OK, what, "", data)


def check_camera(topic: str, seconds: float = 4.0) -> Iterator[Finding]:
    """Look at an image topic and the camera_info beside it: who publishes, with which QoS, and what comes in."""
    if importlib.util.find_spec("rclpy") is None:
        yield _no_ros("camera")
        return
    info_topic = camera_info_beside(topic)
    report = look_at_camera(topic, info_topic, seconds)
    if "error" in report:
        yield Finding("camera", BROKEN, f"could not look at {topic}: {report['error']}", "see 'ros' above")
        return
    if not report["publishers"]:
        advice = "start the camera; compare ROS_DOMAIN_ID and the topic's name"
        yield Finding("camera", BROKEN, f"nobody publishes {topic}", advice, report)
        return
    yield _publisher(topic, report)
    yield _frames(topic, report)
    yield _info(info_topic, report)


def camera_info_beside(topic: str) -> str:
    """Return the camera_info topic beside an image topic, without image_transport's endings."""
    base = topic.removesuffix("/compressed")
    return f"{base.rpartition('/')[0]}/camera_info"


def _publisher(topic: str, report: dict[str, Any]) -> Finding:
    first = report["publishers"][0]
    transport = TYPES.get(first["type"])
    quality = "reliable" if first["reliable"] else "best effort"
    what = f"{topic} is published by {first['node']}: {first['type']}, {quality}"
    if transport is None:
        advice = "remap to a topic of sensor_msgs/Image or CompressedImage"
        return Finding("camera", BROKEN, what, advice, report)
    if len(report["publishers"]) > 1:
        names = ", ".join(one["node"] for one in report["publishers"])
        return Finding("camera", WARNING, f"{topic} has several publishers: {names}", "remap all but one", report)
    needed = f"the node needs image_transport:={transport}" if transport == "compressed" else ""
    if not first["reliable"]:
        needed += "; " * bool(needed) + "leave input_reliability at best_effort, or nothing comes in"
    return Finding("camera", NOTE if needed else OK, what, needed, report)


def _frames(topic: str, report: dict[str, Any]) -> Finding:
    last = report["last"]
    if last is None:
        advice = "see 'transport' above: big frames are lost without the Fast DDS profile, on the camera's side too"
        return Finding("camera", BROKEN, f"no frame of {topic} came in", advice)
    if last["problem"]:
        return Finding("camera", BROKEN, f"frames of {topic} cannot be read", last["problem"])
    what = f"{report['frames']} frames, {report['rate_hz']:.1f} Hz, {last['width']}x{last['height']} {last['encoding']}"
    what += f" in '{last['frame_id']}', last one {last['age_ms']:.0f} ms old on arrival"
    if not last["frame_id"]:
        return Finding("camera", WARNING, what, "the driver sets no frame_id: there will be no TF lookup")
    if not -100.0 < last["age_ms"] < 1000.0:
        return Finding("camera", WARNING, what, "stamps and this clock differ: use_sim_time, or synchronise the clocks")
    return Finding("camera", OK, what)


def _info(info_topic: str, report: dict[str, Any]) -> Finding:
    if report["info"] is None:
        advice = "publish it, or remap camera_info: without it there is a mask, but no region in metres"
        return Finding("camera", WARNING, f"nothing came on {info_topic}", advice)
    if report["info"]:
        return Finding("camera", WARNING, f"{info_topic} cannot be used: {report['info']}", "calibrate the camera")
    return Finding("camera", OK, f"{info_topic} can be used")


def _no_ros(area: str) -> Finding:
    return Finding(area, WARNING, "rclpy is not found: nothing was sent or heard", "see 'ros' above")
