# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""ROS domains that tests share out among their processes, and the shared memory that killed ones leave."""

from __future__ import annotations

import fcntl
import os
import tempfile
from pathlib import Path
from typing import IO

DOMAINS = range(1, 101)  # higher ones reach into the ephemeral ports


def remove_dead_segments(folder: Path) -> list[str]:
    """Remove the 70 MB that Fast DDS leaves in shared memory for each process that was killed; return their names."""
    removed = []
    for lock in folder.glob("fastrtps_*_el"):
        segment = lock.with_name(lock.name[: -len("_el")])
        try:
            with lock.open() as handle:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)  # whoever lives holds it
                for file in (segment, lock):
                    file.unlink(missing_ok=True)
        except OSError:
            continue
        removed.append(segment.name)
    return removed


def free_domain() -> tuple[int, IO[str]]:
    """Return a ROS domain that no other test on this machine uses, and the lock that keeps it."""
    folder = Path(tempfile.gettempdir()) / f"ris_domains_{os.getuid()}"
    folder.mkdir(exist_ok=True)
    start = os.getpid() % len(DOMAINS)
    for offset in range(len(DOMAINS)):
        domain = DOMAINS[(start + offset) % len(DOMAINS)]
        handle = (folder / str(domain)).open("w")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            handle.close()
            continue
        return domain, handle
    raise RuntimeError(f"all ROS domains are taken: is something left that holds the locks in {folder}?")
