# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The core in one object: a frame and a command in, masks and a target out."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType

import numpy as np
import numpy.typing as npt

from ris_node.bundle.bundle import Bundle, open_bundle
from ris_node.config import ModelConfig, OutputConfig, RegionConfig
from ris_node.errors import ImageError
from ris_node.language.parse import MAX_CHARS, ParsedCommand, parse_command
from ris_node.pipeline.families import open_segmenter
from ris_node.pipeline.finder import Finder
from ris_node.pipeline.grounding import Grounding
from ris_node.pipeline.letterbox import Letterbox
from ris_node.pipeline.segmenter import PADDING, RawAnswer, Segmenter, Smoother, TextFeatures
from ris_node.pipeline.verdict import refusal
from ris_node.runtime.base import BackendInfo, Session
from ris_node.runtime.select import Opened
from ris_node.types import U8, Frame, Query, Timing

CACHED_COMMANDS = 64
MAX_SIDE = 16384  # pixels; a larger image is a mistake, and costs gigabytes


@dataclass(frozen=True)
class PreparedQuery:
    """A query with its id, its parse and its text features: everything that an answer is labelled with."""

    query: Query
    command: ParsedCommand
    features: TextFeatures
    text_ms: float = 0.0  # what preparing cost; 0 where it came from the cache


