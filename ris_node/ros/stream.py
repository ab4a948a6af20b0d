# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The camera's stream: which frames are taken, and whether the camera has gone silent; the core's as it is."""

from __future__ import annotations

from ris_node.sensing.stream import RateGate, SilenceWatch, Take

__all__ = ["RateGate", "SilenceWatch", "Take"]
