# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import re
import struct
from array import array

import cv2
import numpy as np
import pytest

pytest.importorskip("sensor_msgs")
pytestmark = pytest.mark.ros

from rclpy.serialization import serialize_message  # noqa: E402
from sensor_msgs.msg import CompressedImage, Image  # noqa: E402
from std_msgs.msg import Header  # noqa: E402

from ris_node.errors import ImageError  # noqa: E402
from ris_node.messages.common import image_to_msg, jpeg_to_msg  # noqa: E402
from ris_node.ros.convert.bridge import decode  # noqa: E402
from ris_node.ros.convert.make import make  # noqa: E402
from ris_node.ros.convert.raw_image import read_image  # noqa: E402
from ris_node.sensing.depth import read_depth  # noqa: E402
from ris_node.sensing.images import ENCODINGS, GREY, decode_compressed, decode_depth, decode_mask  # noqa: E402


def smooth(height: int = 48, width: int = 64) -> np.ndarray:
    """A smooth colourful picture, so that subsampled colour and Bayer patterns lose little."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    planes = [40 + 3 * x, 220 - 3 * y, 60 + x + 2 * y]
    return np.clip(np.stack(planes, -1), 0, 255).astype(np.uint8)


def message(data: np.ndarray, encoding: str, width: int, height: int, padding: int = 0) -> Image:
    """An image of rows u8[R,B] with `padding` bytes of rubbish after each."""
    rows = np.pad(data.reshape(data.shape[0], -1), ((0, 0), (0, padding)), constant_values=77)
    msg = Image(encoding=encoding, width=width, height=height, step=rows.shape[1])
    msg.data = array("B", rows.tobytes())
    return msg


def jpeg(data: bytes) -> CompressedImage:
    return CompressedImage(format="jpeg", data=array("B", data))


def mosaic(rgb: np.ndarray, pattern: str) -> np.ndarray:
    """The raw picture of a Bayer sensor with this pattern (row by row, as ROS names it)."""
    raw = np.empty(rgb.shape[:2], np.uint8)
    for place, letter in enumerate(pattern):
        y, x = divmod(place, 2)
        raw[y::2, x::2] = rgb[y::2, x::2, "rgb".index(letter)]
    return raw


def encode(rgb: np.ndarray, encoding: str) -> np.ndarray:
    """The rows that a camera driver would send (16 bits: little-endian)."""
    if "16" in encoding:
        wide = encode(rgb, encoding.replace("16", "8")).astype(np.uint16) * 257
        return wide.reshape(rgb.shape[0], -1).astype("<u2").view(np.uint8)
    if encoding.startswith("bayer_"):
        return mosaic(rgb, encoding[6:10])
    if encoding in ("nv12", "nv21"):
        planar = cv2.cvtColor(rgb, cv2.COLOR_RGB2YUV_I420)
        h, w = rgb.shape[:2]
        chroma = planar[h:].reshape(2, -1)
        order = (0, 1) if encoding == "nv12" else (1, 0)
        return np.concatenate([planar[:h], np.stack([chroma[order[0]], chroma[order[1]]], -1).reshape(h // 2, w)])
    if encoding in ("yuv422", "uyvy", "yuv422_yuy2", "yuyv"):
        # ITU-R BT.601 as drivers send it: luma in 16..235
        luma = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)
        y = np.clip(16 + luma * 219 / 255, 0, 255).astype(np.uint8)
        blue = 128 + (rgb[..., 2] - luma) * 0.564 * 224 / 255
        red = 128 + (rgb[..., 0] - luma) * 0.713 * 224 / 255
        chroma = np.empty_like(y)
        chroma[:, ::2], chroma[:, 1::2] = np.clip(blue[:, ::2], 0, 255), np.clip(red[:, ::2], 0, 255)
        pair = (chroma, y) if encoding in ("yuv422", "uyvy") else (y, chroma)
        return np.stack(pair, -1).reshape(rgb.shape[0], -1)
    code = {
        "bgr8": cv2.COLOR_RGB2BGR,
        "rgba8": cv2.COLOR_RGB2RGBA,
        "bgra8": cv2.COLOR_RGB2BGRA,
        "mono8": cv2.COLOR_RGB2GRAY,
        "8UC1": cv2.COLOR_RGB2GRAY,
        "8UC3": cv2.COLOR_RGB2BGR,
        "8UC4": cv2.COLOR_RGB2BGRA,
    }.get(encoding)
    return rgb if code is None else cv2.cvtColor(rgb, code)


@pytest.mark.parametrize("padding", [0, 13])
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_every_encoding_becomes_the_picture_it_was(encoding: str, padding: int):
    rgb = smooth()
    got = decode(message(encode(rgb, encoding), encoding, 64, 48, padding))
    assert got.shape == rgb.shape and got.dtype == np.uint8
    want = np.repeat(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)[..., None], 3, -1) if encoding in GREY else rgb
    inner = (slice(2, -2), slice(2, -2))  # Bayer and chroma are guesses at the border
    difference = np.abs(got[inner].astype(int) - want[inner].astype(int))
    exact = not encoding.startswith(("bayer", "yu", "uyvy", "nv"))
    assert difference.max() == 0 if exact else difference.mean() < 3 and difference.max() < 16


def test_rgb8_is_read_without_a_copy():
    msg = image_to_msg(make, smooth(), "rgb8", Header())
    assert np.shares_memory(decode(msg), np.frombuffer(msg.data, np.uint8))


def test_the_last_row_may_lack_its_padding():
    rgb = smooth()
    msg = message(rgb, "rgb8", 64, 48, 10)
    msg.data = msg.data[:-10]
    assert np.array_equal(decode(msg), rgb)


def test_8_bit_images_are_the_same_on_a_big_endian_machine():
    msg = image_to_msg(make, smooth(), "rgb8", Header())
    msg.is_bigendian = 1
    assert np.array_equal(decode(msg), smooth())


@pytest.mark.parametrize("bigendian", [0, 1])
@pytest.mark.parametrize("padding", [0, 1, 6])
def test_16_bits_of_both_byte_orders_are_scaled_to_8(padding: int, bigendian: int):
    values = np.arange(65536, dtype=np.uint16).reshape(64, 1024)
    data = values.astype(">u2" if bigendian else "<u2").view(np.uint8)
    msg = message(data, "mono16", 1024, 64, padding)
    msg.is_bigendian = bigendian
    assert np.array_equal(decode(msg)[..., 1], np.rint(values / 257))


@pytest.mark.parametrize("frame_id", ["", "a", "ab", "abc", "abcd"])
def test_16_bits_are_read_from_a_serialised_message(frame_id: str):
    msg = message(encode(smooth(), "bgr16"), "bgr16", 64, 48)
    msg.header.frame_id = frame_id
    assert np.array_equal(decode(read_image(serialize_message(msg))), smooth())


def test_small_labels_of_16_bits_are_in_the_mask():
    labels = np.array([[0, 1, 128], [256, 0, 65535]], "<u2")
    mask = decode_mask(message(labels.view(np.uint8), "16UC1", 3, 2, 3))
    assert mask.tolist() == [[False, True, True], [True, False, True]]
    assert decode_mask(message(np.eye(3, dtype=np.uint8), "8UC1", 3, 3)).sum() == 3


@pytest.mark.parametrize("encoding", ["", "32FC3", "16SC1", "yuv444", "something"])
def test_other_encodings_are_refused_by_name(encoding: str):
    with pytest.raises(ImageError, match=f"'{encoding}'.*rgb8"):
        decode(message(smooth(), encoding, 64, 48))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"data": array("B", b"\0" * 100)}, "100 bytes"),
        ({"data": array("B")}, "0 bytes"),
        ({"width": 0}, "0 x 48"),
        ({"height": 0}, "64 x 0"),
        ({"step": 3}, "step 3"),
        ({"step": 0}, "step 0"),
        ({"height": 49}, "needs"),
        ({"width": 65, "encoding": "yuyv", "step": 500}, "even"),
        ({"width": 63, "encoding": "nv12"}, "even"),
    ],
)
def test_what_does_not_fit_together_is_refused(change: dict[str, object], words: str):
    msg = message(smooth(), "rgb8", 64, 48)
    for name, value in change.items():
        setattr(msg, name, value)
    with pytest.raises(ImageError, match=words):
        decode(msg)


def test_a_bayer_image_of_one_pixel_does_no_harm():
    assert decode(message(np.zeros((1, 1), np.uint8), "bayer_rggb8", 1, 1)).shape == (1, 1, 3)


@pytest.mark.parametrize("order", ["<", ">"])
def test_depth_in_both_units_and_byte_orders(order: str):
    metres = np.array([[0.5, 1.25, np.nan], [0.0, 7.5, 65.0]], np.float32)
    floats = message(metres.astype(f"{order}f4").view(np.uint8), "32FC1", 3, 2, 8)
    millimetres = message(np.nan_to_num(metres * 1000).astype(f"{order}u2").view(np.uint8), "16UC1", 3, 2)
    for msg in (floats, millimetres):
        msg.is_bigendian = int(order == ">")
    assert np.allclose(decode_depth(floats), metres, equal_nan=True)
    assert np.allclose(decode_depth(millimetres), np.nan_to_num(metres))
    assert decode_depth(millimetres).dtype == np.float32


def test_depth_of_another_kind_is_refused():
    with pytest.raises(ImageError, match="rgb8"):
        decode_depth(message(smooth(), "rgb8", 64, 48))


METRES = np.array([[0.5, 1.25, np.nan], [0.0, 7.5, 9.75]], np.float32)


def packed_depth(encoding: str, codec: str = " png", image: np.ndarray | None = None) -> CompressedImage:
    """METRES as image_transport packs them: a header with what floats are quantised with, then a PNG of 16 bits."""
    scale, offset = 10100.0, -1009.0  # depth_quantization 100, depth_max 10
    if encoding == "32FC1":
        with np.errstate(divide="ignore"):
            values = np.where(METRES > 0, np.round(scale / METRES + offset), 0)
    else:
        values = np.nan_to_num(METRES) * 1000
    values = values.astype(np.uint16) if image is None else image
    data = struct.pack("<i2f", 0, scale, offset) + cv2.imencode(".png", values)[1].tobytes()
    return CompressedImage(format=f"{encoding}; compressedDepth{codec}", data=array("B", data))


@pytest.mark.parametrize("codec", [" png", ""])
def test_compressed_depth_in_both_units(codec: str):
    floats, millimetres = (read_depth(packed_depth(e, codec)) for e in ("32FC1", "16UC1"))
    assert floats.dtype == millimetres.dtype == np.float32
    assert np.allclose(millimetres, np.nan_to_num(METRES))
    known = METRES > 0
    assert np.isnan(floats[~known]).all() and np.allclose(floats[known], METRES[known], rtol=0.01)


def test_a_plain_png_of_16_bits_is_depth_in_millimetres():
    msg = packed_depth("16UC1")
    plain = CompressedImage(format="16UC1; png compressed ", data=msg.data[12:])
    assert np.allclose(read_depth(plain), np.nan_to_num(METRES))


def test_compressed_depth_that_cannot_be_read_says_why():
    whole = packed_depth("16UC1")
    for msg, words in (
        (packed_depth("16UC1", " rvl"), "compressedDepth.format to png"),
        (packed_depth("8UC1"), "32FC1 or 16UC1"),
        (CompressedImage(format="jpeg", data=whole.data), "32FC1 or 16UC1"),
        (CompressedImage(format=whole.format, data=whole.data[:-20]), "break off"),
        (CompressedImage(format=whole.format, data=whole.data[:5]), "hold no PNG"),
        (CompressedImage(format=whole.format), "hold no PNG"),
        (CompressedImage(format=packed_depth("32FC1").format, data=whole.data[12:]), "hold no PNG"),
        (packed_depth("16UC1", image=np.zeros((4, 4), np.uint8)), "not 16 bits of grey"),
        (packed_depth("16UC1", image=np.zeros((4, 4, 3), np.uint16)), "not 16 bits of grey"),
    ):
        with pytest.raises(ImageError, match=re.escape(words)):
            read_depth(msg)
    flipped = array("B", whole.data)
    flipped[60] ^= 0xFF
    with pytest.raises(ImageError, match="damaged"):
        read_depth(CompressedImage(format=whole.format, data=flipped))


@pytest.mark.parametrize("extension", [".jpg", ".png"])
def test_compressed_pictures(extension: str):
    rgb = smooth()
    data = cv2.imencode(extension, cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))[1]
    msg = CompressedImage(format=extension[1:], data=array("B", data.tobytes()))
    assert np.abs(decode_compressed(msg).astype(int) - rgb).mean() < (0.1 if extension == ".png" else 4)


@pytest.mark.parametrize("data", [b"", b"no picture at all"])
def test_what_is_no_picture_is_refused(data: bytes):
    with pytest.raises(ImageError, match="no picture"):
        decode_compressed(CompressedImage(format="jpeg", data=array("B", data)))


@pytest.mark.parametrize("orientation", [3, 6])
def test_exif_turns_no_frame(orientation: int):
    # the bytes of a TIFF header with one entry, tag 0x0112: a short
    entry = struct.pack("<HHHIHHI", 1, 0x0112, 3, 1, orientation, 0, 0)
    app1 = b"Exif\0\0II*\0\x08\0\0\0" + entry
    plain = cv2.imencode(".jpg", cv2.cvtColor(smooth(), cv2.COLOR_RGB2BGR))[1].tobytes()
    turned = plain[:2] + b"\xff\xe1" + struct.pack(">H", len(app1) + 2) + app1 + plain[2:]
    assert np.array_equal(decode_compressed(jpeg(turned)), decode_compressed(jpeg(plain)))


def test_what_opencv_raises_is_a_decoding_error():
    data = b"P6 100000 100000 255\n" + bytes(100)  # more pixels than it takes
    with pytest.raises(ImageError, match=r"format 'ppm' cannot be decoded \(.*pixels.*\)"):
        decode_compressed(CompressedImage(format="ppm", data=array("B", data)))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_masks_go_out_and_come_back(dtype: type):
    plane = np.arange(30, dtype=dtype).reshape(5, 6)[:, ::2]  # not contiguous
    msg = image_to_msg(make, plane, "mono8" if dtype is np.uint8 else "16UC1", Header(frame_id="camera"))
    assert (msg.height, msg.width, msg.step) == (5, 3, 3 * plane.itemsize)
    assert np.array_equal(np.frombuffer(msg.data, dtype).reshape(5, 3), plane)
    assert msg.header.frame_id == "camera"


def test_a_jpeg_goes_out_and_comes_back():
    msg = jpeg_to_msg(make, smooth(), Header())
    assert msg.format == "jpeg" and np.abs(decode_compressed(msg).astype(int) - smooth()).mean() < 4
