# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Build TensorRT engines: a process of its own, and the samples that an engine is accepted by."""
