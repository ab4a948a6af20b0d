# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""examples/live_node.py talks to a real node."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

pytest.importorskip("rclpy")
pytest.importorskip("ris_msgs")
pytestmark = pytest.mark.ros

from harness import ROOT, rig, tiny  # noqa: E402


def test_it_sets_a_query_and_follows_its_answers(tmp_path):
    with rig(tiny(tmp_path)) as live:
        script = ROOT / "examples" / "live_node.py"
        command = [
            sys.executable,
            script,
            "the red thing",
            "--results",
            "3",
            "--ros-args",
            "-r",
            f"__ns:={live.namespace}",
        ]
        environment = {**os.environ, "ROS_DOMAIN_ID": str(live.domain), "PYTHONUNBUFFERED": "1"}
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as client:
            deadline = time.monotonic() + 60.0
            while client.poll() is None and time.monotonic() < deadline:
                live.client.send()
                time.sleep(0.05)
            client.kill()
            printed = client.stdout.read()
        assert client.returncode == 0
        assert printed.count("PRESENT") >= 3 and " 1 instances" in printed
