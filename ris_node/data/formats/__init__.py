# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Readers of published data sets: each is a module with `inputs` and `read`, and a line in `registry.py`."""
