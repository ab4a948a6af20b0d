# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""From a region in the image to a goal in metres."""

from ris_node.targets.pixels import interior_point, likeliest_point
from ris_node.targets.policies import GOAL_POLICIES, YAW_POLICIES
from ris_node.targets.region import TargetRequest, region_target
from ris_node.targets.stability import TargetGate

__all__ = [
    "GOAL_POLICIES",
    "YAW_POLICIES",
    "TargetGate",
    "TargetRequest",
    "interior_point",
    "likeliest_point",
    "region_target",
]
