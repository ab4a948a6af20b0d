# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The demo's child processes end when they are asked to."""

from __future__ import annotations

import signal
from pathlib import Path

from ris_node.demo.processes import Crew


def test_children_of_a_background_job_end_by_sigint(tmp_path: Path) -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # as a script's `ris demo &` finds it
    try:
        with Crew(tmp_path / "logs") as crew:
            crew.start("server", "http.server", "0", "--bind", "127.0.0.1")
            assert "HTTP" in crew.lines.get(timeout=60)[1]
            assert crew.stop("server", 15.0) not in (-signal.SIGTERM, -signal.SIGKILL)
    finally:
        signal.signal(signal.SIGINT, before)
