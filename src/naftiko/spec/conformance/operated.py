"""`exposes` in the specification: adapters that describe skills, and that operators talk to."""

from __future__ import annotations

from naftiko.spec.conformance.exposed import common
from naftiko.spec.conformance.levels import named
from naftiko.spec.conformance.shapes import Alternatives, Items, Needs, Number, Object, Shape, Table, Text
from naftiko.spec.conformance.words import BOOLEAN, FILE_URI, KEBAB, TEXT


def skill(level: int) -> Shape:
    source = Object({"sourceNamespace": TEXT, "action": TEXT}, ("sourceNamespace", "action"))
    tool: dict[str, Shape] = {"description": TEXT, "from": source, "instruction": TEXT}
    either = Alternatives((Needs(("from",)), Needs(("instruction",))), is_exclusive=True)
    skill: dict[str, Shape] = {
        "description": Text(longest=1024),
        "license": TEXT,
        "compatibility": Text(longest=500),
        "metadata": Table(TEXT),
        "allowed-tools": Text(longest=1024),
        "argument-hint": TEXT,
        "user-invocable": BOOLEAN,
        "disable-model-invocation": BOOLEAN,
        "location": FILE_URI,
        "tools": named(level, tool, ("description",), (either,), least=1),
    }
    keys: dict[str, Shape] = {
        **common(level),
        "namespace": KEBAB,
        "description": TEXT,
        "skills": named(level, skill, ("description",), least=1),
    }
    return Object(keys, ("type", "port", "namespace", "skills"))


def control(level: int) -> Shape:
    language = Text(choices=("javascript", "python", "groovy"))
    logs = Object({"level-control": BOOLEAN, "stream": BOOLEAN, "max-subscribers": Number(1, 20, is_whole=True)})
    scripting = Object(
        {
            "enabled": BOOLEAN,
            "defaultLocation": FILE_URI,
            "defaultLanguage": language,
            "timeout": Number(1, is_whole=True),
            "statementLimit": Number(1, is_whole=True),
            "allowedLanguages": Items(language),
        }
    )
    management = Object(
        {
            "health": BOOLEAN,
            "info": BOOLEAN,
            "reload": BOOLEAN,
            "validate": BOOLEAN,
            "logs": Alternatives((BOOLEAN, logs), is_exclusive=True),
            "scripting": scripting,
        }
    )
    local_traces = Object({"enabled": BOOLEAN, "buffer-size": Number(10, 10_000, is_whole=True)})
    traces = Object({"sampling": Number(0, 1), "propagation": Text(choices=("w3c", "b3")), "local": local_traces})
    observability = Object(
        {
            "enabled": BOOLEAN,
            "metrics": Object({"local": Object({"enabled": BOOLEAN})}),
            "traces": traces,
            "exporters": Object({"otlp": Object({"endpoint": TEXT}, ("endpoint",))}),
        }
    )
    return Object({**common(level), "management": management, "observability": observability}, ("type", "port"))
