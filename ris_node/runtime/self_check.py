# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Whether this processor computes the INT8 network as the one that it was made on.

Processors without VNNI add pairs of products in 16 bits and saturate: the same file, other answers, and no error. So a
bundle carries a few pictures with commands and what its INT8 network answered, and the network is asked them at load.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ris_node.errors import BackendError
from ris_node.runtime.base import Array, Session

GOLDEN = "golden.npz"
PLANES = ("mask_logits", "region_logits")
MOST_MEAN = 0.01  # mean difference of probabilities over a mask: rounding differs by 0.001, saturation by 0.05 and more
MOST_PRESENCE = 0.05


@dataclass(frozen=True)
class Golden:
    """Questions and answers: name -> array[N, ...] without the batch dimension.

    `images` are stored at half size, u8[N,H/2,W/2,3], and doubled pixel by pixel; logits are stored as float16.
    """

    images: Array
    feeds: dict[str, Array]  # words, word_mask, sentence
    answers: dict[str, Array]

    def __len__(self) -> int:
        return len(self.images)

    def feed(self, index: int) -> dict[str, Array]:
        """Return the inputs of one question."""
        image = self.images[index].repeat(2, 0).repeat(2, 1)
        return {"image": image[None], **{k: v[index].astype(np.float32)[None] for k, v in self.feeds.items()}}

    def save(self, path: Path) -> None:
        """Write them; the caller makes the write atomic."""
        arrays: dict[str, Any] = {"images": self.images}
        arrays |= {f"in.{name}": value.astype(np.float16) for name, value in self.feeds.items()}
        arrays |= {f"out.{name}": value.astype(np.float16) for name, value in self.answers.items()}
        with path.open("wb") as file:
            np.savez_compressed(file, **arrays)

    @classmethod
    def load(cls, path: Path) -> Golden:
        """Read them.

        Raises:
            BackendError: the file is missing or damaged.
        """
        try:
            with np.load(path, allow_pickle=False) as data:
                parts = {name: data[name] for name in data.files}
            sides = [{k[len(s) :]: v for k, v in parts.items() if k.startswith(s)} for s in ("in.", "out.")]
            return cls(parts["images"], *sides)
        except (OSError, ValueError, KeyError, EOFError) as error:
            raise BackendError(f"the golden answers {path} cannot be read ({error!r}): restore the bundle") from error


def self_check(session: Session, golden: Golden) -> str:
    """Ask a vision network the golden questions; return what is wrong with its answers, empty where nothing is."""
    for index in range(len(golden)):
        out = session.run(golden.feed(index))
        for name in PLANES:
            off = float(np.abs(_chance(out[name][0]) - _chance(golden.answers[name][index])).mean())
            if not off <= MOST_MEAN:
                return f"{name} of golden answer {index} is off by {off:.3f} on average, at most {MOST_MEAN}"
        presence = _chance(out["presence_logit"].ravel()) - _chance(golden.answers["presence_logit"][index].ravel())
        if not float(np.abs(presence).max()) <= MOST_PRESENCE:
            off = float(np.abs(presence).max())
            return f"presence of golden answer {index} is off by {off:.3f}, at most {MOST_PRESENCE}"
    return ""


def _chance(logits: Array) -> Array:
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * logits.astype(np.float64))))
