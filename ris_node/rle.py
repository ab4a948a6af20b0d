# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Run lengths of binary masks: row-major, starting with zeros (the form of messages, predictions and truth files)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ris_node.errors import DataError
from ris_node.types import I64, Bool


def encode_rle(mask: Bool, *, above: int = 0, below: int = 0) -> list[int]:
    """Return the run lengths of a mask bool[H,W], row by row; the first counts zeros (0: the first pixel is set).

    An all-zero mask is `[H*W]`, an empty one `[]`. `above` and `below` are rows of zeros to add, so that of a large
    mask only the rows of its box need be looked at.

    Raises:
        DataError: when the mask does not have two dimensions.
    """
    mask = np.asarray(mask)
    if mask.ndim != 2:
        raise DataError(f"a mask has two dimensions [H,W], got shape {mask.shape}; pass one mask at a time")
    flat = mask.astype(np.bool_, copy=False).ravel()
    changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    runs: list[int] = np.diff(np.concatenate(([0], changes, [flat.size]))).tolist()
    if flat.size and flat[0]:
        runs.insert(0, 0)
    runs[0] += above * mask.shape[1]
    if len(runs) % 2:  # the last run is of zeros
        runs[-1] += below * mask.shape[1]
    elif below:
        runs.append(below * mask.shape[1])
    return runs if runs != [0] else []


def decode_rle(counts: Sequence[int] | I64, height: int, width: int) -> Bool:
    """Return the mask bool[H,W] of run lengths (row-major, zeros first); the inverse of `encode_rle`.

    Raises:
        DataError: when a count is negative or not whole, or the counts do not add up to `height * width`.
    """
    runs = np.asarray(counts)
    if runs.size == 0:
        runs = np.zeros(0, np.int64)
    if runs.ndim != 1 or runs.dtype.kind not in "iu" or (runs < 0).any():
        raise DataError(f"run lengths are a flat list of whole numbers >= 0, got {list(counts)[:8]!r}")
    runs = runs.astype(np.int64)
    if int(runs.sum()) != height * width:
        raise DataError(f"run lengths add up to {int(runs.sum())}, not to {height} x {width} = {height * width} pixels")
    values = np.arange(runs.size) % 2 == 1
    return np.repeat(values, runs).reshape(height, width)
