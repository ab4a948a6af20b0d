# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Processes that talk to a live node: the demo's, the bench's and the doctor's."""
