# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The node's ROS parameters, declared from `ris_node.config` and checked before they change."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor, SetParametersResult
from rclpy.node import Node
from rclpy.parameter import Parameter

from ris_node.config import FIXED, NodeConfig, Spec, Value, all_specs, unknown_text
from ris_node.errors import ConfigError

_CLEANUP = "may change only while the node is unconfigured: call the lifecycle transition 'cleanup' first"


class NodeParameters:
    """Declares every parameter, keeps the configuration they make, and refuses bad changes with a reason.

    Dynamic ones may always change; those of the model too, and count from the next configure or `~/reload_model`;
    the rest only while `may_change_all()` (the node is unconfigured). A value that is the same already is always taken.
    `on_change` gets every new configuration; `given` are the names that somebody has set.

    Raises:
        ConfigError: a value given at start-up does not fit.
    """

    def __init__(self, node: Node, may_change_all: Callable[[], bool], on_change: Callable[[NodeConfig], None]) -> None:
        self._node = node
        self._may_change_all = may_change_all
        self._on_change = on_change
        self._specs = {spec.name: spec for spec in all_specs()}
        node._parameter_overrides.update((p.name, p) for p in self._widened(list(node._parameter_overrides.values())))
        if hasattr(node, "add_pre_set_parameters_callback"):  # Humble has none: there an integer is still refused later
            node.add_pre_set_parameters_callback(self._widened)
        self.given = {name for name in node._parameter_overrides if name in self._specs}
        self.config = NodeConfig.from_values({spec.name: self._declare(spec) for spec in all_specs()})
        node.add_on_set_parameters_callback(self._on_set)

    def unknown(self) -> str:
        """Which names given at start-up nobody reads, in words; "" where there are none."""
        given = (name for name in self._node._parameter_overrides if not name.startswith("qos_overrides."))
        return unknown_text(given, *self._node._parameters)

    def _widened(self, parameters: list[Parameter]) -> list[Parameter]:
        """The same parameters, integers made floats where a float is declared: `10` is as good as `10.0`."""
        floats = {spec.name for spec in self._specs.values() if spec.type is float}
        return [
            Parameter(p.name, value=float(p.value)) if p.name in floats and p.type_ is Parameter.Type.INTEGER else p
            for p in parameters
        ]

    def _declare(self, spec: Spec) -> Value:
        try:
            parameter = self._node.declare_parameter(spec.name, _to_ros(spec.default), _descriptor(spec))
        except Exception as error:  # rclpy has one exception for each way to be wrong, and no common base
            value = getattr(self._node._parameter_overrides.get(spec.name), "value", None)
            limits = f" {spec.range_text}" if spec.range_text else ""
            raise ConfigError(
                f"parameter {spec.name} is {value!r}: give a {spec.type.__name__}{limits} ({spec.doc})"
            ) from error
        return _from_ros(spec, parameter.value)

    def _on_set(self, parameters: Sequence[Parameter]) -> SetParametersResult:
        ours = [p for p in parameters if p.name in self._specs]
        if not ours:  # use_sim_time and the like
            return SetParametersResult(successful=True)
        try:
            new = {p.name for p in ours if p.value != _to_ros(self._value(p.name))}
            for name in new:  # what stays as it is may be set at any time: the node's own dump is taken while active
                self._check_moment(self._specs[name])
            changed = self.config.with_values({p.name: _from_ros(self._specs[p.name], p.value) for p in ours})
        except ConfigError as error:
            return SetParametersResult(successful=False, reason=str(error))
        self.config = changed
        self.given.update({p.name for p in ours} if self._may_change_all() else new)
        self._on_change(changed)
        return SetParametersResult(successful=True)

    def _value(self, name: str) -> Value:
        return getattr(getattr(self.config, self._specs[name].group), name)

    def _check_moment(self, spec: Spec) -> None:
        if spec.name in FIXED:
            raise ConfigError(f"{spec.name} is read at start-up: give it on the command line or in the YAML file")
        if not (spec.dynamic or spec.group == "model" or self._may_change_all()):
            raise ConfigError(f"{spec.name} {_CLEANUP}")


def _descriptor(spec: Spec) -> ParameterDescriptor:
    # never `read_only`: rclpy would refuse the same value too
    descriptor = ParameterDescriptor(name=spec.name, description=spec.doc, additional_constraints=spec.taken)
    if spec.choices:
        descriptor.additional_constraints = f"{spec.range_text}; {spec.taken}"
    elif spec.low is not None and spec.type is int:
        most = int(spec.high) if spec.high is not None else 2**31 - 1
        descriptor.integer_range = [IntegerRange(from_value=int(spec.low), to_value=most, step=0)]
    elif spec.low is not None and spec.type is float:
        high = float(spec.high) if spec.high is not None else sys.float_info.max
        descriptor.floating_point_range = [FloatingPointRange(from_value=float(spec.low), to_value=high, step=0.0)]
    return descriptor


def _to_ros(value: Value) -> Any:
    if isinstance(value, tuple):
        return list(value) or [""]  # rclpy takes an empty list for bytes
    return value


def _from_ros(spec: Spec, value: Any) -> Value:
    if spec.type is tuple and not isinstance(value, str):
        value = tuple(v for v in (value or ()) if v)
    return spec.check(value)
