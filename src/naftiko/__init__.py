"""Naftiko: run capabilities, HTTP APIs described in one YAML file, as REST and MCP servers.

The names below are the library's surface. They are looked up when first used, so that a command which needs only the
version does not pay for the engine.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from naftiko.__about__ import __version__

if TYPE_CHECKING:
    from naftiko.capability import Capability, Runtime, load
    from naftiko.consumers.http.limits import Limits
    from naftiko.diagnostics import Diagnostic, Severity, Span
    from naftiko.engine.answer import Answer
    from naftiko.errors import (
        AddressInUse,
        BindingError,
        CallError,
        CapabilityError,
        InputError,
        MissingVariables,
        NaftikoError,
        NotRunnable,
        SetupError,
        SourceError,
        UnknownOperation,
        UpstreamInvalid,
        UpstreamTimeout,
        UpstreamUnreachable,
    )
    from naftiko.runtime.settings import Settings

_HOMES = {
    "Answer": "engine.answer",
    "Capability": "capability",
    "Diagnostic": "diagnostics",
    "Limits": "consumers.http.limits",
    "Runtime": "capability",
    "Settings": "runtime.settings",
    "Severity": "diagnostics",
    "Span": "diagnostics",
    "load": "capability",
} | dict.fromkeys(
    (
        "AddressInUse",
        "BindingError",
        "CallError",
        "CapabilityError",
        "InputError",
        "MissingVariables",
        "NaftikoError",
        "NotRunnable",
        "SetupError",
        "SourceError",
        "UnknownOperation",
        "UpstreamInvalid",
        "UpstreamTimeout",
        "UpstreamUnreachable",
    ),
    "errors",
)

__all__ = [
    "AddressInUse",
    "Answer",
    "BindingError",
    "CallError",
    "Capability",
    "CapabilityError",
    "Diagnostic",
    "InputError",
    "Limits",
    "MissingVariables",
    "NaftikoError",
    "NotRunnable",
    "Runtime",
    "Settings",
    "SetupError",
    "Severity",
    "SourceError",
    "Span",
    "UnknownOperation",
    "UpstreamInvalid",
    "UpstreamTimeout",
    "UpstreamUnreachable",
    "__version__",
    "load",
]


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{home}"), name)
