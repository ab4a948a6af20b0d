# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import struct
from array import array

import numpy as np
import pytest

pytest.importorskip("rclpy")
pytest.importorskip("sensor_msgs")
pytestmark = pytest.mark.ros

from builtin_interfaces.msg import Time  # noqa: E402
from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from rclpy.serialization import serialize_message  # noqa: E402
from sensor_msgs.msg import CompressedImage, Image  # noqa: E402
from std_msgs.msg import Header  # noqa: E402

from ris_node.messages.common import image_to_msg  # noqa: E402
from ris_node.ros.convert.bridge import decode  # noqa: E402
from ris_node.ros.convert.make import make  # noqa: E402
from ris_node.ros.convert.raw_image import RawCompressedImage, RawImage, read_compressed, read_image  # noqa: E402

WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)


@given(
    stamp=st.tuples(st.integers(-(2**31), 2**31 - 1), st.integers(0, 2**32 - 1)),
    frame_id=WORDS,
    encoding=WORDS,
    numbers=st.tuples(*[st.integers(0, 2**32 - 1)] * 3),
    big=st.integers(0, 255),
    data=st.binary(max_size=50),
)
@settings(max_examples=200, deadline=None)
def test_every_field_is_read_as_the_middleware_wrote_it(stamp, frame_id, encoding, numbers, big, data):
    msg = Image(header=Header(stamp=Time(sec=stamp[0], nanosec=stamp[1]), frame_id=frame_id), encoding=encoding)
    msg.height, msg.width, msg.step = numbers
    msg.is_bigendian, msg.data = big, array("B", data)
    read = read_image(serialize_message(msg))
    assert isinstance(read, RawImage)
    assert read.header == msg.header and (read.height, read.width, read.step) == numbers
    assert (read.encoding, read.is_bigendian, bytes(read.data)) == (encoding, big, data)


@given(frame_id=WORDS, form=WORDS, data=st.binary(max_size=50))
@settings(max_examples=100, deadline=None)
def test_compressed_images_are_read_as_written(frame_id, form, data):
    msg = CompressedImage(header=Header(stamp=Time(sec=-3, nanosec=4), frame_id=frame_id), format=form)
    msg.data = array("B", data)
    read = read_compressed(serialize_message(msg))
    assert isinstance(read, RawCompressedImage)
    assert (read.header, read.format, bytes(read.data)) == (msg.header, form, data)


def test_the_pixels_are_a_view_and_decode_without_a_copy():
    image = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    serialized = serialize_message(image_to_msg(make, image, "rgb8", Header()))
    pixels = decode(read_image(serialized))
    assert np.array_equal(pixels, image)
    assert np.shares_memory(pixels, np.frombuffer(serialized, np.uint8))


def test_a_big_endian_writer_is_understood():
    body = struct.pack(">iI", 7, 9) + struct.pack(">I", 3) + b"ab\0" + b"\0" + struct.pack(">II", 1, 2)
    body += struct.pack(">I", 6) + b"mono8\0" + b"\0" + b"\0" + struct.pack(">II", 2, 2) + b"xy"
    read = read_image(b"\0\0\0\0" + body)
    assert (read.header.stamp.sec, read.header.stamp.nanosec, read.header.frame_id) == (7, 9, "ab")
    assert (read.height, read.width, read.encoding, read.step, bytes(read.data)) == (1, 2, "mono8", 2, b"xy")
