"""Request bodies: a `body` block, a parameter that is the whole body, or parameters that are its fields."""

from __future__ import annotations

import itertools
import re
from typing import Protocol
from urllib.parse import unquote_plus

from naftiko.compile.broken import Broken
from naftiko.compile.declared import Declared
from naftiko.compile.scope import UnitScope
from naftiko.compile.upstreams import Consumed
from naftiko.diagnostics import Severity
from naftiko.document.report import Report
from naftiko.plan import (
    BodyPlan,
    FieldsBodyPlan,
    FormBodyPlan,
    JsonBodyPlan,
    MultipartBodyPlan,
    ParameterPlan,
    PartPlan,
    TextBodyPlan,
)
from naftiko.spec.models.bodies import FormBody, JsonBody, Part, RawBody, RequestBody, TextBody
from naftiko.values.expressions import Expression, FirstOf, Input, leaves
from naftiko.values.jsontext import decode
from naftiko.values.templates import has_template, parse_value, split_template

_MEDIA = {
    "text": "text/plain; charset=utf-8",
    "xml": "application/xml",
    "sparql": "application/sparql-query",
    "yaml": "application/yaml",
    "binary": "application/octet-stream",
}
_EXPECTED = frozenset({"POST", "PUT", "PATCH"})


_TAKEN = re.compile(r"@naftiko(?=([0-9]+)@)")


class RequestCompiler(Protocol):
    """The request that a body is compiled for."""

    consumed: Consumed
    scope: UnitScope
    report: Report
    declared: list[Declared]

    def parameter(self, item: Declared) -> ParameterPlan: ...


class BodyCompiler:
    """Compiles the body of one call."""

    def __init__(self, request: RequestCompiler) -> None:
        self.request = request
        self.scope = request.scope
        self.path = (*request.consumed.path, "body")

    def compile(self, declared: list[Declared]) -> BodyPlan | None:
        block = self.request.consumed.operation.body
        if block is not None:
            return self._block(block, {item.name: item for item in declared})
        if self.request.consumed.tool is not None:
            return FieldsBodyPlan(tuple(self.request.parameter(item) for item in declared))
        whole = next((item for item in declared if item.name == "body"), None)
        fields = [self.request.parameter(item) for item in declared if item is not whole]
        if whole is not None:
            body = self.request.parameter(whole)
            return JsonBodyPlan(body.expression, body.required, body.blame, body.type, tuple(fields))
        if fields:
            return FieldsBodyPlan(tuple(fields))
        explicit = self.scope.explicit.get("body")
        operation = self.request.consumed.operation
        if operation.method in _EXPECTED:
            message = f"`{operation.name}` is a {operation.method} that declares no body; none is sent"
            self.request.report.add("no-request-body", message, self.request.consumed.path, key=True)
        return JsonBodyPlan(explicit) if explicit is not None and operation.method in _EXPECTED else None

    def _block(self, block: RequestBody, declared: dict[str, Declared]) -> BodyPlan | None:
        explicit = self.scope.explicit.get("body")
        if isinstance(block, JsonBody | RawBody):
            expression = self._json(block.data, declared)
            if expression is None:
                return self._not_json(str(block.data), declared, explicit)
            return JsonBodyPlan(_first(explicit, expression))
        if isinstance(block, TextBody):
            text = _first(explicit, self._value(block.data, declared))
            return TextBodyPlan(text, _MEDIA[block.type], is_base64=block.type == "binary")
        if isinstance(block, FormBody):
            fields = _form_fields(block.data) if isinstance(block.data, str) else block.data
            return FormBodyPlan(_first(explicit, self._value(block.data if fields is None else fields, declared)))
        return MultipartBodyPlan(tuple(self._part(part, declared) for part in block.data))

    def _not_json(self, text: str, declared: dict[str, Declared], explicit: Expression | None) -> BodyPlan:
        """Text where JSON is due. Without a header that says what else it is, no value may be put into it.

        Raises:
            Broken: values would be put into JSON that cannot be read, where any of them could break out.
        """
        path = (*self.path, "data") if not isinstance(self.request.consumed.operation.body, RawBody) else self.path
        has_type = any(item.name.lower() == "content-type" for item in self.request.declared)
        if not has_type:
            message = "the body is not JSON, and no `Content-Type` says what else it is"
            severity = Severity.ERROR if has_template(text) else Severity.WARNING
            found = self.request.report.add("body-not-json", message, path, severity=severity)
            if severity is Severity.ERROR:
                raise Broken(found)
        return TextBodyPlan(_first(explicit, self._value(text, declared)), "application/json")

    def _part(self, part: Part, declared: dict[str, Declared]) -> PartPlan:
        filename = self._value(part.filename, declared) if part.filename is not None else None
        return PartPlan(part.name, self._value(part.value or "", declared), filename, part.contentType)

    def _json(self, data: object, declared: dict[str, Declared]) -> Expression | None:
        """JSON data; None where it is text that is no JSON.

        Text that is JSON with templates in it becomes a structure, so that no value can break out of its place.
        """
        if not isinstance(data, str):
            return self._value(data, declared)
        structure = parse_json_template(data)
        if structure is not None:
            return self._value(structure, declared)
        return None

    def _value(self, data: object, declared: dict[str, Declared]) -> Expression:
        expression = parse_value(data, lambda name: self._name(name, declared))
        for leaf in leaves(expression):
            draft = self.scope.inputs.known(leaf.name) if isinstance(leaf, Input) else None
            if draft is not None:
                draft.goes_to.append("body")
        return expression

    def _name(self, name: str, declared: dict[str, Declared]) -> Expression:
        """A name in a template; an input `in: body` that has the same name says what type it has."""
        expression = self.scope.template(name, self.path, place="body")
        for candidate in (name, name.partition(".")[2]):
            item = declared.get(candidate)
            if item is None:
                continue
            for leaf in leaves(expression):
                draft = self.scope.inputs.known(leaf.name) if isinstance(leaf, Input) and not leaf.path else None
                if draft is not None:
                    draft.complete(item.parameter)
                    if item.parameter.required and draft.required is None:
                        draft.required = True
        return expression


