# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""TensorRT as a backend: which engine a bundle needs, and opening one that is there and was accepted."""

from __future__ import annotations

import logging
from dataclasses import asdict
from typing import Any

import numpy as np

from ris_node.bundle.bundle import VISION_FILES, Bundle
from ris_node.config import ModelConfig
from ris_node.errors import BackendError, EngineMissingError, EngineRefusedError, EngineRejectedError
from ris_node.runtime.base import Session, check_session
from ris_node.runtime.tensorrt import toolkit as toolkits
from ris_node.runtime.tensorrt.accept import Samples, accept
from ris_node.runtime.tensorrt.session import TensorRtSession
from ris_node.runtime.tensorrt.spec import BuildSpec, EngineRequest, hash_network
from ris_node.runtime.tensorrt.store import (
    SAMPLES,
    StoredEngine,
    cache_root,
    find_engine,
    rebuild_command,
    set_parity,
)
from ris_node.runtime.tensorrt.toolkit import Toolkit

log = logging.getLogger(__name__)
# precision asked for -> the bundle's files that can serve, best first, with what they have to turn out to be
_FILES = {
    "auto": (("fp16", "fp16"), ("fp32", "fp32")),
    "fp32": (("fp32", "fp32"),),
    "fp16": (("fp16", "fp16"),),
    "fp16-safe": (("fp16", "fp16-safe"),),
    "int8": (("int8-trt", "int8"),),
}


def request_for(bundle: Bundle, config: ModelConfig, kit: Toolkit) -> EngineRequest:
    """Return the engine that a bundle's vision graph needs with this TensorRT on this GPU.

    Raises:
        BackendError: the bundle has no graph of the precision asked for.
    """
    there = [
        (bundle.file(VISION_FILES[kind]), precision)
        for kind, precision in _FILES[config.precision]
        if config.precision != "auto" or kind != "fp16" or bundle.kept("fp16")
    ]
    path, precision = next(((path, precision) for path, precision in there if path is not None), (None, ""))
    if path is None:
        wanted = ", ".join(VISION_FILES[kind] for kind, _ in _FILES[config.precision])
        raise BackendError(
            f"{bundle.path} has no {wanted}, which TensorRT needs for precision {config.precision}: make it with "
            "`ris cast` or `ris quantize --for tensorrt`, or choose precision auto or fp32"
        )
    return EngineRequest(
        onnx=str(path.resolve()),
        onnx_sha256=hash_network(path),
        spec=BuildSpec(precision),
        runtime=kit.name,
        version=kit.version,
        device=kit.device,
        root=str(cache_root(config.engine_cache_dir).resolve()),
        model=bundle.manifest.name,
        model_id=bundle.manifest.model_id,
        bundle=str(bundle.path.resolve()),
        contract=contract_of(bundle),
    )


def contract_of(bundle: Bundle) -> dict[str, Any]:
    """Return how images and texts must be prepared for a bundle, as JSON-ready values."""
    text = bundle.manifest.text
    return {"input": asdict(bundle.manifest.input), "tokenizer": text.tokenizer_sha256, "max_tokens": text.max_tokens}


def open_session(bundle: Bundle, graph: str, config: ModelConfig) -> Session:
    """Load a graph of a bundle: the vision graph on TensorRT, the text graph, run once a command, on the CPU.

    Raises:
        EngineMissingError: no engine has been built for it.
        EngineRefusedError: the one that is there must not be used.
        BackendError: TensorRT cannot run here.
    """
    if graph == "text":
        from ris_node.runtime.ort import OrtSession

        return OrtSession(bundle.path / "text.onnx", num_threads=config.num_threads)
    kit = toolkits.detect(config.device_id)
    request = request_for(bundle, config, kit)
    return open_accepted(find_engine(request), kit, rebuild_command(request), cuda_graph=config.cuda_graph)


def open_accepted(engine: StoredEngine, kit: Toolkit, rebuild: str, *, cuda_graph: bool = False) -> TensorRtSession:
    """Load an engine that gives ONNX Runtime's answers; one that was not yet held against them is so now.

    Raises:
        EngineRefusedError: it does not load, or its answers differ; it is set aside then.
        BackendError: it does not run.
    """
    session = TensorRtSession(engine, kit, cuda_graph=cuda_graph)
    if engine.parity is not None:
        return session
    try:
        parity = accept(session, Samples.load(engine.folder / SAMPLES), engine.manifest.keyed["spec"]["precision"])
        set_parity(engine, parity.as_dict())
        log.info("engine %s against ONNX Runtime: %s", engine.manifest.key, parity)
        if not parity.passed:
            raise EngineRejectedError(
                f"the engine {engine.manifest.key} gives wrong answers ({parity.reason}) and was set aside; {rebuild} "
                "tries once more"
            )
    except BaseException:
        session.close()
        raise
    return session


def open_built(request: EngineRequest, kit: Toolkit, bundle: Bundle, config: ModelConfig) -> TensorRtSession:
    """Load the engine that was built for a bundle, accepted, checked against the bundle's contract and warmed up.

    Raises:
        EngineRefusedError: it is not there, does not load, or gives wrong answers.
        BackendError: it does not run.
        BundleError: its tensors are not the bundle's.
    """
    session = open_accepted(find_engine(request), kit, rebuild_command(request), cuda_graph=config.cuda_graph)
    try:
        check_session(session, bundle.manifest, "vision", f"the engine {request.key}")
        feeds = {spec.name: np.zeros(spec.shape, spec.dtype) for spec in session.inputs}
        for _ in range(max(1, config.warmup_iterations)):
            session.run(feeds)
    except BaseException:
        session.close()
        raise
    return session


def wanted_engine(bundle: Bundle, config: ModelConfig) -> tuple[EngineRequest, Toolkit] | None:
    """Return the engine that a configuration needs built, and the toolkit; None where nothing is to build.

    One that gave wrong answers is not built again, unless `engine_build` is "force".

    Raises:
        BackendError: `backend` is "tensorrt", and TensorRT or the bundle's graph is not there.
    """
    if config.backend not in ("auto", "tensorrt") or config.engine_build == "never":
        return None
    try:
        kit = toolkits.detect(config.device_id)
        request = request_for(bundle, config, kit)
    except BackendError:
        if config.backend == "auto":
            return None
        raise
    if config.engine_build == "force":
        return request, kit
    try:
        find_engine(request)
    except EngineRejectedError:
        return None
    except (EngineMissingError, EngineRefusedError) as reason:
        log.info("%s", reason)
        return request, kit
    return None


def probe(config: ModelConfig | None = None) -> str:
    """Return why TensorRT cannot run here; empty when it can."""
    return toolkits.probe(config.device_id if config is not None else 0)
