# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The core's values to and from ROS messages, without ROS: of rclpy's classes or of the `rosbags` type store."""
