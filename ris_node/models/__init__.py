# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Referring segmentation networks in torch: trunk, text side, heads and the registry of systems."""
