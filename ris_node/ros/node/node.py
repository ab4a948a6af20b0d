# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The grounding node: a lifecycle shell that puts parameters, stream, worker and outputs together."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as WaitedTooLongError
from contextlib import suppress
from functools import partial
from typing import Any

from rclpy.clock import Clock, ClockType, JumpThreshold
from rclpy.duration import Duration
from rclpy.lifecycle import LifecycleNode, TransitionCallbackReturn

from ris_node.config import NodeConfig
from ris_node.interface import NODE_NAME
from ris_node.pipeline.grounder import Grounder
from ris_node.ros.convert import bridge, foxglove, vision
from ris_node.ros.logs import NodeLogger, forward_logs
from ris_node.ros.node import tf, wiring
from ris_node.ros.node.action import GroundAction
from ris_node.ros.node.answering import FrameAnswerer, ImageJob
from ris_node.ros.node.commands import Commands
from ris_node.ros.node.lifecycle import ACTIVE, FINALIZED, INACTIVE, UNCONFIGURED, Autostart, guard_transitions, told
from ris_node.ros.node.model_loader import Engine
from ris_node.ros.node.params import NodeParameters
from ris_node.ros.node.services import Services
from ris_node.ros.node.source import FrameSource
from ris_node.ros.node.worker import Counters, Worker
from ris_node.ros.outputs.diagnostics import Meter, diagnostic_array
from ris_node.ros.outputs.mismatch import Mismatches
from ris_node.ros.outputs.publishers import Publishers
from ris_node.ros.outputs.status import NodeState, StatusBoard
from ris_node.ros.outputs.targets import TargetOutputs
from ris_node.sensing.camera import CameraContext

CONFIGURE_WAIT_S = 3.0  # managers give up after some five seconds
_TICK_S = 0.1
_QUEUE = 256  # frames that may wait with drop_policy "all"
_DONE, _REFUSED = TransitionCallbackReturn.SUCCESS, TransitionCallbackReturn.FAILURE


