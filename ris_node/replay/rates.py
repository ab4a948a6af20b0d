# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""`python -m ris_node.replay.rates`: how fast replays are beside the bare network, and what they take.

Rates take turns in one run, so that a machine whose clock varies hits all alike.
"""

from __future__ import annotations

import argparse
import json
import resource
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ris_node.bags.reader import open_bag
from ris_node.bags.typestore import make
from ris_node.bags.writer import BagWriter
from ris_node.entry import start
from ris_node.errors import RisError
from ris_node.interface import SENSOR
from ris_node.messages.common import header_to_msg, image_to_msg
from ris_node.outputs import claim_file
from ris_node.pipeline.grounder import Grounder
from ris_node.pipeline.letterbox import Letterbox
from ris_node.replay.options import Commands, ReplayOptions
from ris_node.replay.replay import open_model, replay
from ris_node.runtime.ort import OrtSession
from ris_node.runtime.select import graph_file
from ris_scene.bag import write_scene_bag

COMMAND = "the red car on the left"
_HOLE = 0x80  # an MCAP record of a private kind, which readers skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print a table and write JSON; 0 unless something failed."""
    parser = argparse.ArgumentParser(prog="python -m ris_node.replay.rates", description=__doc__)
    parser.add_argument("--frames", type=int, default=240, help="frames of 640x480 in the bag (default 240)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds in which all take turns (default 3)")
    parser.add_argument("--gigabytes", type=float, default=10.0, help="size of the large bag, mostly a hole")
    parser.add_argument("--out", type=Path, help="write the figures here as JSON")
    parser.add_argument("--memory-of", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.memory_of is not None:
        print(peak_memory(options.memory_of))
        return 0
    if options.out:
        claim_file(options.out, by="ris_node.replay.rates")
    with tempfile.TemporaryDirectory(prefix="ris_rates_") as folder:
        found = measure(Path(folder), options.frames, options.rounds, int(options.gigabytes * (1 << 30)))
    print(table(found))
    if options.out:
        options.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return 0


def measure(folder: Path, frames: int, rounds: int, large: int) -> dict[str, Any]:
    """Measure rates in frames a second (medians over rounds), ratios within rounds, megabytes, seconds."""
    bag = write_scene_bag(folder / "drive", frames=frames, width=640, height=480, distinct=8)
    found: dict[str, Any] = {"frames": frames, "rounds": rounds}
    for precision in ("fp32", "int8"):
        try:
            found |= rates(bag, folder, precision, rounds, frames)
        except RisError as error:  # no INT8 for this processor, for example
            found[f"{precision} left out"] = str(error)
    command = [sys.executable, "-m", "ris_node.replay.rates", "--memory-of", str(bag)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found["peak memory of a replay with bag and video, MB"] = float(done.stdout.split()[-1])
    path = large_bag(folder / "large", large)
    found["large bag, GB"] = round(path.stat().st_size / 1e9, 2)
    found["opening the large bag, s"] = round(opening(path), 3)
    return found


def rates(bag: Path, folder: Path, precision: str, rounds: int, frames: int) -> dict[str, Any]:
    """Measure the bare network, replays with results only, and with bag and video, taking turns."""
    only = ReplayOptions(commands=Commands(COMMAND), bag=False, video=False, report=False, overwrite=True)
    config = only.config.with_values({"precision": precision})
    only = replace(only, config=config)
    bare, feeds = bare_network(config.model, bag)
    series: dict[str, list[float]] = {"bare network": [], "results only": [], "with bag and video": []}
    with open_model(only) as grounder:
        if grounder.info.precision != precision:
            raise RisError(f"the bundle answers in {grounder.info.precision}, not in {precision}")
        for _ in range(rounds):
            series["bare network"].append(bare_rate(bare, feeds, max(30, frames // 4)))
            series["results only"].append(replay(bag, folder / "out", only, grounder=grounder).rate_hz)
            whole = replace(only, bag=True, video=True)
            series["with bag and video"].append(replay(bag, folder / "out", whole, grounder=grounder).rate_hz)
    base = np.array(series["bare network"])
    found: dict[str, Any] = {f"{precision} {name}, Hz": round(float(np.median(v)), 2) for name, v in series.items()}
    for name in ("results only", "with bag and video"):
        found[f"{precision} {name} / bare network"] = round(float(np.median(np.array(series[name]) / base)), 3)
    return found


def bare_network(model: Any, bag: Path) -> tuple[OrtSession, dict[str, Any]]:
    """Return the vision graph alone with one thread a core, and what it is fed with for a frame of the bag."""
    with Grounder.open(model=model) as grounder, open_bag(bag) as opened:
        message = opened.deserialize(next(iter(opened.messages(["/image"]))))
        image = np.frombuffer(message.data, np.uint8).reshape(message.height, message.width, 3)
        contract, features = grounder.bundle.manifest.input, grounder.prepare(COMMAND).features
        box = Letterbox.fit(message.width, message.height, contract.width, contract.height, contract.pad_value)
        path = grounder.bundle.path / graph_file(grounder.bundle, "vision", model.precision)
        feeds = {
            "image": np.ascontiguousarray(box.image(image)[None]), "words": features.words,
            "word_mask": features.word_mask, "sentence": features.sentence,
        }  # fmt: skip
    return OrtSession(path), feeds


def bare_rate(session: OrtSession, feeds: dict[str, Any], passes: int) -> float:
    """Return passes a second, back to back."""
    session.run(feeds)
    begin = time.perf_counter()
    for _ in range(passes):
        session.run(feeds)
    return passes / (time.perf_counter() - begin)


def peak_memory(bag: Path) -> float:
    """Replay a bag with everything but the report, and return this process's peak in megabytes."""
    with tempfile.TemporaryDirectory() as folder:
        replay(bag, Path(folder) / "out", ReplayOptions(commands=Commands(COMMAND), report=False))
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)


def opening(path: Path) -> float:
    """Return seconds to open a bag, list its topics and get at its first image."""
    begin = time.perf_counter()
    with open_bag(path) as bag:
        next(iter(bag.messages(["/image"])))
    return time.perf_counter() - begin


def large_bag(folder: Path, size: int) -> Path:
    """Return an MCAP of `size` bytes with the index of as many 900 KB frames, whose pixels are a hole in the file."""
    folder.mkdir(parents=True)
    with BagWriter(folder / "bag") as bag:
        bag.add_topic("/image", "sensor_msgs/Image", SENSOR)
        pixels = np.zeros((8, 8, 3), np.uint8)
        for n in range(max(1, size // 921_600)):
            bag.write("/image", n, image_to_msg(make, pixels, "rgb8", header_to_msg(make, n, "camera")))
            bag.sync()  # a chunk for each frame, as in a recording
    path = folder / "bag" / "bag.mcap"
    widen(path, size)
    return path


def widen(path: Path, size: int) -> None:
    """Put a hole of `size` bytes (a record that readers skip) between an MCAP's data and its index."""
    data = path.read_bytes()
    summary, offsets, _ = struct.unpack_from("<QQI", data, len(data) - 28)
    end, shift = summary - 13, size + 9  # before the record that ends the data: 9 + 4 bytes
    with path.open("r+b") as file:
        file.seek(end)
        file.write(bytes([_HOLE]) + struct.pack("<Q", size))
        file.seek(end + shift)
        file.write(data[end:summary] + _moved(data[summary : len(data) - 37], shift, summary))
        footer = struct.pack("<QQI", summary + shift, offsets + shift if offsets else 0, 0)
        file.write(b"\x02" + struct.pack("<Q", 20) + footer + b"\x89MCAP0\r\n")


def _moved(summary: bytes, shift: int, start: int) -> bytes:
    """The summary with the places of what lies behind `start` corrected; chunks lie before the hole."""
    out, at = bytearray(summary), 0
    while at < len(out):
        opcode, (size,) = out[at], struct.unpack_from("<Q", out, at + 1)
        if opcode == 0x0E:  # SummaryOffset: opcode of the group, start, length
            (place,) = struct.unpack_from("<Q", out, at + 10)
            struct.pack_into("<Q", out, at + 10, place + shift if place >= start else place)
        at += 9 + size
    return bytes(out)


def table(found: dict[str, Any]) -> str:
    """Return the figures, one a line."""
    return "\n".join(f"{name:48s} {value}" for name, value in found.items())


if __name__ == "__main__":
    start(main)
