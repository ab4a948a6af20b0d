# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""ROS 2 messages without ROS: a `rosbags` type store that knows `ris_msgs` too, for reading and writing bags.

```python
store = typestore()
query = store.types["ris_msgs/msg/Query"]
data = store.serialize_cdr(message, "ris_msgs/msg/Query")
```
"""

from __future__ import annotations

import os
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from ris_node.errors import ConfigError
from ris_node.share import share_folders

EXTRA = "pip install 'ris_node[bags]'"


def needs(module: str) -> Any:
    """Import a module of the bag libraries.

    Raises:
        ConfigError: it is not installed; the message says how to.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise ConfigError(f"bags need the Python package '{error.name}': {EXTRA}") from error


def message_folder() -> Path:
    """Return the folder that defines `ris_msgs`: the source tree's, the package's own, or an installed ROS's.

    Raises:
        ConfigError: none of them is there.
    """
    prefixes = [Path(part) for part in os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep) if part]
    folders = [
        Path(__file__).resolve().parents[2] / "msgs" / "msg",
        *share_folders("msgs"),
        *(prefix / "share/ris_msgs/msg" for prefix in prefixes),
    ]
    for folder in folders:
        if (folder / "Grounding.msg").is_file():
            return folder
    raise ConfigError("the definitions of ris_msgs are missing from this installation: install ris_node again")


@lru_cache(maxsize=1)
def typestore() -> Any:
    """Return the `rosbags` type store of common ROS 2 messages and `ris_msgs`; one for all.

    Raises:
        ConfigError: `rosbags` or the definitions are not installed.
    """
    typesys = needs("rosbags.typesys")
    # the ROS in use defines what its messages are; without one, the line of the wheels that the project tests with
    distro = f"ROS2_{os.environ.get('ROS_DISTRO', '').upper()}"
    store = typesys.get_typestore(getattr(typesys.Stores, distro, typesys.Stores.ROS2_JAZZY))
    found: dict[str, Any] = {}
    for path in sorted(message_folder().glob("*.msg")):
        found.update(typesys.get_types_from_msg(path.read_text(encoding="utf-8"), f"ris_msgs/msg/{path.stem}"))
    store.register(found)
    return store


def learn(type_name: str) -> bool:
    """Add a message type of the installed ROS to the type store, with all it is made of; whether it is known now.

    Args:
        type_name: "package/msg/Name".
    """
    store, typesys = typestore(), needs("rosbags.typesys")
    package, _, name = type_name.split("/")
    if type_name in store.fielddefs:
        return True
    for prefix in filter(None, os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep)):
        path = Path(prefix) / "share" / package / "msg" / f"{name}.msg"
        if not path.is_file():
            continue
        found = typesys.get_types_from_msg(path.read_text(encoding="utf-8"), type_name)
        inner = {part for _, fields in found.values() for _, field in fields for part in _names(field)}
        if all(learn(part) for part in sorted(inner)):
            store.register(found)
            return True
    return False


def _names(field: Any) -> set[str]:
    """Return the message types in a field's description, which nests tuples for arrays."""
    if isinstance(field, tuple):
        return {name for part in field for name in _names(part)}
    return {field} if isinstance(field, str) and field.count("/") == 2 else set()


def make(name: str, /, **fields: object) -> Any:
    """Return a message of the type "package/Name" of the type store, as `messages.types.Make` says.

    Fields that are not given are zero or empty: the type store knows no other defaults.
    """
    full = name.replace("/", "/msg/") if name.count("/") == 1 else name
    store = typestore()
    missing = {field: _empty(*kind) for field, kind in store.fielddefs[full][1] if field not in fields}
    return store.types[full](**fields, **missing)


def encoded(name: str, message: Any) -> bytes:
    """Return a message of the type "package/Name" in CDR."""
    return bytes(typestore().serialize_cdr(message, name.replace("/", "/msg/")))


def _empty(kind: int, detail: Any) -> Any:
    """Return the zero of a field: `rosbags` numbers the kinds 1 base, 2 message, 3 array, 4 sequence."""
    if kind == 2:
        return make(detail)
    if kind == 1:
        return {"string": "", "bool": False, "float32": 0.0, "float64": 0.0}.get(detail[0], 0)
    (inner, inner_detail), length = detail
    length = length if kind == 3 else 0
    if inner == 1 and inner_detail[0] != "string":
        return np.zeros(length, {"byte": "u1", "char": "u1"}.get(inner_detail[0], inner_detail[0]))
    return [_empty(inner, inner_detail) for _ in range(length)]
