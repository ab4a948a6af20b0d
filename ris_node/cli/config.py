# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""`ris config`: every parameter of the node with its default, limits and meaning; checks and shows changes."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from ris_node.config import GROUPS, NodeConfig, Spec, all_specs
from ris_node.errors import ConfigError

EPILOG = """examples:
  ris config                                    all of them, as a ROS parameter file with comments
  ris config region                             one group: model, input, query, output or region
  ris config --set max_range_m=25               check a change and see it in place
  ris config > my.yaml                          then: ros2 launch ris_node ris.launch.py params_file:=my.yaml
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `ris config`."""
    parser.epilog = EPILOG
    parser.add_argument("group", nargs="*", metavar="GROUP", help=f"only these of: {', '.join(_group_names())}")
    add_set_argument(parser)
    parser.add_argument("--json", action="store_true", help="names, types, defaults, values and limits as JSON")


def run(args: argparse.Namespace) -> int:
    """Print the chosen parameters."""
    for name in args.group:
        if name not in _group_names():
            raise ConfigError(f"there is no parameter group '{name}': choose from {', '.join(_group_names())}")
    config = parse_settings(args.set)
    specs = [spec for spec in all_specs() if not args.group or spec.group in args.group]
    if args.json:
        print(json.dumps([_as_dict(spec, _value(config, spec)) for spec in specs], indent=2))
    else:
        print("\n".join(_yaml_lines(specs, config)))
    return 0


def _group_names() -> list[str]:
    return [group.specs()[0].group for group in GROUPS]


def add_set_argument(parser: argparse.ArgumentParser) -> None:
    """Declare `--set NAME=VALUE`, which may be given several times."""
    parser.add_argument(
        "--set", metavar="NAME=VALUE", action="append", default=[], help="change a parameter (see 'ris config')"
    )


def parse_settings(settings: Iterable[str]) -> NodeConfig:
    """Return the node's configuration with each `NAME=VALUE` of `settings` applied to the defaults.

    Raises:
        ConfigError: an entry has no `=`, or its name or value is not one of the parameters'.
    """
    types = {spec.name: spec.type for spec in all_specs()}
    values: dict[str, Any] = {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals:
            raise ConfigError(f"--set {setting}: write NAME=VALUE, e.g. --set mask_threshold=0.6")
        values[name] = _parse(name, text, types.get(name, str))
    return NodeConfig.from_values(values)


def _parse(name: str, text: str, kind: type) -> Any:
    """The value that `text` means for a parameter of type `kind`."""
    if kind is bool:
        if text.lower() not in ("true", "false"):
            raise ConfigError(f"{name} is '{text}': give true or false")
        return text.lower() == "true"
    if kind is tuple:
        return tuple(part for part in text.split(",") if part)
    try:
        return kind(text)
    except ValueError:
        raise ConfigError(f"{name} is '{text}': give a value of type {kind.__name__}") from None


def _value(config: NodeConfig, spec: Spec) -> Any:
    return getattr(getattr(config, spec.group), spec.name)


def _as_dict(spec: Spec, value: Any) -> dict[str, Any]:
    """One parameter as JSON-ready values; `low` and `high` are null where there is no limit."""
    return {
        "name": spec.name,
        "group": spec.group,
        "type": "string_array" if spec.type is tuple else spec.type.__name__,
        "default": spec.default,
        "value": value,
        "low": spec.low,
        "high": spec.high,
        "choices": list(spec.choices),
        "dynamic": spec.dynamic,
        "doc": spec.doc,
    }


def _yaml_lines(specs: Iterable[Spec], config: NodeConfig) -> list[str]:
    """A ROS 2 parameter file for any node name, with each parameter's meaning as a comment."""
    lines, group, usual = ["/**:", "  ros__parameters:"], "", ""
    for spec in specs:
        if spec.group != group:
            group = spec.group
            usual = replace(spec, name="", dynamic=False).taken
            lines.append(f"    # -- {group}: {usual} --")
        notes = ", ".join(note for note in (spec.range_text, spec.taken) if note and note != usual)
        value = _value(config, spec)
        # JSON writes every value we have the way YAML 1.1 reads it back in the same type.
        text = json.dumps(list(value) if isinstance(value, tuple) else value)
        # An empty list has no type in a ROS parameter file, so it is shown but not set.
        hidden = "# " if value == () else ""
        lines.append(f"    {hidden}{spec.name}: {text}  # {spec.doc}{f' ({notes})' if notes else ''}")
    return lines
