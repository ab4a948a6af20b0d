# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The ROS 2 shell around the core: the only place that imports rclpy."""
