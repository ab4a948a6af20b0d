# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Referring image segmentation for robots: frames and a command in, a mask and a target out.

The package has three rings with arrows pointing inward. The core (`types`, `language`, `geometry`,
`runtime`, `bundle`, `pipeline`, `targets`, `metrics`, `scene`, `cli`) needs NumPy, OpenCV, ONNX Runtime
and tokenizers; only `models`, `data`, `training` and `export` import torch; only `ros` imports rclpy.
"""

from __future__ import annotations

import os

# From 1.32 on, ONNX Runtime's wheels for Linux keep an id of the machine in ~/.cache and report to their maker.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

__version__ = "0.1.0"
