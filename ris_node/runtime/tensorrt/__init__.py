# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Networks on TensorRT: engines are built once for a GPU, kept under the XDG cache, checked, and run without torch.

`toolkit` finds TensorRT and the GPU, `spec` names an engine, `network` parses its ONNX file, `build` makes it, `store`
keeps and refuses engines, `session` runs them, `accept` compares their answers with ONNX Runtime's, and `backend` ties
them to the selection. ris_node/export/tensorrt builds them in a process of its own.
"""
