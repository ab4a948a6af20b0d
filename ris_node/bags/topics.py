# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Which of a bag's topics are the camera, its calibration, depth, commands and TF: named, or found by type."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing, suppress
from dataclasses import dataclass
from itertools import islice
from typing import Any

from ris_node.bags.message import Topic
from ris_node.bags.reader import Bag
from ris_node.errors import BagError, ConfigError
from ris_node.sensing.depth import depth_trouble
from ris_node.sensing.images import ASSUMED, DEPTH_ENCODINGS, ENCODINGS, GREY

RAW, COMPRESSED = "sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage"
CAMERA_INFO, TF = "sensor_msgs/msg/CameraInfo", "tf2_msgs/msg/TFMessage"
STRING, QUERY, RESULT = "std_msgs/msg/String", "ris_msgs/msg/Query", "ris_msgs/msg/Grounding"
TF_TYPES = (TF, "tf/msg/tfMessage")
NONE = "none"  # a name that switches an optional topic off
_LOOKED_AT = 20  # images of unknown encodings, until one is known


@dataclass(frozen=True)
class Topics:
    """Topic names in the bag; an empty one is found by its type."""

    image: str = ""
    camera_info: str = ""
    depth: str = ""
    command: str = ""


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """The topics that a replay reads; empty ones are not there."""

    image: Topic
    camera_info: str = ""
    depth: str = ""
    command: str = ""
    tf: tuple[str, ...] = ()
    tf_static: tuple[str, ...] = ()

    @property
    def context(self) -> tuple[str, ...]:
        """All but the image and static transforms."""
        return tuple(filter(None, (self.camera_info, self.depth, self.command, *self.tf)))


def choose(bag: Bag, wanted: Topics, *, commands: bool) -> Chosen:
    """Find the topics of a bag; `commands` tells whether recorded commands are asked for.

    Raises:
        BagError: there is no camera, or no command, or a named topic is not there.
        ConfigError: several topics could be meant; the message lists them.
    """
    kinds: dict[str, list[Topic]] = {}
    for topic in bag.topics:
        kinds.setdefault(topic.type, []).append(topic)
    raw = [*kinds.get(RAW, ())]
    encodings = {topic.name: first_encoding(bag, topic) for topic in raw}
    image = _image(bag, wanted.image, raw, encodings, kinds.get(COMPRESSED, []))
    others = [t.name for t in raw if t is not image and not _of_a_node(t.name, kinds)]
    depths = [name for name in others if encodings[name] in DEPTH_ENCODINGS]
    packed = [t for t in kinds.get(COMPRESSED, ()) if t is not image and t.name.endswith("/compressedDepth")]
    depths = depths or ([] if wanted.depth else [t.name for t in packed if _is_read(bag, t)])
    infos = [t.name for t in kinds.get(CAMERA_INFO, ())]
    beside = _camera_of(image.name) + "/camera_info"
    return Chosen(
        image=image,
        camera_info=_optional(bag, "camera_info", wanted.camera_info, [beside] if beside in infos else infos),
        depth=_optional(bag, "depth", wanted.depth, depths),
        command=_command(bag, wanted.command, kinds) if commands else "",
        tf=tuple(t.name for k in TF_TYPES for t in kinds.get(k, ()) if not t.name.endswith("tf_static")),
        tf_static=tuple(t.name for k in TF_TYPES for t in kinds.get(k, ()) if t.name.endswith("tf_static")),
    )


def first_readable(bag: Bag, topic: str) -> Any | None:
    """Return the first message of a topic that can be deserialised, as `Bag.deserialize` does; None: there is none."""
    with closing(_readable(bag, topic)) as messages:
        return next(messages, None)


def first_encoding(bag: Bag, topic: Topic) -> str:
    """Return the first known encoding of a raw image topic, else its first image's; empty: none is whole."""
    if not topic.count:
        return ""
    first = ""
    with closing(_readable(bag, topic.name)) as messages:
        for message in islice(messages, _LOOKED_AT):
            if message.encoding in ENCODINGS or message.encoding in DEPTH_ENCODINGS:
                return str(message.encoding)
            first = first or str(message.encoding)  # perhaps damaged where its name stands
    return first


def _readable(bag: Bag, topic: str) -> Generator[Any, None, None]:
    for message in bag.messages([topic]):
        with suppress(BagError):
            yield bag.deserialize(message)


