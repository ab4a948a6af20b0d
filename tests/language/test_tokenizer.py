# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Word pieces of a fixed length from a checked file."""

from __future__ import annotations

import hashlib
import json

import pytest
from tiny_bundle import WORDS, tokenizer

from ris_node.errors import BundleError
from ris_node.language.tokenizer import WordPieces


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "tokenizer.json"
    file.write_text(json.dumps(tokenizer()))
    return file


def test_words_become_ids_then_padding(path):
    tokens, mask = WordPieces(path, 8, hashlib.sha256(path.read_bytes()).hexdigest()).encode("the RED wombat")
    assert tokens.tolist() == [[WORDS.index("the"), WORDS.index("red"), WORDS.index("[UNK]"), 0, 0, 0, 0, 0]]
    assert mask.tolist() == [[1, 1, 1, 0, 0, 0, 0, 0]]
    assert tokens.dtype == mask.dtype == "int64"


def test_long_texts_are_cut(path):
    tokens, mask = WordPieces(path, 4).encode("the red car on the left")
    assert tokens.shape == (1, 4) and mask.all()


def test_another_hash_is_refused(path):
    with pytest.raises(BundleError, match="SHA-256"):
        WordPieces(path, 8, "0" * 64)


def test_what_is_no_tokenizer_is_refused(tmp_path):
    (tmp_path / "tokenizer.json").write_text('{"version": "1.0"}')
    with pytest.raises(BundleError, match="not a tokenizer"):
        WordPieces(tmp_path / "tokenizer.json", 8)
    with pytest.raises(BundleError, match="cannot be read"):
        WordPieces(tmp_path / "missing.json", 8)
