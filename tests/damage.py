# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Damage of every kind to bags and images, and what must hold however they are damaged.

`python tests/damage.py SECONDS [SEED]` goes on for longer than the tests do.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import drives
import lz4.frame
import numpy as np
import zstandard

from ris_node.bags.reader import Bag, open_bag
from ris_node.bags.topics import Topics
from ris_node.bags.typestore import typestore
from ris_node.config import NodeConfig
from ris_node.errors import BagError, CommandError, ImageError, RisError
from ris_node.replay.options import Commands, ReplayOptions
from ris_node.replay.replay import jobs_of
from ris_node.sensing.images import ENCODINGS, decode_compressed, decode_depth, decode_image, decode_mask

WIDTH, HEIGHT, FRAMES = 24, 16, 8
Key = tuple[str, int]


def items() -> list[drives.Item]:
    """A drive with all that a replay reads: noise that does not compress, depth, JPEG, TF, commands."""
    found = drives.Drive(frames=FRAMES, width=WIDTH, height=HEIGHT).items()
    rng = np.random.default_rng(1)
    for n in range(FRAMES):
        at = drives.START + n * drives.STEP
        depth = drives.image(rng.uniform(1, 9, (HEIGHT, WIDTH)).astype(np.float32), at, "32FC1")
        noise = rng.integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8)
        found.append(("/depth/image", at + 1, "sensor_msgs/Image", depth))
        found.append(("/back/compressed", at + 2, "sensor_msgs/CompressedImage", drives.jpeg(noise, at)))
        moved = drives.transform("odom", "base_link", at, (n, 0.0, 0.0), (0.0, 0.0, 0.0, 1.0))
        found.append(("/tf", at + 3, "tf2_msgs/TFMessage", moved))
    return sorted(found, key=lambda item: item[1])


def specimens(folder: Path) -> dict[str, bytes]:
    """Whole bags of every kind, by the name of a file that would hold them."""
    drive, found = items(), {}
    for storage, compression in (("mcap", "none"), ("mcap", "storage"), ("mcap", "message"), ("sqlite3", "none")):
        path = drives.write_items(folder / f"{storage}-{compression}", drive, storage, compression)
        file = next(path.glob("*.mcap" if storage == "mcap" else "*.db3"))
        found[file.name] = file.read_bytes()
    found["lz4.mcap"] = lz4_chunks(folder / "lz4.mcap", drive)
    for compression in ("", "LZ4", "BZ2"):
        name = f"ros1{compression}.bag"
        found[name] = drives.write_ros1(folder / name, drive, compression).read_bytes()
    found["packed.mcap.zstd"] = zstandard.ZstdCompressor().compress(found["mcap-none.mcap"])
    found["packed.db3.lz4"] = lz4.frame.compress(found["sqlite3-none.db3"])
    return found


def lz4_chunks(path: Path, drive: list[drives.Item]) -> bytes:
    """An MCAP of small chunks with checksums."""
    from mcap.writer import CompressionType, Writer

    with path.open("wb") as file:
        writer = Writer(file, compression=CompressionType.LZ4, chunk_size=4000)
        writer.start("ros2", "test")
        channels: dict[str, int] = {}
        for topic, at, kind, message in drive:
            full = kind.replace("/", "/msg/")
            if topic not in channels:
                definition = typestore().generate_msgdef(full, ros_version=2)[0]
                schema = writer.register_schema(full, "ros2msg", definition.encode())
                channels[topic] = writer.register_channel(topic, "cdr", schema)
            writer.add_message(channels[topic], at, bytes(typestore().serialize_cdr(message, full)), at)
        writer.finish()
    return path.read_bytes()


def damaged(data: bytes, rng: random.Random) -> bytes:
    """Bits flipped, a stretch overwritten, lost, doubled or put in, or the end cut off."""
    out = bytearray(data)
    at, size = rng.randrange(len(out)), rng.choice((1, 4, 16, 64, 600))
    how = rng.randrange(7)
    if how == 0:
        for _ in range(rng.choice((1, 1, 2, 8))):
            out[rng.randrange(len(out))] ^= 1 << rng.randrange(8)
    elif how == 1:
        out[at : at + size] = rng.randbytes(min(size, len(out) - at))
    elif how == 2:
        out[at : at + size] = rng.choice((b"\0", b"\xff")) * min(size, len(out) - at)
    elif how == 3:
        del out[at : at + size]
    elif how == 4:
        out[at:at] = rng.randbytes(size)
    elif how == 5:
        out[at:at] = out[max(at - size, 0) : at]
    else:
        del out[at:]
    return bytes(out)


def keys(bag: Bag) -> set[Key]:
    """Topic and time of every message that is what its type says."""
    found = set()
    for message in bag.messages():
        try:
            bag.deserialize(message)
            found.add((message.topic, message.log_ns))
        except BagError as error:
            bag.leave_out(message, error)
    return found


