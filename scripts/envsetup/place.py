# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Where the environment goes, which ROS it is for, and the lock that keeps two set-ups apart."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envsetup.talk import Talk


class SetupError(Exception):
    """Something that the user has to do before the set-up can go on; the text says what."""


@dataclass(frozen=True)
class Place:
    """The repository, and the name of the ROS 2 that is sourced (empty: none, so the wheels are used)."""

    root: Path
    ros_distro: str

    @classmethod
    def find(cls, root: Path) -> Place:
        """Return the place for the repository `root` under the present environment variables."""
        return cls(root=root, ros_distro=os.environ.get("ROS_DISTRO", "").strip())

    @property
    def venv(self) -> Path:
        """The virtual environment's folder."""
        return self.root / ".venv"

    @property
    def python(self) -> Path:
        """The virtual environment's interpreter."""
        return self.venv / "bin" / "python"

    @property
    def messages(self) -> Path:
        """Where the built ris_msgs are installed."""
        return self.venv / "ris_msgs"

    @property
    def wheels(self) -> Path:
        """Wheels of the run-time packages, for the test of the project's own wheel."""
        return self.venv / "wheels"

    @property
    def work(self) -> Path:
        """Stamps, logs and intermediate files of the set-up."""
        return self.venv / "setup"

    def identity(self) -> str:
        """Return what an environment is bound to: this interpreter, this folder, this ROS."""
        return "|".join([sys.version, os.path.realpath(sys.executable), str(self.root), self.ros_distro or "wheels"])

    def environment(self) -> dict[str, str]:
        """Return the environment variables for tools that run inside the virtual environment."""
        env = dict(os.environ)
        env["VIRTUAL_ENV"] = str(self.venv)
        env["PATH"] = os.pathsep.join([str(self.venv / "bin"), env.get("PATH", os.defpath)])
        env["PIP_DISABLE_PIP_VERSION_CHECK"] = "1"
        env["PYTHONUNBUFFERED"] = "1"
        if not self.ros_distro:
            env["_ROS_WHEELS_BOOTSTRAP_COMPLETE"] = "1"  # or every Python here would start twice
            for name, folder in (
                ("AMENT_PREFIX_PATH", self.venv),
                ("CMAKE_PREFIX_PATH", self.venv),
                ("LD_LIBRARY_PATH", self.venv / "lib"),
            ):
                env[name] = os.pathsep.join(filter(None, [str(folder), env.get(name, "")]))
        return env


@contextmanager
def locked(place: Place, talk: Talk) -> Iterator[None]:
    """Hold the set-up's lock; waits, and says so, while another set-up of the same folder runs."""
    import fcntl  # not on every system; tools.check comes first

    # Beside .venv, not in it: .venv may be made anew while the lock is held.
    with (place.root / ".venv.lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            talk.say(f"another set-up of {place.root} is running: waiting for it")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
