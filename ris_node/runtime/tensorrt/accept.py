# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""An engine's answers against ONNX Runtime's, by the limits that a silent wrong answer does not pass.

Two empty masks agree. INT8 is judged on the set, the others on every sample.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ris_node.errors import EngineRefusedError
from ris_node.runtime.base import Array, Session

PLANES = ("mask_logits", "region_logits")
PRESENCE = "presence_logit"
LEAST_IOU = {"fp32": 0.995, "fp16": 0.99, "fp16-safe": 0.99, "int8": 0.0}  # of each sample
LEAST_MEAN_IOU = {"fp32": 0.998, "fp16": 0.993, "fp16-safe": 0.993, "int8": 0.95}
LEAST_SAME_PRESENCE = 0.98
LEAST_PIXELS = 0.999  # that agree where the reference is sure
_SURE, _CLOSE = 0.5, 0.1  # logits


@dataclass(frozen=True)
class Samples:
    """Feeds and reference answers: name -> array[N, ...], without the batch dimension of 1.

    `thresholds` are the logits from which a mask, a region and a presence count.
    """

    feeds: Mapping[str, Array]
    answers: Mapping[str, Array]
    thresholds: Mapping[str, float]

    def __len__(self) -> int:
        return len(next(iter(self.feeds.values())))

    def save(self, path: Path) -> None:
        """Write them as an .npz file."""
        arrays = {f"in:{name}": value for name, value in self.feeds.items()}
        arrays |= {f"out:{name}": value for name, value in self.answers.items()}
        arrays |= {f"at:{name}": np.float64(value) for name, value in self.thresholds.items()}
        with path.open("wb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]

    @classmethod
    def load(cls, path: Path) -> Samples:
        """Read them.

        Raises:
            EngineRefusedError: the file is missing or damaged.
        """
        parts: dict[str, dict[str, Any]] = {"in": {}, "out": {}, "at": {}}
        try:
            with np.load(path, allow_pickle=False) as data:
                for key in data.files:
                    side, name = key.split(":", 1)
                    parts[side][name] = data[key]
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise EngineRefusedError(f"the samples {path} cannot be read ({error!r})") from error
        return cls(parts["in"], parts["out"], {name: float(value) for name, value in parts["at"].items()})


@dataclass(frozen=True, kw_only=True)
class Parity:
    """How answers compare; `reason` names the first limit that does not hold, and is empty where all do."""

    passed: bool
    reason: str
    samples: int
    least_iou: float = 0.0
    mean_iou: float = 0.0
    same_presence: float = 0.0
    largest_difference: float = 0.0  # of logits, as a share of the reference's range
    pixels: float = 0.0  # that agree where the reference is sure

    def __str__(self) -> str:
        words = (
            f"on {self.samples} samples masks IoU {self.mean_iou:.4f} on average, {self.least_iou:.4f} at least, "
            f"same presence {self.same_presence:.1%}"
        )
        return f"{words}: {self.reason}" if self.reason else words

    def as_dict(self) -> dict[str, Any]:
        """Return the report as JSON-ready values."""
        return asdict(self)


def accept(session: Session, samples: Samples, precision: str) -> Parity:
    """Run a session on samples and compare with the reference answers by the limits of a precision."""
    found: dict[str, list[Array]] = {name: [] for name in samples.answers}
    for index in range(len(samples)):
        out = session.run({name: value[index][None] for name, value in samples.feeds.items()})
        for name, values in found.items():
            values.append(out[name][0])
    return compare(samples, {name: np.stack(values) for name, values in found.items()}, precision)


def compare(samples: Samples, found: Mapping[str, Array], precision: str) -> Parity:
    """Compare answers name -> array[N, ...] with the samples' own."""
    count = len(samples)
    broken = [name for name, value in found.items() if not np.isfinite(value).all()]
    if broken:
        return Parity(passed=False, reason=f"{', '.join(broken)} has NaN or infinite values", samples=count)
    ious = [iou for name in PLANES for iou in _ious(samples, found, name)]
    wide = max(_difference(samples.answers[name], found[name]) for name in PLANES)
    pixels = min(_sure_pixels(samples, found, name) for name in PLANES)
    same = _same_presence(samples, found)
    numbers = (min(ious), float(np.mean(ious)), same, wide, pixels)
    reason = _reason(precision, *numbers)
    names = ("least_iou", "mean_iou", "same_presence", "largest_difference", "pixels")
    return Parity(passed=not reason, reason=reason, samples=count, **dict(zip(names, numbers, strict=True)))


def _reason(precision: str, least: float, mean: float, same: float, wide: float, pixels: float) -> str:
    float32, int8 = precision == "fp32", precision == "int8"
    limits = (
        (least < LEAST_IOU[precision], f"a mask has IoU {least:.4f}, less than {LEAST_IOU[precision]}"),
        (mean < LEAST_MEAN_IOU[precision], f"mean mask IoU is {mean:.4f}, less than {LEAST_MEAN_IOU[precision]}"),
        (same < LEAST_SAME_PRESENCE, f"the same presence in {same:.1%}, less than {LEAST_SAME_PRESENCE:.0%}"),
        (float32 and wide > 1e-3, f"logits differ by {wide:.2g} of their range, more than 0.001"),
        (not int8 and pixels < LEAST_PIXELS, f"{pixels:.3%} of sure pixels agree, less than {LEAST_PIXELS:.1%}"),
    )
    return next((words for broken, words in limits if broken), "")


def _ious(samples: Samples, found: Mapping[str, Array], name: str) -> list[float]:
    """IoU of each sample's mask; one cell of difference counts as none, for a small mask has few."""
    at = samples.thresholds[name]
    out = []
    for ours, theirs in zip(found[name] > at, samples.answers[name] > at, strict=True):
        union, common = int((ours | theirs).sum()), int((ours & theirs).sum())
        out.append(1.0 if union - common <= 1 else common / union)
    return out


def _difference(reference: Array, found: Array) -> float:
    span = float(reference.max() - reference.min())
    return float(np.abs(found - reference).max()) / span if span else float(np.abs(found - reference).max())


def _sure_pixels(samples: Samples, found: Mapping[str, Array], name: str) -> float:
    at = samples.thresholds[name]
    reference: Array = samples.answers[name] - at
    sure = np.abs(reference) > _SURE
    return float(((found[name] - at > 0) == (reference > 0))[sure].mean()) if sure.any() else 1.0


def _same_presence(samples: Samples, found: Mapping[str, Array]) -> float:
    at = samples.thresholds[PRESENCE]
    reference, ours = samples.answers[PRESENCE].ravel() - at, found[PRESENCE].ravel() - at
    return float((((ours > 0) == (reference > 0)) | (np.abs(reference) < _CLOSE)).mean())