def read_damaged(path: Path, whole: set[Key]) -> int:
    """Read a bag as all of the product does; nothing but a RisError may be raised.

    Returns:
        How many of its messages came out whole; those that did not are told of.
    """
    try:
        with open_bag(path) as bag:
            found = keys(bag)
            missing = len(whole) - len(found)  # a damaged receive time makes another message of it
            assert missing <= 0 or bag.problems, f"{missing} messages are gone without a word"
            kept = len(found & whole)
    except RisError as error:
        assert str(path.name) in str(error), error
        return 0
    for topics in (Topics("/camera/image"), Topics("/back/compressed"), Topics()):
        try:
            with open_bag(path) as bag:
                config = NodeConfig().with_values({"target_frame": "odom"})
                options = ReplayOptions(commands=Commands(recorded=True), topics=topics, config=config)
                for job in jobs_of(bag, options):
                    try:
                        read = bag.deserialize(job.message)
                        image = decode_compressed(read) if "Compressed" in job.message.type else decode_image(read)
                        assert image.dtype == np.uint8
                        assert image.ndim == 3
                    except RisError:
                        pass
        except (RisError, CommandError):
            pass
    return kept


def pictures() -> dict[str, bytes]:
    """Whole pictures in every format that a camera sends."""
    rng = np.random.default_rng(2)
    image = cv2.resize(rng.integers(0, 255, (6, 8, 3), np.uint8), (64, 48))
    flags = {".jpg": [cv2.IMWRITE_JPEG_RST_INTERVAL, 2], ".jpeg": [cv2.IMWRITE_JPEG_PROGRESSIVE, 1]}
    return {
        ending: cv2.imencode(ending, image, flags.get(ending, []))[1].tobytes()
        for ending in (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tiff", ".ppm")
    }


def read_picture(data: bytes) -> bool:
    """Decode what a compressed topic sent; whether it was taken for a picture."""
    try:
        image = decode_compressed(SimpleNamespace(format="jpeg", data=data))
    except ImageError:
        return False
    assert image.dtype == np.uint8
    assert image.ndim == 3
    assert image.shape[2] == 3
    return True


def raw_message(rng: random.Random) -> Any:
    """An image of which the fields need not fit together."""

    def number(right: int) -> int:
        return rng.choice((right, right, right, 0, 1, right - 1, right + 1, 2 * right, 65535, 2**31, 2**32 - 1))

    encoding = rng.choice((*ENCODINGS, "32FC1", "16SC1", "", "jpeg", "rgb899"))
    width, height, wide = rng.choice((2, 16, 17)), rng.choice((2, 12, 13)), rng.choice((1, 2, 3, 4, 6, 8))
    step = number(width * wide + rng.choice((0, 0, 5)))
    size = min(max(number(step * height), 0), 100_000)
    return SimpleNamespace(
        encoding=encoding, width=number(width), height=number(height), step=step, is_bigendian=rng.choice((0, 1, 7)),
        data=rng.randbytes(size),
    )  # fmt: skip


def read_raw(message: Any) -> bool:
    """Decode a raw image every way there is; whether it was taken for one."""
    taken = False
    readers: tuple[Callable[[Any], np.ndarray], ...] = (decode_image, decode_depth, decode_mask)
    for reader in readers:
        try:
            image = reader(message)
        except ImageError:
            continue
        assert image.shape[:2] == (message.height, message.width)
        taken = True
    return taken


def rounds(folder: Path, seed: int) -> Iterator[str]:
    """Damage one thing after the other for ever, and read it; yields what each was."""
    rng = random.Random(seed)
    bags, images = specimens(folder), pictures()
    whole: dict[str, set[Key]] = {}
    for name, data in bags.items():
        (folder / name).write_bytes(data)
        with open_bag(folder / name) as bag:
            whole[name] = keys(bag)
            assert not bag.problems
    while True:
        for name, data in bags.items():
            path = folder / f"damaged.{name.split('.', 1)[1]}"
            path.write_bytes(damaged(data, rng))
            yield f"{name} seed {seed}"
            read_damaged(path, whole[name])
        for data in images.values():
            yield "picture"
            read_picture(damaged(data, rng))
            read_raw(raw_message(rng))


if __name__ == "__main__":
    end, number, what = time.monotonic() + float(sys.argv[1]), 0, ""
    with tempfile.TemporaryDirectory() as place:
        try:
            for what in rounds(Path(place), int(sys.argv[2]) if len(sys.argv) > 2 else 0):  # noqa: B007
                number += 1
                if time.monotonic() > end:
                    break
        except BaseException:
            for file in Path(place).glob("damaged.*"):
                Path("/tmp", file.name).write_bytes(file.read_bytes())
            print(f"failed at {what}; the files are in /tmp", file=sys.stderr)
            raise
    print(f"{number} rounds")
