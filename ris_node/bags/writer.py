# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Writes rosbag2 bags (MCAP or sqlite3) through `rosbags`, with each topic's QoS.

What was written before the last `sync` can be read even when the process is killed in the middle.
"""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any

from ris_node.bags.typestore import learn, needs, typestore
from ris_node.errors import ConfigError
from ris_node.interface import Qos

STORAGES = ("mcap", "sqlite3")
COMPRESSIONS = ("none", "message", "file", "storage")  # storage: the chunks of an MCAP file
# Version 8 writes QoS as numbers in a string, which Humble's player reads too.
_VERSION = 8
_FOREVER = (9223372036, 854775807)  # rmw's infinite duration: seconds, nanoseconds


def bag_qos(qos: Qos) -> Any:
    """Return a QoS as `rosbags` writes it into a bag."""
    kinds = needs("rosbags.interfaces")
    forever = kinds.QosTime(*_FOREVER)
    return kinds.Qos(
        kinds.QosHistory.KEEP_LAST,
        qos.depth,
        kinds.QosReliability.RELIABLE if qos.reliable else kinds.QosReliability.BEST_EFFORT,
        kinds.QosDurability.TRANSIENT_LOCAL if qos.latched else kinds.QosDurability.VOLATILE,
        deadline=forever,
        lifespan=forever,
        liveliness=kinds.QosLiveliness.AUTOMATIC,
        liveliness_lease_duration=forever,
        avoid_ros_namespace_conventions=False,
    )


class BagWriter:
    """A new bag: `write` takes messages by topic, `close` (or leaving the `with`, also on an error) finishes it.

    Args:
        path: the bag's folder, which must not exist.
        storage: "mcap" or "sqlite3".
        compression: "none", "message" or "file" (zstd), or "storage" (zstd chunks, MCAP only).

    Raises:
        ConfigError: the folder exists, `rosbags` is missing, or storage and compression do not go together.
    """

    def __init__(self, path: Path | str, *, storage: str = "mcap", compression: str = "none") -> None:
        rosbag2 = needs("rosbags.rosbag2")
        self.path = Path(path)
        if storage not in STORAGES or compression not in COMPRESSIONS:
            raise ConfigError(
                f"storage {storage!r} with compression {compression!r}: give one of {', '.join(STORAGES)} "
                f"and one of {', '.join(COMPRESSIONS)}"
            )
        if compression == "storage" and storage != "mcap":
            raise ConfigError("compression 'storage' is for mcap: give 'message' or 'file' with sqlite3")
        if self.path.exists():
            raise ConfigError(f"{self.path} exists already: choose another name, or remove it first")
        self._writer = rosbag2.Writer(
            self.path, version=_VERSION, storage_plugin=rosbag2.StoragePlugin[storage.upper()]
        )
        if compression != "none":
            mode = rosbag2.CompressionMode[compression.upper()]
            self._writer.set_compression(mode, rosbag2.CompressionFormat.ZSTD)
        self._storage = storage
        self._topics: dict[str, Any] = {}
        self._types: dict[str, str] = {}
        self.count = 0
        self._writer.open()

    def add_topic(self, name: str, type_name: str, qos: Qos, definition: tuple[str, str] | None = None) -> None:
        """Declare a topic before its first message.

        Args:
            name: absolute topic name.
            type_name: "package/msg/Name", or as interfaces are named here, "package/Name".
            qos: as its publishers offer it.
            definition: (message definition, RIHS01 hash) of a type that nobody here knows.

        Raises:
            ConfigError: the type is not known and no definition is given.
        """
        full = type_name if type_name.count("/") == 2 else type_name.replace("/", "/msg/")
        if definition is not None:
            kind = {"msgdef": definition[0], "rihs01": definition[1]}
        elif learn(full):
            kind = {"typestore": typestore()}
        else:
            raise ConfigError(f"no definition of {full!r} (topic {name!r}): leave that topic out")
        self._topics[name] = self._writer.add_connection(name, full, offered_qos_profiles=[bag_qos(qos)], **kind)
        self._types[name] = full

    def __contains__(self, topic: str) -> bool:
        return topic in self._topics

    def write(self, topic: str, time_ns: int, message: Any) -> None:
        """Add a message, as serialised bytes (CDR) or as one of the type store's objects, at a receive time."""
        data = message
        if not isinstance(message, (bytes, bytearray, memoryview)):
            data = typestore().serialize_cdr(message, self._types[topic])
        self._writer.write(self._topics[topic], time_ns, data)
        self.count += 1

    def sync(self) -> None:
        """Hand all that was written to the system, so that it outlives this process."""
        storage = self._writer.storage
        if storage is None:
            return
        if self._storage == "mcap":
            if any(storage.chunk.msgs.values()):
                storage.close_chunk()
            storage.bio.flush()
        else:
            storage.conn.commit()

    def abort(self) -> None:
        """Close the file as it is, without an index: the bag is to be thrown away."""
        self._writer.abort()

    def close(self) -> None:
        """Finish the bag: index, footer and metadata.yaml."""
        if self._writer.storage is not None:
            self._writer.close()

    def __enter__(self) -> BagWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # after an error as well: what came before it is worth keeping
        self.close()
