# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Annotated pictures, expressions generated from them, and the fixed evaluation set (NumPy and OpenCV, no torch)."""
