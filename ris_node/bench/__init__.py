# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Measures the bare network, the core and the node over DDS in one run, side by side."""
