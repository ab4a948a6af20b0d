# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Makes messages of rclpy's classes by the names of their types, as `ris_node.messages` asks for them."""

from __future__ import annotations

from array import array
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np


def make(name: str, /, **fields: object) -> Any:
    """Return a message of the type "package/Name", as `messages.types.Make` says.

    Sequences of numbers become `array`: rosidl takes it as it is, while others are copied one by one.
    """
    kind, sequences = _class(name)
    if not sequences:
        return kind(**fields)
    large = {field: fields.pop(field) for field in sequences & fields.keys()}
    msg = kind(**fields)
    for field, values in large.items():  # the constructor would copy them once more
        setattr(msg, field, _array(values) if isinstance(values, np.ndarray) else values)
    return msg


@cache
def _class(name: str) -> tuple[Any, frozenset[str]]:
    """Return a message's class, and which of its fields are sequences."""
    package, _, kind = name.partition("/")
    found = getattr(import_module(f"{package}.msg"), kind)
    types = found.get_fields_and_field_types()
    return found, frozenset(field for field, text in types.items() if text.startswith("sequence"))


def _array(values: np.ndarray[Any, Any]) -> array[Any]:
    out = array(values.dtype.char)
    out.frombytes(np.ascontiguousarray(values).data.cast("B"))
    return out
