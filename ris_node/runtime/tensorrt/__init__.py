# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Networks on TensorRT: engines are built once for a GPU, kept under the XDG cache, checked, and run without torch.

`toolkit` finds TensorRT and the GPU, `spec` names an engine, `build` makes one, `store` keeps and refuses them,
`session` runs them, `builder` and `background` build in a process of its own, `backend` ties it to the selection.
"""
