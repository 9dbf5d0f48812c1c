"""The control port: management and observability."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from naftiko.spec.models.base import Model, Text

Language = Literal["javascript", "python", "groovy"]


class LogsEndpoint(Model):
    level_control: bool = Field(default=True, alias="level-control")
    stream: bool = False
    max_subscribers: int = Field(default=5, alias="max-subscribers", ge=1, le=20)


class Scripting(Model):
    enabled: bool = True
    defaultLocation: Text | None = None
    defaultLanguage: Language | None = None
    timeout: int = Field(default=60_000, ge=1)
    statementLimit: int = Field(default=100_000, ge=1)
    allowedLanguages: tuple[Language, ...] | None = None


class Management(Model):
    health: bool = True
    info: bool = False
    reload: bool = False
    validate_: bool = Field(default=False, alias="validate")
    logs: bool | LogsEndpoint = False
    scripting: Scripting | None = None


class LocalEndpoint(Model):
    enabled: bool = True


class Metrics(Model):
    local: LocalEndpoint | None = None


class LocalTraces(Model):
    enabled: bool = True
    buffer_size: int = Field(default=100, alias="buffer-size", ge=10, le=10_000)


class Traces(Model):
    sampling: float = Field(default=1.0, ge=0, le=1)
    propagation: Literal["w3c", "b3"] = "w3c"
    local: LocalTraces | None = None


class OtlpExporter(Model):
    endpoint: Text


class Exporters(Model):
    otlp: OtlpExporter | None = None


class Observability(Model):
    enabled: bool = True
    metrics: Metrics | None = None
    traces: Traces | None = None
    exporters: Exporters | None = None
