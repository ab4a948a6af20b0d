# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Errors whose text names the offending value and what to do next."""

from __future__ import annotations


class RisError(Exception):
    """Base of every error this project raises on purpose."""


class ImageError(RisError):
    """An image that cannot be read: encoding, size, step or data length."""


class CommandError(RisError):
    """A command that cannot be used: empty, too long, not text."""


class BundleError(RisError):
    """A model bundle that is missing, damaged, or does not keep its contract."""


class BackendError(RisError):
    """A runtime that is not installed, or refuses a network or an input."""


class EngineMissingError(BackendError):
    """An engine that has not been built yet."""


class EngineRefusedError(BackendError):
    """An engine that is there and must not be used: damaged, from elsewhere, for something else, or wrong."""


class EngineRejectedError(EngineRefusedError):
    """An engine that gave other answers than ONNX Runtime; building it again would most likely change nothing."""


class GeometryError(RisError):
    """Camera intrinsics, a pose or a depth image that cannot be used."""


class ConfigError(RisError):
    """A parameter or configuration value outside of its range, or an unknown key."""


class DataError(RisError):
    """A data set, manifest line or annotation that cannot be read."""


class TrainingError(RisError):
    """A training run that cannot start, resume or go on."""


class ExportError(RisError):
    """A network that cannot be exported, or whose export does not match."""


class DemoError(RisError):
    """A demo or bench run that could not do its work."""


class BagError(RisError):
    """A recorded drive (bag) that cannot be read, or only in part."""


def printable(text: str) -> str:
    """Return the text with what no message can carry escaped, such as names of files that are no UTF-8."""
    return text.encode(errors="backslashreplace").decode()
