# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Images, depth, intrinsics and commands as they arrive, without ROS: the node and the replay of bags share it."""