def _image(bag: Bag, name: str, raw: list[Topic], encodings: dict[str, str], compressed: list[Topic]) -> Topic:
    kinds = {t.type: [o for o in bag.topics if o.type == t.type] for t in bag.topics}
    if name:
        topic = next((t for t in bag.topics if t.name == name), None)
        if topic is None or topic.type not in (RAW, COMPRESSED):
            raise BagError(f"{bag.path}: {_no_topic(name, topic)}; {_listing([*raw, *compressed], encodings)}")
        if not topic.count:
            raise BagError(f"{bag.path}: {name} holds no images; {_listing([*raw, *compressed], encodings)}")
        _check_encoding(bag, name, encodings.get(name, ""))
        return topic
    live = [t for t in (*raw, *compressed) if t.count and not _of_a_node(t.name, kinds)]
    names = {t.name for t in live}
    live = [t for t in live if "compressedDepth" not in t.name and _camera_of(t.name, True) not in names - {t.name}]
    live = [t for t in live if encodings.get(t.name, "") not in DEPTH_ENCODINGS]
    live = [t for t in live if encodings.get(t.name) != ""] or live  # of a topic with no whole image nothing is known
    coloured = [t for t in live if encodings.get(t.name) not in GREY]  # masks and labels are grey too
    found = coloured or live
    if not found:
        raise BagError(
            f"{bag.path} has no camera topic with images: sensor_msgs Image or CompressedImage is needed;"
            f" {_listing(list(bag.topics), encodings)}"
        )
    if len(found) > 1:
        raise ConfigError(f"{bag.path} has several cameras: name one with --image. {_listing(found, encodings)}")
    _check_encoding(bag, found[0].name, encodings.get(found[0].name, ""))
    return found[0]


def _check_encoding(bag: Bag, name: str, encoding: str) -> None:
    if encoding and encoding not in ENCODINGS:
        raise BagError(
            f"{bag.path}: {name} has images of encoding '{encoding}', which is not read; known are"
            f" {', '.join(ENCODINGS)}"
        )
    if encoding in ASSUMED:
        bag.notes.append(f"{name}: images of encoding {encoding} are taken as {ASSUMED[encoding]}")


def _is_read(bag: Bag, topic: Topic) -> bool:
    """Whether depth of this kind is read; what is not is noted."""
    first = first_readable(bag, topic.name) if topic.count else None
    trouble = depth_trouble(first.format) if first is not None else ""
    if trouble:
        bag.notes.append(f"{topic.name} is left out, targets come from the ground plane: {trouble}")
    return first is not None and not trouble


def _optional(bag: Bag, option: str, name: str, found: list[str]) -> str:
    if name == NONE:
        return ""
    if name:
        if all(t.name != name for t in bag.topics):
            raise BagError(f"{bag.path}: {_no_topic(name, None)}; {_listing(list(bag.topics), {})}")
        return name
    if len(found) > 1:
        flag = option.replace("_", "-")
        raise ConfigError(
            f"{bag.path} has several topics for {option}: {', '.join(found)}; name one with --{flag}, or '{NONE}'"
        )
    return found[0] if found else ""


def _command(bag: Bag, name: str, kinds: dict[str, list[Topic]]) -> str:
    queries = [t.name for t in kinds.get(QUERY, ())]
    words = [t.name for t in kinds.get(STRING, ()) if not _of_a_node(t.name, kinds)]  # ~/feedback is an answer
    named = [n for n in words if n.rsplit("/", 1)[-1] in ("command", "commands")]
    found = _optional(bag, "command", name, queries + (named or words))
    if not found:
        raise BagError(
            f"{bag.path} has no command topic (std_msgs/String or ris_msgs/Query): give --command or --script"
        )
    return found


def _of_a_node(name: str, kinds: dict[str, list[Topic]]) -> bool:
    """Whether a topic is a grounding node's own: one beside its `result`."""
    return any(name.startswith(t.name[: -len("result")]) for t in kinds.get(RESULT, ()) if t.name.endswith("/result"))


def _camera_of(name: str, base: bool = False) -> str:
    """Return the namespace of an image topic; with `base` the raw topic that a compressed one belongs to."""
    raw = name[: -len("/compressed")] if name.endswith("/compressed") else ("" if base else name)
    return raw if base else raw.rsplit("/", 1)[0]


def _no_topic(name: str, topic: Topic | None) -> str:
    return f"there is no topic {name}" if topic is None else f"{name} is of type {topic.type}"


def _listing(topics: list[Topic], encodings: dict[str, str]) -> str:
    parts = []
    for topic in topics:
        count = "?" if topic.count < 0 else topic.count
        parts.append(f"{topic.name} ({topic.type}, {count}{', ' * bool(encodings.get(topic.name))}"
                     f"{encodings.get(topic.name, '')})")  # fmt: skip
    return "it has " + (", ".join(parts) or "no topics at all")
