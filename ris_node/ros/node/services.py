# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The node's services; each answers in every lifecycle state, with a reason where it cannot do its work."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.node import Node
from rclpy.task import Future as RosFuture

from ris_node.errors import CommandError, ImageError, RisError
from ris_node.interface import SERVICES
from ris_node.messages.common import image_to_msg
from ris_node.messages.grounding import grounding_to_msg, query_from_msg
from ris_node.pipeline.grounder import Grounder
from ris_node.ros.convert.bridge import decode
from ris_node.ros.convert.make import interface_class, make
from ris_node.ros.node.worker import Worker
from ris_node.sensing.queries import ActiveQuery
from ris_node.types import U8, Frame, Query

Message = Any
_MAX_QUERIES = 255  # as many as the mono8 label mask can tell apart


@dataclass(frozen=True)
class ServiceActions:
    """What services do to the node.

    `set_query` raises CommandError when the query cannot be used now; `clear_query` returns what happened, in words;
    `enable` likewise; `reload` begins to load and returns why it cannot ("" when it has begun), `loaded` returns
    whether loading goes on and what went wrong; `worker` and `grounder` are None while no model is loaded.
    """

    set_query: Callable[[Query], ActiveQuery]
    clear_query: Callable[[], str]
    enable: Callable[[bool], str]
    reload: Callable[[], str]
    loaded: Callable[[], tuple[bool, str]]
    worker: Callable[[], Worker[Any] | None]
    grounder: Callable[[], Grounder | None]


class Services:
    """Creates the services of the interface table. `tick` lets a pending `~/reload_model` answer."""

    def __init__(self, node: Node, actions: ServiceActions) -> None:
        self._node = node
        self._actions = actions
        self._reloading: RosFuture | None = None
        handlers = {
            "~/set_query": self._set_query,
            "~/clear_query": self._clear_query,
            "~/enable": self._enable,
            "~/segment_image": self._segment_image,
            "~/reload_model": self._reload_model,
        }
        for entry in SERVICES:
            # a group of its own: one that waits for the worker holds up no other
            group = MutuallyExclusiveCallbackGroup()
            kind = interface_class(entry.type, "srv")
            node.create_service(kind, entry.name, handlers[entry.name], callback_group=group)

    def tick(self) -> None:
        """Answer `~/reload_model` when loading has ended."""
        if self._reloading is not None and not self._actions.loaded()[0]:
            waiting, self._reloading = self._reloading, None
            waiting.set_result(None)

    def _set_query(self, request: Message, response: Message) -> Message:
        try:
            accepted = self._actions.set_query(query_from_msg(request.query))
        except CommandError as error:
            response.success, response.message = False, str(error)
            return response
        response.success, response.query_id = True, accepted.query.id
        response.message = accepted.command.reason
        return response

    def _clear_query(self, _: Message, response: Message) -> Message:
        response.success, response.message = True, self._actions.clear_query()
        return response

    def _enable(self, request: Message, response: Message) -> Message:
        response.success, response.message = True, self._actions.enable(bool(request.data))
        return response

    async def _reload_model(self, _: Message, response: Message) -> Message:
        refusal = self._actions.reload()
        if refusal:
            response.success, response.message = False, refusal
            return response
        self._reloading = RosFuture()
        await self._reloading
        error = self._actions.loaded()[1]
        grounder = self._actions.grounder()
        response.success = not error and grounder is not None
        response.message = error or (f"{grounder.model_id} is loaded" if grounder is not None else "given up")
        return response

    async def _segment_image(self, request: Message, response: Message) -> Message:
        worker = self._actions.worker()
        if worker is None or self._actions.grounder() is None:
            response.message = "no model is loaded: configure the node, and wait for READY on ~/status"
            return response
        if not request.queries or len(request.queries) > _MAX_QUERIES:
            response.message = f"{len(request.queries)} queries: give 1 to {_MAX_QUERIES}"
            return response
        done = RosFuture()
        task = worker.submit(lambda: segment(self._actions.grounder(), request, response))
        task.add_done_callback(lambda _: self._wake(done))
        await done
        error = task.exception()
        if error is not None:
            response.groundings = []
            known = isinstance(error, RisError)
            response.message = str(error) if known else f"internal error, {type(error).__name__}: {error}"
        return response

    def _wake(self, done: RosFuture) -> None:
        """Let the executor go on with a service that waits; called on the worker's thread."""
        done.set_result(None)
        executor = self._node.executor
        if executor is not None:
            executor.wake()


def segment(grounder: Grounder | None, request: Message, response: Message) -> None:
    """Ground all queries of a `~/segment_image` request in its picture and fill the response.

    Raises:
        RisError: the picture or a query cannot be used, or the network failed.
    """
    if grounder is None:
        raise CommandError("the model was unloaded meanwhile: configure the node again")
    header, image = _picture(request)
    groundings = [
        grounder.ground(Frame(image, frame_id=header.frame_id), prepared)
        for prepared in _prepare(grounder, request.queries)
    ]
    labels: U8 = np.zeros(image.shape[:2], np.uint8)
    for number, grounding in enumerate(groundings, 1):
        labels[grounding.mask] = number
    response.groundings = [grounding_to_msg(make, grounding, header) for grounding in groundings]
    response.label_mask = image_to_msg(make, labels, "mono8", header)
    response.success = True


def _picture(request: Message) -> tuple[Message, U8]:
    if len(request.image.data) or request.image.width or request.image.height:
        return request.image.header, decode(request.image)
    if not len(request.compressed.data):
        raise ImageError("there is no picture: fill 'image', or 'compressed'")
    return request.compressed.header, decode(request.compressed)


def _prepare(grounder: Grounder, queries: Sequence[Message]) -> list[Any]:
    prepared = []
    for number, msg in enumerate(queries, 1):
        try:
            prepared.append(grounder.prepare(query_from_msg(msg)))
        except CommandError as error:
            raise CommandError(f"query {number} of {len(queries)}: {error}") from error
    return prepared
