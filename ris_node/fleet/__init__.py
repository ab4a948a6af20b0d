# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Many bags at once: shared out to workers, failures tried again, and one table and report of it all.

`ris_node.fleet.fleet.replay_fleet` does it over Ray; `ris_node.fleet.schedule` knows nothing of Ray.
"""
