"""What a name means inside an exposed unit and the operation it calls (semantics, section 3)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from naftiko.compile.broken import Broken
from naftiko.compile.inputs import InputTable
from naftiko.compile.variables import Variables
from naftiko.diagnostics import Path
from naftiko.diagnostics.suggestions import did_you_mean, guess
from naftiko.document.report import Report
from naftiko.values.expressions import Environment, Expression, FirstOf, Input, StepOutput, StepsPath
from naftiko.values.jsonpath import parse as parse_jsonpath
from naftiko.values.names import fold
from naftiko.values.templates import parse_value

CALLERS = frozenset({"rest", "tools"})
_ENVIRONMENT_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_REFERENCE = re.compile(r"(?:\$this\.)?([A-Za-z0-9_-]+)\.(\S+)")
_HEADS = frozenset({"body", "params", "parameters", "input", "inputs", "request"})
"""Words that published files put before an input's name."""

_PLACES = {
    "path": "path",
    "query": "query",
    "header": "header",
    "headers": "header",
    "cookie": "cookie",
    "cookies": "cookie",
}


@dataclass(slots=True)
class UnitScope:
    """Names as seen by one unit: its inputs, its namespaces, and what `with` sets for the called operation."""

    variables: Variables
    report: Report
    inputs: InputTable
    namespaces: frozenset[str]
    explicit: Mapping[str, Expression] = field(default_factory=dict)
    with_paths: Mapping[str, Path] = field(default_factory=dict)
    own: dict[str, Expression] = field(default_factory=dict)
    steps: frozenset[str] = frozenset()
    is_orchestrated: bool = False
    declares: bool = False
    expected: frozenset[str] = frozenset()
    _folded: dict[str, Expression] | None = field(default=None, init=False)

    def calling(self, explicit: Mapping[str, Expression], paths: Mapping[str, Path]) -> UnitScope:
        """The scope of the called operation, in which `with` is known; what feeds this unit itself still counts.

        `own` collects the values that inputs of the operation have of themselves.
        """
        return replace(self, explicit={**self.explicit, **explicit}, with_paths=paths, own={})

    def template(self, name: str, path: Path, place: str | None = None) -> Expression:
        """What `{{name}}` stands for. `place` is where an input that only this names is looked for first."""
        bound = self.variables.find(name, path)
        if bound is not None:
            return bound
        known = self.given(name) or self.own.get(name)
        if known is not None:
            return known
        prefix, dot, rest = name.partition(".")
        if dot and rest and (prefix in CALLERS or prefix in self.namespaces):
            return self.given(rest) or self.own.get(rest) or self.caller(rest, place, path)
        if dot and self.variables.is_namespace(prefix):
            raise self._unknown(prefix, rest, path)
        if prefix in self.steps and self.inputs.known(name) is None:
            return StepOutput(prefix, tuple(rest.split(".")) if dot else ())
        if dot and rest:
            self._check_head(name, prefix, path)
        value = self.caller(name, place, path)
        if _ENVIRONMENT_NAME.fullmatch(name):
            return FirstOf((value, Environment(name)))
        return value

    def given(self, name: str) -> Expression | None:
        """What `with` sets for a name, by its exact or its folded spelling."""
        if name in self.explicit:
            return self.explicit[name]
        if self._folded is None:
            self._folded = {fold(key): value for key, value in reversed(list(self.explicit.items()))}
        return self._folded.get(fold(name))

    def _check_head(self, name: str, head: str, path: Path) -> None:
        """What a dotted name begins with: an input, or a place of a request, where it is no step and no namespace.

        Raises:
            Broken: it is nothing that is there, most often a step that is spelled otherwise or comes later.
        """
        if head in _PLACES or head in _HEADS or self.inputs.known(name) is not None or fold(name) in self.expected:
            return
        if self.inputs.known(head) is not None or fold(head) in self.expected or head in self.explicit:
            return
        if not self.declares and not self.is_orchestrated:
            return
        message = f"`{name}` begins with `{head}`, which is no earlier step, input, namespace or binding"
        names = [*self.steps, *(draft.name for draft in self.inputs.drafts() if draft.is_declared)]
        help, fix = did_you_mean(head, names), guess(head, names)
        raise Broken(self.report.add("unknown-step", message, path, help=help, fix=fix))

    def _check_declared(self, name: str, path: Path | None) -> None:
        """A unit that says which inputs it has is likely to mean one of them."""
        if path is None or not self.declares or fold(name) in self.expected or self.inputs.known(name) is not None:
            return
        declared = [draft.name for draft in self.inputs.drafts() if draft.is_declared]
        message = f"`{name}` is no input that is declared here; callers are asked for it all the same"
        self.report.add("undeclared-input", message, path, help=did_you_mean(name, declared), fix=guess(name, declared))

    def caller(self, name: str, place: str | None = None, path: Path | None = None) -> Expression:
        """The caller's input of a whole name; only if there is none, its dots lead into an object."""
        if self.inputs.known(name) is None and "." in name:
            head, _, rest = name.partition(".")
            parts = name.split(".")
            for length in sorted((dots + 1 for dots in self.inputs.dots if dots + 1 < len(parts)), reverse=True):
                known = self.inputs.known(".".join(parts[:length]))
                if known is not None:
                    return Input(known.name, tuple(parts[length:]))
            if head in _PLACES and rest:
                draft = self.inputs.obtain(rest)
                draft.derived_places.append((_PLACES[head], rest))
                return Input(draft.name)
            if head == "body":
                self.whole_body()
                return Input("body", tuple(parts[1:]))
        if name == "body":
            return self.whole_body()
        self._check_declared(name, path)
        draft = self.inputs.obtain(name)
        if place is not None:
            draft.derived_places.append((place, name))
        return Input(draft.name)

    def whole_body(self) -> Expression:
        draft = self.inputs.obtain("body")
        if not draft.declared_places:
            draft.derived_places.append(("whole", "body"))
        return Input(draft.name)

    def value(self, value: object, path: Path) -> Expression:
        """A value of `with`: a reference as a whole value, text with templates, or itself."""
        if isinstance(value, str):
            reference = self._reference(value.strip(), path)
            if reference is not None:
                return reference
            self._warn_literal(value, path)
        return parse_value(value, lambda name: self.template(name, path))

    def _reference(self, text: str, path: Path) -> Expression | None:
        if text.startswith(("$.", "$[")) and text != "$.":
            return self._steps_path(text, path) if self.is_orchestrated else None
        match = _REFERENCE.fullmatch(text)
        if match is None or "{{" in text:
            return None
        prefix, rest = match[1], match[2]
        if prefix in CALLERS or prefix in self.namespaces:
            return self.given(rest) or self.caller(rest, None, path)
        if self.variables.is_namespace(prefix):
            found = self.variables.find(f"{prefix}.{rest}", path)
            if found is None:
                raise self._unknown(prefix, rest, path)
            return found
        return None

    def _steps_path(self, text: str, path: Path) -> Expression:
        """A JSONPath over the outputs of earlier steps; its first member is a step."""
        try:
            parsed = parse_jsonpath(text)
        except ValueError as error:
            raise Broken(self.report.add("invalid-jsonpath", f"`{text}` is not a JSONPath: {error}", path)) from error
        first = parsed.steps[0] if parsed.steps else None
        if isinstance(first, str) and first not in self.steps:
            message = f"`{text}` starts at `{first}`, which is no earlier step"
            help, fix = did_you_mean(first, self.steps), guess(first, self.steps)
            raise Broken(self.report.add("unknown-step", message, path, help=help, fix=fix))
        return StepsPath(parsed)

    def after(self, step: str) -> UnitScope:
        """The scope in which a step has been carried out."""
        return replace(self, steps=self.steps | {step}, own={})

    def _unknown(self, namespace: str, name: str, path: Path) -> Broken:
        message = f"the bind namespace `{namespace}` declares no variable `{name}`"
        help = did_you_mean(name, self.variables.names(namespace))
        fix = guess(name, self.variables.names(namespace))
        return Broken(self.report.add("unknown-variable", message, path, help=help, fix=fix))

    def _warn_literal(self, text: str, path: Path) -> None:
        if self.variables.is_declared(text):
            message = f"`{text}` is sent as it stands; it is also the name of a variable"
            self.report.add("literal-like-variable", message, path, help="write `{{" + text + "}}` for its value")
        else:
            known = self.inputs.known(text)
            if known is not None and known.is_declared and known.name == text:
                message = f"`{text}` is sent as it stands; it is also the name of an input"
                self.report.add("literal-like-variable", message, path, help=f"write `rest.{text}` or `tools.{text}`")