class GroundingNode(LifecycleNode):  # type: ignore[misc]  # rclpy carries no types
    """Frames and commands in, masks and region targets out; see `ris_node.interface` for the topics.

    Args:
        open_model: opens the model of a configuration; the tests of slow loading put a slower one here.
        options: passed on to rclpy's node (context, namespace, parameter_overrides ...).

    Raises:
        ConfigError: a parameter given at start-up does not fit.
    """

    def __init__(self, *, open_model: Callable[[NodeConfig], Grounder] | None = None, **options: Any) -> None:
        super().__init__(NODE_NAME, **options)
        self.phase = UNCONFIGURED
        self.parameters = NodeParameters(self, lambda: self.phase == UNCONFIGURED, self._on_parameters)
        self.live = self.parameters.config  # what frames are answered with
        self.log = NodeLogger(self.get_logger(), self.context.ok)
        forward_logs(self.log)
        if unknown := self.parameters.unknown():
            self.log.warning(f"{unknown}: nothing reads it")
        self.outputs = Publishers(self)
        self.status = StatusBoard(partial(self.outputs.publish, "~/status"), lambda: self.get_clock().now().to_msg())
        self.status.update(message="unconfigured: call the lifecycle transition 'configure', or set autostart")
        self.engine = Engine(self.status, self.log, self._between_frames, open_model)
        self.targets = TargetOutputs(self.outputs, lambda: self.live.region)
        self.meter = Meter()
        self.worker: Worker[ImageJob] | None = None
        self.commands = Commands(self)
        tf_listener = tf.open_listener(self)
        self.camera = CameraContext(
            lambda: self.live.region,
            tf_listener,
            pose_given=lambda: any(name.startswith("camera_") for name in self.parameters.given),
        )
        self.answerer = FrameAnswerer(wiring.answer_context(self))
        self.source = FrameSource(self)
        self.goals = GroundAction(self, wiring.goal_actions(self))
        self.offers = Services(self, wiring.service_actions(self))
        self.mismatches = Mismatches(self)
        self._autostart = Autostart(self, self._model_ready, wanted=self.live.model.autostart)
        guard_transitions(self)
        self._watch_time()
        missing = [part.MISSING for part in (bridge, tf, vision, foxglove) if part.MISSING]
        if missing:
            self.log.info(f"not installed, and not needed: {'; '.join(missing)}")

    # lifecycle ------------------------------------------------------------------------------------------------

    @told
    def on_configure(self, state: Any) -> TransitionCallbackReturn:
        """Load the model beside the executor: done within seconds, or still LOADING when this returns."""
        self.live = self.parameters.config
        self.targets.restart()
        for counts in (self.meter, self.source, self.commands):
            counts.restart()
        capacity = _QUEUE if self.live.input.drop_policy == "all" else 1
        self.worker = Worker(self.answerer.process, self._on_worker_error, capacity=capacity)
        self.engine.start(self.live, self._on_model)
        self.engine.wait(CONFIGURE_WAIT_S, self.context.ok)
        if self.engine.error:
            self._stop_worker()
            return _REFUSED
        self.phase = INACTIVE
        return super().on_configure(state)

    @told
    def on_activate(self, state: Any) -> TransitionCallbackReturn:
        """Subscribe to the camera; refused while no model is there."""
        self.engine.wait(CONFIGURE_WAIT_S, self.context.ok)
        if self.engine.grounder is None:
            why = self.engine.error or "the model is still loading: activate again when ~/status says READY"
            self.log.error(f"cannot activate: {why}")
            return _REFUSED
        self.answerer.restart()
        self.source.start()
        self.phase = ACTIVE
        self.commands.say_default(self.live.query.default_query)
        return super().on_activate(state)

    @told
    def on_deactivate(self, state: Any) -> TransitionCallbackReturn:
        """Leave the camera, forget the command and take its target back; the model stays loaded."""
        self._leave("deactivated")
        self.phase = INACTIVE
        return super().on_deactivate(state)

    @told
    def on_cleanup(self, state: Any) -> TransitionCallbackReturn:
        """Free the model."""
        self._unload("")
        self.phase = UNCONFIGURED
        return super().on_cleanup(state)

    @told
    def on_shutdown(self, state: Any) -> TransitionCallbackReturn:
        """Free everything for good."""
        self._unload("shut down: start the process again")
        self.phase = FINALIZED
        return super().on_shutdown(state)

    @told
    def on_error(self, _: Any) -> TransitionCallbackReturn:
        """Free everything after a transition that raised; the node can be configured again."""
        self._unload("")
        self.status.update(state=NodeState.FAULT, message="a transition failed (see the log): configure again")
        self.phase = UNCONFIGURED
        return _DONE

    def close(self) -> bool:
        """Stop all threads as the process ends; False when one is still busy in native code."""
        self.status.close()
        self._timer.cancel()
        self.engine.upgrade.cancel()
        stopped = self.worker is None or self.worker.stop(3.0)
        loaded = self.engine.wait(2.0, lambda: True)
        if stopped and loaded:
            self.engine.release()
        return stopped and loaded

    def _leave(self, why: str) -> None:
        self.source.stop()
        self.goals.abort_all(f"the node was {why}")
        self.commands.queries.clear(why)
        if self.worker is not None:
            self.worker.clear()
            with suppress(WaitedTooLongError):  # the frame in hand comes out first, unless it takes for ever
                self.worker.submit(lambda: None).exception(timeout=5.0)
        self.targets.withdraw(why)
        self.status.update(degraded="", waiting="", message="")

    def _unload(self, message: str) -> None:
        self._leave("unloaded")
        self._stop_worker()
        self.engine.release()
        self.status.update(state=NodeState.UNLOADED, progress=0.0, info=None, model_id="", impaired="", message=message)

    def _stop_worker(self) -> None:
        worker, self.worker = self.worker, None
        if worker is not None:
            worker.stop()

    # model and parameters ---------------------------------------------------------------------------------------

    def _on_model(self, grounder: Grounder) -> bool:
        """Put a loaded model to work between two frames; called on the loading thread."""

        def adopt() -> None:
            grounder.output, grounder.region = self.live.output, self.live.region
            self.engine.adopt(grounder)

        worker = self.worker
        return worker is not None and worker.submit(adopt).exception() is None

    def _between_frames(self, task: Callable[[], Any]) -> Future[Any] | None:
        worker = self.worker
        return worker.submit(task) if worker is not None else None

    def _model_ready(self) -> bool | None:
        if self.engine.loading:
            return None
        return self.engine.grounder is not None

    def reload(self) -> str:
        """Begin to load the model of the current parameters; why it cannot, in words, else ""."""
        if self.phase == FINALIZED:
            return "the node has been shut down: start the process again"
        if self.engine.loading:
            return "a model is being loaded already: wait for READY on ~/status"
        if self.phase != UNCONFIGURED:
            self.engine.start(self.parameters.config, self._on_model)
        elif self._autostart.enabled:
            self._autostart.again()
            self._autostart.tick()
        else:
            return "the node is unconfigured: call the lifecycle transition 'configure', which loads the model"
        return ""

    def _on_parameters(self, config: NodeConfig) -> None:
        """Take changed parameters between two frames."""

        def apply() -> None:
            self.live = config
            grounder = self.engine.grounder
            if grounder is not None:
                grounder.output, grounder.region = config.output, config.region

        worker = getattr(self, "worker", None)
        if worker is None:
            apply()
        else:
            worker.submit(apply)

    # time -------------------------------------------------------------------------------------------------------

    def now_ns(self) -> int:
        """The node's clock in nanoseconds; 0 with use_sim_time until the first /clock."""
        return int(self.get_clock().now().nanoseconds)

    def time_jumped(self) -> None:
        """Forget what is bound to time: it has gone back."""
        # with two publishers on one topic it may go back at every frame
        self.log.warning("time went back: time to live, smoothing and transforms start afresh", every=1.0)
        self.commands.queries.restart_ttl()
        self.camera.clear()
        self.targets.withdraw("time went back")
        grounder, worker = self.engine.grounder, self.worker
        if grounder is not None and worker is not None:
            worker.submit(grounder.reset)

    def _watch_time(self) -> None:
        threshold = JumpThreshold(min_forward=None, min_backward=Duration(nanoseconds=-1), on_clock_change=False)
        self._jumps = self.get_clock().create_jump_callback(threshold, post_callback=lambda _: self.time_jumped())
        # a steady clock: with simulated time that stands still the node goes on to say how it is
        self._timer = self.create_timer(_TICK_S, self._tick, clock=Clock(clock_type=ClockType.STEADY_TIME))
        self._diagnostics_due_s = 0.0

    def _tick(self) -> None:
        self.commands.queries.expire(self.now_ns())
        self.goals.tick()
        self.offers.tick()
        self._autostart.tick()
        now_s = time.monotonic()
        if self.phase == ACTIVE:
            self._watch_camera(self.source.complaint(now_s))
        if now_s >= self._diagnostics_due_s:
            self._diagnostics_due_s = now_s + 1.0
            self.status.update(unheard=self.mismatches.look())
            self._publish_diagnostics()

    def _watch_camera(self, complaint: str) -> None:
        known = self.status.report.waiting or self.status.report.degraded
        if complaint and not known:
            self.log.warning(complaint)
        elif known and not complaint:
            self.log.info("frames come again")
        # a node that waits for its first frame is as READY as it can be; one whose camera stopped is not
        key, other = ("waiting", "degraded") if self.source.fresh else ("degraded", "waiting")
        self.status.update(**{key: complaint, other: ""})

    # for the parts --------------------------------------------------------------------------------------------------

    def _on_worker_error(self, error: Exception) -> None:
        if self.context.ok():  # publishing fails once the process has been told to end
            self.log.error(f"a frame could not be answered, {type(error).__name__}: {error}", every=5.0, key="worker")

    def _publish_diagnostics(self) -> None:
        counters = self.worker.counters if self.worker is not None else Counters()
        stamp, name = self.get_clock().now().to_msg(), self.get_fully_qualified_name()
        array = diagnostic_array(name, stamp, self.status.report, counters, self.meter.read(), wiring.extras(self))
        self.outputs.publish("/diagnostics", array)
