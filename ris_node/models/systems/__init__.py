# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Systems: each a network with its config and its losses in a file (or two) of its own, listed in `registry.py`."""
