# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Choose the runtime: a registry, an order of preference, and the reason why each other one was skipped."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from ris_node.bundle.bundle import VISION_FILES, Bundle
from ris_node.config import ModelConfig
from ris_node.errors import BackendError, EngineRefusedError
from ris_node.plugins import register
from ris_node.runtime import ort_gpu
from ris_node.runtime.base import Session, check_session

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Skipped:
    """A backend that does not run, and why not."""

    backend: str
    reason: str


@dataclass(frozen=True)
class Backend:
    """One way to run networks: `probe` returns why it cannot ("" if it can), `open` loads one graph of a bundle."""

    probe: Callable[[], str]
    open: Callable[[Bundle, str, ModelConfig], Session]


@dataclass(frozen=True)
class Opened:
    """The session that runs, the backends that were preferred but skipped, and why it is less than was asked for.

    `degraded` is empty where all is well; the node is DEGRADED for as long as it is not.
    """

    session: Session
    skipped: tuple[Skipped, ...] = ()
    degraded: str = ""


def open_network(bundle: Bundle, graph: str, config: ModelConfig) -> Opened:
    """Load one graph ("vision" or "text") of a bundle on the first backend that takes it.

    Raises:
        BackendError: no backend takes it; every reason is in the message.
        BundleError: the loaded graph is not what the manifest says.
    """
    names = PREFERENCE if config.backend == "auto" else (config.backend,)
    skipped: list[Skipped] = []
    degraded = ""
    for name in names:
        reason = BACKENDS[name].probe() if name in BACKENDS else "not part of this version"
        if not reason:
            try:
                session = BACKENDS[name].open(bundle, graph, config)
            except BackendError as error:
                reason = str(error)
                degraded = reason if isinstance(error, EngineRefusedError) else degraded
            else:
                check_session(session, bundle.manifest, graph, f"{bundle.path}, {graph} graph")
                log.info("%s graph on %s %s %s", graph, name, session.info.provider, session.info.precision)
                return Opened(session, tuple(skipped), degraded or session.info.impaired)
        skipped.append(Skipped(name, reason))
        log.info("%s skipped for the %s graph: %s", name, graph, reason)
    reasons = "; ".join(f"{s.backend}: {s.reason}" for s in skipped)
    raise BackendError(f"no runtime takes the {graph} graph of {bundle.path} ({reasons}); see `ris doctor`")


def register_backend(name: str, backend: Backend) -> None:
    """Make a backend of another package known, for `backend: NAME`; "auto" never chooses it.

    Raises:
        ConfigError: the name is taken.
    """
    register(BACKENDS, "backend", name, backend)


def probe_backends() -> dict[str, str]:
    """Return every known backend in order of preference, and why it cannot run here ("" if it can)."""
    return {name: BACKENDS[name].probe() if name in BACKENDS else "not part of this version" for name in PREFERENCE}


def graph_file(bundle: Bundle, graph: str, precision: str, preferred: tuple[str, ...] = ()) -> str:
    """Return the file of a graph for a precision; "auto" takes the first of `preferred` that is there.

    Without `preferred` it is for a CPU: INT8 only where the manifest says that it kept the quality.

    Raises:
        BackendError: the bundle has no file of that precision.
    """
    if graph == "text":
        return "text.onnx"
    order = (preferred or _cpu_order(bundle)) if precision == "auto" else (precision,)
    for name in order:
        if name in VISION_FILES and bundle.file(VISION_FILES[name]):
            return VISION_FILES[name]
    have = [name for name, file in VISION_FILES.items() if bundle.file(file)]
    raise BackendError(f"{bundle.path} has no {precision} vision graph (it has {', '.join(have)}): choose one of these")


def _probe_onnxruntime() -> str:
    try:
        import onnxruntime
    except ImportError as error:
        return f"onnxruntime does not import ({error}): pip install onnxruntime"
    return "" if onnxruntime.get_available_providers() else "onnxruntime has no execution provider"


def _open_onnxruntime(bundle: Bundle, graph: str, config: ModelConfig) -> Session:
    from ris_node.runtime.ort import OrtSession

    def load(name: str, impaired: str = "") -> OrtSession:
        return OrtSession(
            bundle.path / name,
            num_threads=config.num_threads,
            providers=config.providers if graph == "vision" else (),
            device_id=config.device_id,
            cuda_graph=config.cuda_graph,
            impaired=impaired,
        )

    name = graph_file(bundle, graph, config.precision)
    session = load(name)
    if name != VISION_FILES["int8"]:
        return session
    wrong = _check_int8(bundle, session)
    if not wrong:
        return session
    session.close()
    log.warning("float32 instead of INT8: %s", wrong)
    return load(VISION_FILES["fp32"], f"float32 instead of INT8: {wrong}")


def _cpu_order(bundle: Bundle) -> tuple[str, ...]:
    """Precisions that "auto" prefers on a CPU: INT8 only where the manifest says that it kept the quality."""
    return ("int8", "fp32") if bundle.kept("int8") else ("fp32", "int8")


def _gpu_order(bundle: Bundle) -> tuple[str, ...]:
    """Precisions that "auto" prefers on a GPU: half only where the manifest says that it kept float32's answers."""
    return ("fp16", "fp32") if bundle.kept("fp16") else ("fp32",)


def _check_int8(bundle: Bundle, session: Session) -> str:
    """Why this processor's INT8 answers cannot be trusted; empty where they can."""
    from ris_node.runtime.self_check import GOLDEN, Golden, self_check

    golden = bundle.file(GOLDEN)
    if golden is None:
        return f"the bundle has no {GOLDEN} to check this processor with"
    try:
        wrong = self_check(session, Golden.load(golden))
    except BackendError as error:
        return str(error)
    return f"this processor computes it differently ({wrong})" if wrong else ""


def _probe_tensorrt() -> str:
    from ris_node.runtime.tensorrt import backend

    return backend.probe()


def _open_tensorrt(bundle: Bundle, graph: str, config: ModelConfig) -> Session:
    from ris_node.runtime.tensorrt import backend

    return backend.open_session(bundle, graph, config)


def _on_gpu(name: str) -> Backend:
    """ONNX Runtime with a provider that runs on a GPU; the text graph, run once a command, stays on the CPU."""

    def open_graph(bundle: Bundle, graph: str, config: ModelConfig) -> Session:
        from ris_node.runtime.ort import CPU, OrtSession

        wanted = (ort_gpu.PROVIDERS[name], CPU) if graph == "vision" else (CPU,)
        return OrtSession(
            bundle.path / graph_file(bundle, graph, config.precision, _gpu_order(bundle)),
            num_threads=config.num_threads,
            providers=wanted,
            device_id=config.device_id,
            strict=True,
            cache_dir=config.engine_cache_dir,
            cuda_graph=config.cuda_graph,
        )

    return Backend(lambda: ort_gpu.probe(name), open_graph)


BACKENDS: dict[str, Backend] = {
    "tensorrt": Backend(_probe_tensorrt, _open_tensorrt),
    **{name: _on_gpu(name) for name in ort_gpu.PROVIDERS},
    "onnxruntime": Backend(_probe_onnxruntime, _open_onnxruntime),
}
PREFERENCE: tuple[str, ...] = ("tensorrt", "onnxruntime-cuda", "onnxruntime")
