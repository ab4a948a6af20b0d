# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Training of referring models: pools of drawn expressions, the loop, checkpoints and the running check."""
