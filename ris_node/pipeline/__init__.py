# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""From a frame and a command to masks, instances and a target; no ROS, no torch."""

from __future__ import annotations
