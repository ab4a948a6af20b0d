# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Everything that leaves the node: publishers, masks, region targets, status and diagnostics."""
