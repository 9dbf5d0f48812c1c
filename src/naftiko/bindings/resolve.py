"""The values of the variables that a plan uses, and those that have none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from naftiko.bindings.providers import Provider
from naftiko.diagnostics import Diagnostic, Severity, ordered
from naftiko.errors import BindingError
from naftiko.plan import Plan, VariablePlan


@dataclass(frozen=True, slots=True)
class Sources:
    """Where values come from, in this order: what the operator set, the environment, the env file."""

    environment: Mapping[str, str]
    settings: Mapping[str, str] = field(default_factory=dict)
    env_file: Mapping[str, str] = field(default_factory=dict)
    providers: Mapping[str, Provider] | None = None
    _merged: dict[str, str] = field(default_factory=dict, init=False, repr=False, compare=False)

    def lookup(self, name: str) -> str | None:
        """A variable of the process environment, as overridden and completed by the operator."""
        for source in (self.settings, self.environment, self.env_file):
            if name in source:
                return source[name]
        return None

    def merged(self) -> Mapping[str, str]:
        """All of them; put together once, for every capability."""
        if not self._merged:
            self._merged.update({**self.env_file, **self.environment, **self.settings})
        return self._merged


@dataclass(frozen=True, slots=True)
class Resolved:
    """Values by variable key; `missing` has the names of those without one, `diagnostics` their places."""

    values: Mapping[str, str]
    missing: Mapping[str, str]
    diagnostics: tuple[Diagnostic, ...]


def resolve(plan: Plan, sources: Sources, needed: frozenset[str], providers: Mapping[str, Provider]) -> Resolved:
    """Look up the variables whose keys are in `needed`. Set but empty is set.

    `providers` are by the URI scheme of a location; the sources' own take their place where they have some.

    Raises:
        BindingError: a source that a variable comes from cannot be read.
    """
    values: dict[str, str] = {}
    missing: dict[str, str] = {}
    found: list[Diagnostic] = []
    read: dict[tuple[str, str], Mapping[str, str]] = {}
    known = providers if sources.providers is None else sources.providers
    for variable in plan.variables:
        if variable.key not in needed:
            continue
        value = _value(variable, sources, known, read)
        if value is not None:
            values[variable.key] = value
            continue
        missing[variable.key] = variable.source_key if variable.source is None else variable.name
        found.extend(_diagnostics(variable))
    return Resolved(values, missing, ordered(found))


def _value(
    variable: VariablePlan,
    sources: Sources,
    providers: Mapping[str, Provider],
    read: dict[tuple[str, str], Mapping[str, str]],
) -> str | None:
    if variable.name in sources.settings:
        return sources.settings[variable.name]
    if variable.source is None:
        return sources.lookup(variable.source_key)
    place = (variable.source, variable.directory)
    if place not in read:
        scheme = variable.source.partition("://")[0].lower() if "://" in variable.source else "file"
        if scheme not in providers:
            raise BindingError(
                f"nothing provides the variables of `{variable.source}`: no source for `{scheme}:` is installed"
            )
        read[place] = providers[scheme](variable.source, Path(variable.directory), sources.lookup)
    return read[place].get(variable.source_key)


def _diagnostics(variable: VariablePlan) -> list[Diagnostic]:
    name = variable.source_key if variable.source is None else variable.name
    if variable.source is not None:
        message = f"the variable `{name}` has no value: `{variable.source}` has no key `{variable.source_key}`"
        help = f"add the key, or use `--var {variable.name}=VALUE`"
    elif variable.key.startswith("server."):
        message = f"the server variable `{variable.name}` has no value"
        help = f"use `--var {variable.name}=VALUE`, or set {variable.source_key}"
    else:
        message = f"the variable `{name}` is not set"
        help = f"set it in the environment (`export {name}=...`), or in a file for `--env-file`"
    return [
        Diagnostic("missing-variable", Severity.ERROR, f"{message} (for {use.what})", use.file, use.span, (), help)
        for use in variable.uses
    ]
