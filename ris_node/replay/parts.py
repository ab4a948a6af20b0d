# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Results of a replay in sealed parts: a stopped or killed replay resumes after the last seal.

`OUT/parts/000003` holds rows.parquet, the result bag and the film of some frames; `seal.json` is written last, so a
part without one is unfinished and is done again.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ris_node.atomic import replacing, write_atomic
from ris_node.bags.writer import BagWriter
from ris_node.errors import ConfigError
from ris_node.interface import PUBLISHERS
from ris_node.media.film import Film, join_films
from ris_node.outputs import remove, sign
from ris_node.replay.answer import NODE, Answered
from ris_node.replay.options import BAG, FIGURES, FILM, PARTS, REPORT, RESULTS, SCORES, SUMMARY, VERB, ReplayOptions
from ris_node.replay.reasons import Reason, count_reasons, reason_of
from ris_node.replay.rows import RowWriter, join

SEAL, ROWS = "seal.json", "rows.parquet"
_TOPICS = (
    "~/result", "~/label_mask", "~/instance_mask", "~/overlay/compressed", "~/region", "~/target_pose",
    "~/region_polygon",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Seal:
    """Contents of a finished part: frames from `first`, their answers by status, and the replay's `fingerprint`."""

    fingerprint: str
    first: int
    frames: int
    statuses: dict[str, int] = field(default_factory=dict)
    model_id: str = ""
    reasons: list[Reason] = field(default_factory=list)

    @classmethod
    def read(cls, path: Path) -> Seal:
        """Read `seal.json`."""
        values = json.loads(path.read_text(encoding="utf-8"))
        return cls(**{**values, "reasons": [Reason(*kind) for kind in values.get("reasons", ())]})


class Part:
    """One open part: rows, result bag and film of consecutive frames."""

    def __init__(self, folder: Path, first: int, options: ReplayOptions, rate: float, fingerprint: str) -> None:
        """Make the folder anew and open the files in it."""
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        self.folder, self._first, self._fingerprint = folder, first, fingerprint
        self._rows = RowWriter(folder / ROWS)
        self._bag = open_result_bag(folder / BAG, options.overlays) if options.bag else None
        self._film = Film(folder / FILM, rate) if options.video else None
        self._statuses: Counter[str] = Counter()
        self._reasons: list[Reason] = []
        self._model_id = ""
        self.frames = 0

    def add(self, answered: Answered, row: dict[str, Any], messages: list[tuple[str, bytes]]) -> None:
        """Write a frame; messages get the receive time of its image."""
        self._rows.add(row)
        if self._bag is not None:
            for topic, data in messages:
                self._bag.write(topic, answered.job.message.log_ns, data)
        if self._film is not None and answered.picture is not None:
            self._film.add(answered.picture)
        self._statuses[row["status"]] += 1
        if reason := reason_of(row):
            self._reasons = count_reasons([*self._reasons, reason])
        self._model_id = row["model_id"]
        self.frames += 1

    def rescue_rows(self) -> bool:
        """Finish only the table, after another file could not be written; whether that worked.

        The bag and the film are removed first, which makes room: they will be written again.
        """
        if self._bag is not None:
            with suppress(OSError):  # what it still had to write; the file is closed all the same
                self._bag.abort()
            shutil.rmtree(self.folder / BAG, ignore_errors=True)
        if self._film is not None:
            with suppress(OSError):
                self._film.close()
            (self.folder / FILM).unlink(missing_ok=True)
        try:
            self._rows.close()
        except OSError:
            return False
        return self.frames > 0

    def seal(self) -> Seal | None:
        """Finish the files; None (and no folder) when nothing was written."""
        self._rows.close()
        if self._bag is not None:
            self._bag.close()
        if self._film is not None:
            self._film.close()
        if not self.frames:
            shutil.rmtree(self.folder)
            return None
        seal = Seal(
            fingerprint=self._fingerprint, first=self._first, frames=self.frames, statuses=dict(self._statuses),
            model_id=self._model_id, reasons=self._reasons,
        )  # fmt: skip
        write_atomic(self.folder / SEAL, json.dumps(asdict(seal)))
        return seal


class Parts:
    """All parts of one replay's folder."""

    def __init__(self, out: Path, options: ReplayOptions, rate: float, fingerprint: str) -> None:
        """Look at what is there.

        Raises:
            ConfigError: there are results already, or parts of another replay.
        """
        self._out, self._options, self._rate, self._fingerprint = out, options, rate, fingerprint
        self._folder = out / PARTS
        self.seals: list[Seal] = []
        self._loose: list[Path] = []
        self._open: Part | None = None
        there = self._folder.exists() or (out / RESULTS).exists()
        if there and options.overwrite:
            clear(out)
        elif there and not options.resume:
            raise ConfigError(f"{out} holds a replay already: give --resume to go on, --overwrite, or another --out")
        elif there:
            self._read()

    @property
    def done(self) -> int:
        """Frames in sealed parts."""
        return sum(seal.frames for seal in self.seals)

    def add(self, answered: Answered, row: dict[str, Any], messages: list[tuple[str, bytes]]) -> None:
        """Write a frame into the open part; full parts are sealed."""
        if self._open is None:
            folder = sign(self._folder, by=VERB) / f"{len(self.seals):06d}"
            self._open = Part(folder, self.done, self._options, self._rate, self._fingerprint)
        self._open.add(answered, row, messages)
        if self._open.frames >= self._options.part_frames:
            self.seal()

    def seal(self) -> None:
        """Finish the open part, if any."""
        seal = self._open.seal() if self._open is not None else None
        self._open = None
        if seal is not None:
            self.seals.append(seal)

    def drop(self) -> None:
        """Give the open part up, because it cannot be written; its rows still go into the results, if they can."""
        part, self._open = self._open, None
        if part is not None and part.rescue_rows():
            self._loose = [part.folder / ROWS]

    def finish(self, *, complete: bool) -> None:
        """Join the parts into the results; they are kept when the replay has to go on."""
        folders = [self._folder / f"{number:06d}" for number in range(len(self.seals))]
        with replacing(self._out / RESULTS) as path:
            join([*(folder / ROWS for folder in folders), *self._loose], path)
        if self._options.bag:
            _join_bags([folder / BAG for folder in folders], self._out / BAG, self._options.overlays, move=complete)
        if self._options.video:
            films = [folder / FILM for folder in folders if (folder / FILM).exists()]
            remove(self._out, FILM, by=VERB)
            join_films(films, self._out / FILM, self._rate, move=complete)
        if complete:
            remove(self._out, PARTS, by=VERB)

    def _read(self) -> None:
        if not self._folder.exists():
            raise ConfigError(f"{self._out} holds a complete replay: give --overwrite, or another --out")
        while (path := self._folder / f"{len(self.seals):06d}" / SEAL).is_file():
            seal = Seal.read(path)
            if seal.fingerprint != self._fingerprint:
                raise ConfigError(
                    f"{self._out} holds a part of another replay (bag, command, model or settings differ):"
                    " give what was given then, --overwrite, or another --out"
                )
            self.seals.append(seal)


def clear(out: Path) -> None:
    """Remove what an earlier replay wrote into a folder, by the folder's marker, and nothing else."""
    for name in (PARTS, BAG, RESULTS, FILM, REPORT, SUMMARY, SCORES, FIGURES):
        remove(out, name, by=VERB)


def open_result_bag(path: Path, overlays: bool) -> BagWriter:
    """Open a new MCAP bag with the node's topics."""
    bag = BagWriter(path, storage="mcap", compression="storage")
    sign(path, by=VERB)
    for topic in PUBLISHERS:
        if topic.name in _TOPICS and (overlays or "overlay" not in topic.name):
            bag.add_topic(topic.name.replace("~", NODE), topic.type, topic.qos)
    return bag


def _join_bags(parts: list[Path], target: Path, overlays: bool, *, move: bool) -> None:
    from ris_node.bags.reader import open_bag

    remove(target.parent, target.name, by=VERB)
    if len(parts) == 1 and move:
        parts[0].replace(target)
        return
    with open_result_bag(target, overlays) as joined:
        for path in parts:
            with open_bag(path) as part:
                for message in part.messages():
                    joined.write(message.topic, message.log_ns, message.data)