class Grounder:
    """A loaded model that answers commands for frames.

    `ground` is for one thread; `prepare` may be called from another. `output` and `region` may be replaced while it
    runs; the next frame is answered with the new values.
    """

    def __init__(
        self,
        bundle: Bundle,
        segmenter: Segmenter,
        output: OutputConfig | None = None,
        region: RegionConfig | None = None,
        max_query_chars: int = MAX_CHARS,
    ) -> None:
        """Put a loaded model to work; `open` does the loading."""
        self.bundle = bundle
        self.output = output or OutputConfig()
        self.region = region or RegionConfig()
        self.max_query_chars = max_query_chars
        self.model_id = bundle.manifest.model_id
        self.notes = bundle.notes
        self._segmenter = segmenter
        self._smoother = Smoother()
        self._lock = threading.Lock()
        self._encoded: OrderedDict[str, TextFeatures] = OrderedDict()
        self._plain: OrderedDict[str, PreparedQuery] = OrderedDict()

    @classmethod
    def open(
        cls,
        model_dir: Path | str | None = None,
        *,
        model: ModelConfig | None = None,
        output: OutputConfig | None = None,
        region: RegionConfig | None = None,
        max_query_chars: int = MAX_CHARS,
    ) -> Grounder:
        """Load a bundle and warm it up.

        Args:
            model_dir: the bundle's folder; None: that of `model`, or the packaged default.
            model: backend, precision and threads.
            output: thresholds and what is reported.
            region: the vehicle and where its targets are given.
            max_query_chars: longer commands are refused.

        Raises:
            BundleError: the bundle is missing, damaged or does not keep its contract.
            BackendError: no runtime takes its graphs.
        """
        model = model or ModelConfig()
        bundle = open_bundle(model_dir or model.model_dir or None)
        segmenter = open_segmenter(bundle, model)
        grounder = cls(bundle, segmenter, output, region, max_query_chars)
        grounder.warm_up(model.warmup_iterations)
        return grounder

    def warm_up(self, passes: int) -> None:
        """Run the networks on a grey image, so that the first frame is not the slow one."""
        contract = self.bundle.manifest.input
        image = np.full((contract.height, contract.width, 3), contract.pad_value, np.uint8)
        features = self.prepare("the car").features if passes else None
        for _ in range(passes if features else 0):
            assert features is not None
            self._segmenter.segment(image, features)

    def prepare(self, query: Query | str, command: ParsedCommand | None = None) -> PreparedQuery:
        """Parse and encode a query once; the result can be used for any number of frames.

        Args:
            query: a command as text, or a query.
            command: what the query was parsed to, where that is known already.

        Raises:
            CommandError: the text is empty, too long or not text.
        """
        start = time.perf_counter()
        with self._lock:
            if isinstance(query, str):
                if query not in self._plain:
                    self._plain[query] = self._prepare(Query(query), start)
                    _trim(self._plain)
                    return self._plain[query]
                return replace(self._plain[query], text_ms=0.0)
            return self._prepare(query, start, command)

    def ground(self, frame: Frame | npt.NDArray[np.uint8], query: Query | str | PreparedQuery) -> Grounding:
        """Answer a query for one frame.

        Args:
            frame: a frame, or just an image u8[H,W,3] in RGB.
            query: a command, or what `prepare` made of it.

        Raises:
            CommandError: the text is empty, too long or not text.
            ImageError: the image is not u8[H,W,3], or has no pixels.
            BackendError: the network failed.
        """
        start = time.perf_counter()
        prepared = query if isinstance(query, PreparedQuery) else self.prepare(query)
        text_ms = 0.0 if isinstance(query, PreparedQuery) else prepared.text_ms
        frame = Frame(frame) if isinstance(frame, np.ndarray) else frame
        image = check_image(frame.image)
        if not prepared.command.groundable:
            verdict = refusal(prepared.command)
            timing = Timing(text=text_ms, total=_ms(start))
            blank = Grounding.blank(frame, prepared.query, self.model_id)
            return replace(blank, status=verdict.status, message=verdict.message, timing=timing)
        contract = self.bundle.manifest.input
        box = Letterbox.fit(frame.width, frame.height, contract.width, contract.height, contract.pad_value)
        begin = time.perf_counter()
        small = box.image(image)
        boxed = time.perf_counter()
        raw = self._segmenter.segment(small, prepared.features)
        ran = time.perf_counter()
        found = self._find(frame, prepared, raw, box)
        timing = Timing(
            preprocess=(boxed - begin) * 1e3,
            text=text_ms,
            inference=(ran - boxed) * 1e3,
            postprocess=_ms(ran),
            total=_ms(start),
        )
        return replace(found, timing=timing)

    @property
    def vision(self) -> Opened:
        """The vision graph's session, the backends that were skipped for it, and what it lacks."""
        return self._segmenter.vision

    @property
    def info(self) -> BackendInfo:
        """What the vision graph runs on."""
        return self._segmenter.info

    def replace_vision(self, opened: Opened) -> Session:
        """Answer with another session of the vision graph from the next frame on; for the thread that grounds.

        Returns:
            The session before, still open: to be closed, or put back.
        """
        return self._segmenter.replace_vision(opened)

    def reset(self) -> None:
        """Forget what was seen before (time jumped back, the camera changed)."""
        self._smoother.reset()

    def close(self) -> None:
        """Free the networks; closing twice is harmless."""
        self._segmenter.close()

    def __enter__(self) -> Grounder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _prepare(self, query: Query, start: float, command: ParsedCommand | None = None) -> PreparedQuery:
        command = command or parse_command(query, self.max_query_chars)
        query = query.identified()
        if not command.groundable:
            return PreparedQuery(query, command, self._silence(), _ms(start))
        key = f"{command.kind}|{command.manoeuvre}|{command.text}"
        known = key in self._encoded
        if not known:
            self._encoded[key] = self._segmenter.encode(command)
            _trim(self._encoded)
        return PreparedQuery(query, command, self._encoded[key], 0.0 if known else _ms(start))

    def _silence(self) -> TextFeatures:
        text = self.bundle.manifest.text
        words = np.zeros((1, text.max_tokens, text.dim), np.float32)
        mask = np.full((1, text.max_tokens), PADDING, np.float32)
        return TextFeatures(words, mask, np.zeros((1, text.dim), np.float32))

    def _find(self, frame: Frame, prepared: PreparedQuery, raw: RawAnswer, box: Letterbox) -> Grounding:
        raw = self._smoother.smooth(raw, prepared.query.id, frame, self.output.temporal_smoothing)
        finder = Finder(self.output, self.region, self.bundle.manifest.thresholds)
        return finder.find(Grounding.blank(frame, prepared.query, self.model_id), frame, prepared.command, raw, box)


def check_image(image: npt.NDArray[np.uint8]) -> U8:
    """Return a contiguous image u8[H,W,3].

    Raises:
        ImageError: it is something else, has no pixels, or is unreasonably large.
    """
    if not isinstance(image, np.ndarray) or image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        what = f"{image.dtype}{list(image.shape)}" if isinstance(image, np.ndarray) else type(image).__name__
        raise ImageError(f"the image is {what}: give RGB as uint8[height,width,3]")
    if not image.size or max(image.shape) > MAX_SIDE:
        raise ImageError(f"the image is {image.shape[1]}x{image.shape[0]}: give 1 to {MAX_SIDE} pixels a side")
    return np.ascontiguousarray(image)


def _trim(cache: OrderedDict[str, TextFeatures] | OrderedDict[str, PreparedQuery]) -> None:
    while len(cache) > CACHED_COMMANDS:
        cache.popitem(last=False)


def _ms(start: float) -> float:
    return (time.perf_counter() - start) * 1e3
