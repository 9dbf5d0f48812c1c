"""`outputParameters`: named parts of a response, and the shape of an answer (semantics, section 6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from naftiko.compile.broken import Broken
from naftiko.compile.scope import UnitScope
from naftiko.compile.upstreams import Consumed
from naftiko.diagnostics import Path, Severity
from naftiko.formats.base import Format, Schema, Selected
from naftiko.plan import NamedOutput, OutputPlan, SchemaPlan, Shape
from naftiko.spec.models.parameters import OutputParameter
from naftiko.values.coerce import Mismatch, coerce
from naftiko.values.expressions import Expression, Literal
from naftiko.values.jsonpath import JsonPath, parse
from naftiko.values.templates import has_template

_ROOT = JsonPath("$")


def schema_plan(consumed: Consumed, scope: UnitScope, formats: Mapping[str, Format]) -> SchemaPlan | None:
    """The schema of a response, and what is selected in it.

    Raises:
        Broken: what is to be a selector is none.
    """
    kind = formats[consumed.operation.outputRawFormat]
    location, directory = consumed.operation.outputSchema or "", scope.variables.directory
    found = []
    for index, output in enumerate((consumed.operation.outputParameters or ()) if kind.selects else ()):
        text = _selector(output)
        if text is None:
            continue
        part = (output.name or f"output{index}", text, output.type == "array")
        try:
            kind.prepare(Schema("", directory, (Selected(*part),)))
        except ValueError as error:
            path = (*consumed.path, "outputParameters", index, "value")
            raise Broken(scope.report.add("invalid-value", str(error), path)) from error
        found.append(part)
    return SchemaPlan(location, directory, tuple(found)) if location or found else None


def _selector(output: OutputParameter) -> str | None:
    text = output.value if output.value is not None else output.mapping
    is_selector = isinstance(text, str) and not text.strip().startswith("$") and not has_template(text)
    return text if is_selector else None


def named_outputs(consumed: Consumed, scope: UnitScope, *, selects: bool = False) -> tuple[NamedOutput, ...]:
    """The parts of a response that a consumed operation names; with `selects` text may be a selector of the format."""
    found = []
    for index, output in enumerate(consumed.operation.outputParameters or ()):
        path = (*consumed.path, "outputParameters", index)
        text = output.value if output.value is not None else output.mapping
        name = output.name or f"output{index}"
        if selects and _selector(output) is not None:
            found.append(NamedOutput(name, output.type, JsonPath("$.selected", ("selected", name)), None))
        elif isinstance(text, str) and text.strip().startswith("$"):
            found.append(NamedOutput(name, output.type, jsonpath(text, (*path, "value"), scope), None))
        elif text is None:
            found.append(NamedOutput(name, output.type, JsonPath(f"$.{name}", (name,)), None))
        else:
            found.append(NamedOutput(name, output.type, None, scope.value(text, (*path, "value"))))
    return tuple(found)


def jsonpath(text: str, path: Path, scope: UnitScope) -> JsonPath:
    """A JSONPath of the document.

    Raises:
        Broken: it cannot be read.
    """
    try:
        return parse(text)
    except ValueError as error:
        message = f"`{text}` is not a JSONPath: {error}"
        raise Broken(scope.report.add("invalid-jsonpath", message, path)) from error


def output_plan(outputs: Sequence[OutputParameter] | None, path: Path, scope: UnitScope) -> OutputPlan:
    """The shape of an exposed unit's answer."""
    shapes = [shape(output, (*path, "outputParameters", index), scope) for index, output in enumerate(outputs or ())]
    named = [output.name for output in outputs or () if output.name]
    if len(shapes) > 1 and len(named) == len(shapes):
        return OutputPlan(members=tuple(zip(named, shapes, strict=True)))
    return OutputPlan(options=tuple(shapes))


def shape(output: OutputParameter, path: Path, scope: UnitScope) -> Shape:
    """One output, with all it consists of."""
    if output.value is not None and output.mapping is None:
        literal = scope.value(output.value, (*path, "value"))
        _check_literal(output, literal, path, scope)
        return Shape("value", output.type, literal=literal, longest=output.maxLength)
    start = _start(output, path, scope)
    if output.properties:
        members = tuple(
            (name, shape(_named(member, name), (*path, "properties", name), scope))
            for name, member in output.properties.items()
        )
        return Shape("object", output.type, start or _ROOT, members=members, example=output.example)
    if output.values is not None:
        return Shape(
            "map",
            output.type,
            start or _ROOT,
            item=shape(output.values, (*path, "values"), scope),
            example=output.example,
        )
    if output.items is not None:
        return Shape(
            "list",
            output.type,
            start or _ROOT,
            item=shape(output.items, (*path, "items"), scope),
            example=output.example,
        )
    if start is None or start.is_root:
        is_whole = output.type in (None, "object", "array")
        kind = "response" if is_whole else "value"
        return Shape(kind, output.type, start or _ROOT, longest=output.maxLength, example=output.example)
    return Shape("value", output.type, start, longest=output.maxLength, example=output.example)


def _check_literal(output: OutputParameter, literal: Expression, path: Path, scope: UnitScope) -> None:
    """Say so where a value of the file's own is not of the type that it promises."""
    if isinstance(literal, Literal) and output.type not in (None, "object", "array") and literal.value is not None:
        try:
            coerce(literal.value, output.type)
        except Mismatch as mismatch:
            where = (*path, "value")
            scope.report.add(
                "invalid-literal", f"the output does not fit: {mismatch}", where, severity=Severity.WARNING
            )


def _named(output: OutputParameter, name: str) -> OutputParameter:
    """A property without a mapping is the member of its own name."""
    if output.mapping is None and output.value is None and not output.properties and output.items is None:
        return output.model_copy(update={"mapping": f"$['{name}']"})
    return output


def _start(output: OutputParameter, path: Path, scope: UnitScope) -> JsonPath | None:
    if output.mapping is None:
        if output.name and not output.properties and output.items is None and output.type not in ("object", "array"):
            return JsonPath(f"$.{output.name}", (output.name,))
        return None
    text = output.mapping.strip()
    return jsonpath(text if text.startswith("$") else f"$.{text}", (*path, "mapping"), scope)
