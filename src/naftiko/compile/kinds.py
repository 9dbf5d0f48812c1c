"""What units may name, built in or by an extension: formats, kinds of steps, authentication schemes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from naftiko.compile.steps import StepCompiler
from naftiko.formats.base import Format


class SchemeSettings(Protocol):
    """The settings that a scheme takes, and which of them it cannot do without."""

    @property
    def settings(self) -> tuple[str, ...]: ...

    @property
    def required(self) -> tuple[str, ...]: ...


@dataclass(frozen=True, slots=True)
class UnitKinds:
    """Everything that units may name."""

    formats: Mapping[str, Format]
    steps: Mapping[str, StepCompiler]
    schemes: Mapping[str, SchemeSettings]
