# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Plain values become dataclasses, or one line names the path, the value and what is allowed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from ris_node.decode import DecodeError, decode
from ris_node.types import TensorSpec


@dataclass(frozen=True)
class Inner:
    steps: int = 3
    share: float = 0.5
    on: bool = False
    most: float | None = None


@dataclass(frozen=True)
class Outer:
    name: str
    inner: Inner = field(default_factory=Inner)
    shares: Mapping[str, float] = field(default_factory=dict)
    words: tuple[str, ...] = ()
    tensors: tuple[TensorSpec, ...] = ()
    free: Mapping[str, Any] = field(default_factory=dict)


def test_nested_values_are_built_and_converted() -> None:
    tensor = {"name": "x", "shape": [1, 2], "dtype": "uint8"}
    values = {
        "inner": {"share": 1, "most": 2},
        "shares": {"a": 1},
        "words": ["a", "b"],
        "tensors": [tensor],
        "free": {"k": [1]},
    }
    made = decode(Outer, {"name": "n", **values}, "file")
    assert made.inner == Inner(share=1.0, most=2.0) and isinstance(made.inner.share, float)
    assert made.shares == {"a": 1.0} and made.words == ("a", "b") and made.free == {"k": [1]}
    assert made.tensors == (TensorSpec("x", (1, 2), np.dtype("uint8")),)
    assert decode(Outer, {"name": "n", "inner": made.inner, "more": 1}, "file", ignore_unknown=True).inner is made.inner
    assert decode(Inner, {"most": None}, "file").most is None


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([1], "file must be a mapping, got list"),
        ({}, "file lacks inner, name"),
        ({"name": "n", "inner": {}, "colour": 1}, "file has unknown keys colour; known are free, inner, name"),
        ({"name": "n", "inner": {"stepz": 1}}, "file: inner has unknown keys stepz"),
        ({"name": "n", "inner": {"steps": "many"}}, "file: inner: steps must be like 3, got 'many'"),
        ({"name": "n", "inner": {"steps": True}}, "file: inner: steps must be like 3, got True"),
        ({"name": "n", "inner": {"on": 1}}, "file: inner: on must be like False, got 1"),
        ({"name": "n", "inner": {"most": "x"}}, "file: inner: most must be a number, got 'x'"),
        ({"name": 7, "inner": {}}, "file: name must be a string, got 7"),
        ({"name": "n", "inner": {}, "shares": {"a": "b"}}, "file: shares: a must be a number, got 'b'"),
        ({"name": "n", "inner": {}, "words": "abc"}, r"file: words must be like \(\), got 'abc'"),
        ({"name": "n", "inner": {}, "words": ["a", 1]}, r"file: words\[1\] must be a string, got 1"),
        (
            {"name": "n", "inner": {}, "tensors": [{"name": "x", "shape": [1], "dtype": "flat"}]},
            "dtype must be the name",
        ),
    ],
)
def test_what_does_not_fit_is_named_by_its_path(values: Any, words: str) -> None:
    with pytest.raises(DecodeError, match=words):
        decode(Outer, values, "file", required=("inner",))
