# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Word pieces for the text graph, from the bundle's `tokenizer.json`."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from ris_node.errors import BundleError
from ris_node.types import I64


class WordPieces:
    """Tokenizer to ids of a fixed length; longer texts are cut, shorter ones padded."""

    def __init__(self, path: Path | str, max_tokens: int, sha256: str = "") -> None:
        """Read a tokenizer.

        Args:
            path: a Hugging Face `tokenizer.json`.
            max_tokens: length L of what `encode` returns.
            sha256: what the file's hash must be; empty: not checked.

        Raises:
            BundleError: the file is missing, is not a tokenizer, or has another hash.
        """
        try:
            from tokenizers import Tokenizer
        except ImportError as error:
            raise BundleError(f"tokenizers does not import ({error}): pip install tokenizers") from error
        try:
            data = Path(path).read_bytes()
        except OSError as error:
            raise BundleError(f"{path} cannot be read ({error}): restore the bundle") from error
        found = hashlib.sha256(data).hexdigest()
        if sha256 and found != sha256:
            raise BundleError(f"{path} has SHA-256 {found[:16]}…, the text graph wants {sha256[:16]}…: restore it")
        try:
            self._tokenizer: Any = Tokenizer.from_str(data.decode("utf-8"))
        except Exception as error:  # the library raises bare Exception for a malformed file
            raise BundleError(f"{path} is not a tokenizer ({error}): restore the bundle") from error
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(max_length=max_tokens)
        self.max_tokens = max_tokens

    def encode(self, text: str) -> tuple[I64, I64]:
        """Return token ids i64[1,L] and their mask i64[1,L] (1 = a word piece, 0 = padding)."""
        ids = self._tokenizer.encode(text).ids
        tokens = np.zeros((1, self.max_tokens), np.int64)
        mask = np.zeros((1, self.max_tokens), np.int64)
        tokens[0, : len(ids)] = ids
        mask[0, : len(ids)] = 1
        return tokens, mask
