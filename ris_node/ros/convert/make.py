# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Makes messages of rclpy's classes by the names of their types, as `ris_node.messages` asks for them."""

from __future__ import annotations

from array import array
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np
import numpy.typing as npt


@cache
def interface_class(name: str, kind: str = "msg") -> Any:
    """Return the class of an interface such as `sensor_msgs/Image`; `kind` is msg, srv or action.

    Raises:
        ImportError: its package is not installed.
    """
    package, _, type_name = name.partition("/")
    return getattr(import_module(f"{package}.{kind}"), type_name)


def make(name: str, /, **fields: object) -> Any:
    """Return a message of the type "package/Name", as `messages.types.Make` says.

    Sequences of numbers become `array`: rosidl takes it as it is, while others are copied one by one.
    """
    kind, sequences = _message(name)  # one look-up: an outline asks for each of its points
    if not sequences:
        return kind(**fields)
    large = {field: fields.pop(field) for field in sequences & fields.keys()}
    msg = kind(**fields)
    for field, values in large.items():  # the constructor would copy them once more
        setattr(msg, field, _array(values) if isinstance(values, np.ndarray) else values)
    return msg


@cache
def _message(name: str) -> tuple[Any, frozenset[str]]:
    """Return the class of a message type, and its fields that are sequences."""
    kind = interface_class(name)
    types = kind.get_fields_and_field_types()
    return kind, frozenset(field for field, text in types.items() if text.startswith("sequence"))


def _array(values: npt.NDArray[Any]) -> array[Any]:
    out = array(values.dtype.char)
    out.frombytes(np.ascontiguousarray(values).data.cast("B"))
    return out
