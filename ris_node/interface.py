# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Topics, services and actions of the grounding node, defined once and without ROS.

`ris_node.ros` creates its publishers, subscriptions and servers from these tables; docs/topics.md and
`ris doctor` read them too. Names are relative, or `~/` below the node's own name; remap them at launch.
"""

from __future__ import annotations

from dataclasses import dataclass

NODE_NAME = "grounding_node"


@dataclass(frozen=True)
class Qos:
    """Quality of service: `depth` messages are kept; `latched` ones reach late subscribers (transient local)."""

    depth: int = 5
    reliable: bool = True
    latched: bool = False

    @property
    def text(self) -> str:
        """Profile in words, for tables."""
        reliability = "reliable" if self.reliable else "best effort"
        return f"{reliability}, transient local, {self.depth}" if self.latched else f"{reliability}, {self.depth}"


@dataclass(frozen=True)
class Topic:
    """One topic: relative name, type `package/Message`, QoS, what it carries and when it is there."""

    name: str
    type: str
    qos: Qos
    doc: str
    condition: str = ""


@dataclass(frozen=True)
class Endpoint:
    """One service or action: relative name, type `package/Type` and what it does."""

    name: str
    type: str
    doc: str


SENSOR = Qos(depth=1, reliable=False)
BEST_EFFORT = Qos(depth=5, reliable=False)
RELIABLE_5 = Qos(depth=5)
RELIABLE_10 = Qos(depth=10)
NEWEST = Qos(depth=1)  # reliable, so that reliable and best-effort subscribers both get it
LATCHED = Qos(depth=1, latched=True)
IF_SUBSCRIBED = "computed only while subscribed"

SUBSCRIPTIONS: tuple[Topic, ...] = (
    Topic("image", "sensor_msgs/Image", SENSOR, "camera frames", "`image_transport` raw; while active"),
    Topic(
        "image/compressed",
        "sensor_msgs/CompressedImage",
        SENSOR,
        "camera frames as JPEG or PNG; `X/compressed` where `image` is remapped to `X`",
        "`image_transport` compressed; while active",
    ),
    Topic("camera_info", "sensor_msgs/CameraInfo", SENSOR, "intrinsics; without them no region in metres"),
    Topic(
        "depth/image",
        "sensor_msgs/Image",
        SENSOR,
        "depth registered to the image: 32FC1 m or 16UC1 mm",
        "optional; `depth_transport` raw; while active",
    ),
    Topic(
        "depth/image/compressedDepth",
        "sensor_msgs/CompressedImage",
        SENSOR,
        "the same as image_transport's PNG; `X/compressedDepth` where `depth/image` is remapped to `X`",
        "optional; `depth_transport` compressedDepth; while active",
    ),
    Topic(
        "command",
        "std_msgs/String",
        RELIABLE_10,
        "a command in words; the newest wins, and of more than 10 at once the last 10 are received",
    ),
    Topic("query", "ris_msgs/Query", RELIABLE_10, "a command with id, kind and time to live; as `command`"),
)

PUBLISHERS: tuple[Topic, ...] = (
    Topic("~/result", "ris_msgs/Grounding", RELIABLE_10, "the answer; exactly one for every processed frame"),
    Topic(
        "~/label_mask",
        "sensor_msgs/Image",
        RELIABLE_5,
        "mono8 class ids: 0 none, 1 the referent, 2 the region to go to",
        IF_SUBSCRIBED,
    ),
    Topic("~/instance_mask", "sensor_msgs/Image", RELIABLE_5, "16UC1 instance ids, 0 none", IF_SUBSCRIBED),
    Topic("~/mask", "sensor_msgs/Image", RELIABLE_5, "mono8, 255 on the referent", IF_SUBSCRIBED),
    Topic("~/confidence", "sensor_msgs/Image", RELIABLE_5, "mono8 mask probability, 0 to 255", IF_SUBSCRIBED),
    Topic("~/region_mask", "sensor_msgs/Image", RELIABLE_5, "mono8, 255 on the region to go to", IF_SUBSCRIBED),
    Topic("~/overlay", "sensor_msgs/Image", NEWEST, "rgb8 picture of the answer", IF_SUBSCRIBED),
    Topic("~/overlay/compressed", "sensor_msgs/CompressedImage", NEWEST, "the same as JPEG", IF_SUBSCRIBED),
    Topic(
        "~/region", "ris_msgs/RegionTarget", RELIABLE_5, "every answer to a region query; `status` says why no target"
    ),
    Topic("~/region_polygon", "geometry_msgs/PolygonStamped", RELIABLE_5, "the region on the ground", "target OK"),
    Topic("~/target_pose", "geometry_msgs/PoseStamped", RELIABLE_5, "the goal", "target OK for `stable_frames`"),
    Topic(
        "~/region_grid",
        "nav_msgs/OccupancyGrid",
        LATCHED,
        "0 inside the region, -1 elsewhere; an empty grid (0 x 0) withdraws it",
        IF_SUBSCRIBED,
    ),
    Topic("~/markers", "visualization_msgs/MarkerArray", RELIABLE_5, "region and goal for RViz", IF_SUBSCRIBED),
    Topic("~/status", "ris_msgs/NodeStatus", LATCHED, "state, active query, model, backend and precision in use"),
    Topic("~/feedback", "std_msgs/String", LATCHED, "why a command was refused, or its outcome, in words"),
    Topic(
        "/diagnostics", "diagnostic_msgs/DiagnosticArray", RELIABLE_10, "latency, frame age, drops, what is degraded"
    ),
    Topic(
        "~/detections",
        "vision_msgs/Detection2DArray",
        RELIABLE_5,
        "the instances as boxes",
        "where vision_msgs is installed; while subscribed",
    ),
    Topic(
        "~/label_info",
        "vision_msgs/LabelInfo",
        LATCHED,
        "the names of the ids in `~/label_mask`",
        "where vision_msgs is installed",
    ),
    Topic(
        "~/annotations",
        "foxglove_msgs/ImageAnnotations",
        RELIABLE_5,
        "outlines for Foxglove",
        "where foxglove_msgs is installed; while subscribed",
    ),
)

SERVICES: tuple[Endpoint, ...] = (
    Endpoint("~/set_query", "ris_msgs/SetQuery", "make this the active query; answers with its id"),
    Endpoint("~/clear_query", "std_srvs/Trigger", "clear the active query and withdraw its target"),
    Endpoint("~/enable", "std_srvs/SetBool", "process frames, or ignore them while the model stays loaded"),
    Endpoint("~/segment_image", "ris_msgs/SegmentImage", "ground queries in one image, independent of the stream"),
    Endpoint("~/reload_model", "std_srvs/Trigger", "reload the bundle in `model_dir`; the old one answers meanwhile"),
)

ACTIONS: tuple[Endpoint, ...] = (
    Endpoint("~/ground", "ris_msgs/Ground", "search the stream for a query until it is found, or until a timeout"),
)

LABELS: dict[int, str] = {1: "referent", 2: "region"}


def topic(name: str) -> Topic:
    """Return the definition of the topic `name` (as written in the tables).

    Raises:
        KeyError: there is no such topic.
    """
    for entry in (*SUBSCRIPTIONS, *PUBLISHERS):
        if entry.name == name:
            return entry
    raise KeyError(name)
