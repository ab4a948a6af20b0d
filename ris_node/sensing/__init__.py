# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""What comes from cameras and what is known of them, without ROS: the node and the replay of bags share it."""
