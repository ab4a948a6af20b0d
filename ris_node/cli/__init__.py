# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The `ris` command: one module per verb, found in the table of `verbs.py`."""