def _first(explicit: Expression | None, block: Expression) -> Expression:
    """What `with` sets wins over the block, where it has a value."""
    return block if explicit is None else FirstOf((explicit, block))


def _form_fields(text: str) -> dict[str, object] | None:
    """The fields of form text such as `a={{x}}&b=1`, so that each value is encoded; None for a template as a whole."""
    fields: dict[str, object] = {}
    for pair in text.strip().split("&"):
        name, equals, value = pair.partition("=")
        if not equals or has_template(name) or name in fields:
            return None
        fields[unquote_plus(name)] = value if has_template(value) else unquote_plus(value)
    return fields


def parse_json_template(text: str) -> object | None:
    """JSON text with templates, inside strings or bare, as a structure; None where it is no JSON even then.

    Templates are replaced by markers before reading, so that a template's own text cannot disturb it, and put back
    into the strings of the structure afterwards.
    """
    taken = {match[1] for match in _TAKEN.finditer(text)}
    stem = f"@naftiko{next(number for number in itertools.count() if str(number) not in taken)}@"
    built: list[str] = []
    names: dict[str, str] = {}
    in_string = False
    for piece, name in split_template(text):
        in_string = _string_state(piece, in_string)
        built.append(piece)
        if name is not None:
            marker = f"{stem}{len(names)};"
            names[marker] = "{{" + name + "}}"
            built.append(marker if in_string else f'"{marker}"')
    try:
        return _restored(decode("".join(built)), names, re.compile(re.escape(stem) + "[0-9]+;"))
    except ValueError:
        return None


def _restored(value: object, names: dict[str, str], marker: re.Pattern[str]) -> object:
    """The structure with its templates back in place."""
    if isinstance(value, str):
        return marker.sub(lambda match: names.get(match[0], match[0]), value)
    if isinstance(value, dict):
        return {str(_restored(key, names, marker)): _restored(item, names, marker) for key, item in value.items()}
    if isinstance(value, list):
        return [_restored(item, names, marker) for item in value]
    return value


def _string_state(piece: str, in_string: bool) -> bool:
    """Whether the text after `piece` is inside a JSON string."""
    position = 0
    while position < len(piece):
        character = piece[position]
        if in_string and character == "\\":
            position += 1
        elif character == '"':
            in_string = not in_string
        position += 1
    return in_string
