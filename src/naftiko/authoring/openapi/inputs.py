"""Parameters and bodies of an operation: what goes upstream, and what callers are asked for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from naftiko.authoring import naming
from naftiko.authoring.openapi.bodies import Asked, Sent, sent
from naftiko.authoring.openapi.model import Body, Operation, Parameter
from naftiko.authoring.openapi.reading import HOLE
from naftiko.authoring.openapi.schemas import Shape, Shapes, told

_SEPARATORS = {
    "form": ("commas", ","),
    "simple": ("commas", ","),
    "label": ("commas", ","),
    "matrix": ("commas", ","),
    "spaceDelimited": ("spaces", " "),
    "pipeDelimited": ("`|`", "|"),
    "tabDelimited": ("tabs", "\t"),
}
_OF_THE_CONNECTION = frozenset(
    {"host", "connection", "content-length", "transfer-encoding", "cookie", "accept-encoding"}
)
_REFERENCE = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*\.")
"""What a text begins with that names something else (semantics, section 3)."""

_SCALARS = frozenset({"string", "number", "integer", "boolean"})


@dataclass(slots=True)
class Inputs:
    """What goes in. `path` is the consumed one, `route` that of a REST adapter.

    `consumed` go upstream, `asked` are what callers give; `given` says which of these fill a consumed input of another
    name.
    """

    path: str
    route: str
    asked: list[Asked] = field(default_factory=list)
    consumed: dict[str, dict[str, Any]] = field(default_factory=dict)
    given: dict[str, str] = field(default_factory=dict)
    block: Any = None
    is_whole: bool = False


def inputs(operation: Operation, shapes: Shapes, fixed: set[str]) -> Inputs:
    """The inputs of an operation. `fixed` are names that the namespace's own inputs have."""
    return _Reader(operation, shapes, fixed).read()


class _Reader:
    def __init__(self, operation: Operation, shapes: Shapes, fixed: set[str]) -> None:
        self._operation = operation
        self._shapes = shapes
        self._names = naming.Names()
        self._fixed = {name.lower() for name in fixed}
        self._sent = {parameter.name for parameter in operation.parameters if parameter.place != "path"}
        self.found = Inputs("", "")

    def read(self) -> Inputs:
        self._path()
        for parameter in self._operation.parameters:
            if parameter.place != "path":
                for part in self._parts(parameter):
                    self._place(part)
        if self._operation.body is not None:
            self._body(self._operation.body)
        return self.found

    # The path

    def _path(self) -> None:
        path = self._operation.path
        if "#" in path:
            path, _, rest = path.partition("#")
            self._operation.view.left(f"`#{rest[:80]}` of the path is never sent")
        if "?" in path:
            self._operation.view.changed("the path has a query, which is sent as it stands")
        declared = {item.name: item for item in self._operation.parameters if item.place == "path"}
        consumed, route, end = [], [], 0
        known: dict[str, str] = {}
        for hole in HOLE.finditer(path):
            literal = path[end : hole.start()]
            consumed.append(_literal(literal))
            route.append(_literal(literal))
            end = hole.end()
            wire = hole[1].rstrip("*").lstrip("+")
            parameter = declared.pop(wire, None) or declared.pop(hole[1], None)
            wanted = naming.clean(wire)
            name = known.get(wire, "")
            if not name:
                name = known[wire] = self._names.give(*([wanted] if wanted not in self._sent else []), f"path-{wanted}")
                self._ask(name, "path", parameter)
            route.append("{" + name + "}")
            consumed.append(self._prefix(parameter) + "{{" + name + "}}")
        rest = _literal(path[end:])
        self.found.path = "".join((*consumed, rest))
        self.found.route = "".join((*route, rest)).partition("?")[0]
        for parameter in declared.values():
            parameter.view.invalid(f"the path `{self._operation.path[:100]}` has no `{{{parameter.name}}}`")

    def _ask(self, name: str, place: str, parameter: Parameter | None) -> None:
        if parameter is None:
            self._operation.view.invalid(f"`{{{name}}}` of the path is no declared parameter; it is taken for text")
            shape = Shape("string")
            asked = Asked(name, place, shape, True, "", self._operation.view)
        else:
            shape, note = self._of_path(parameter)
            asked = Asked(name, place, shape, True, parameter.description or shape.description, parameter.view, note)
        self.found.consumed[name] = {"in": "path"}
        self.found.asked.append(asked)

    def _of_path(self, parameter: Parameter) -> tuple[Shape, str]:
        shape = parameter.shape
        if shape.type in _SCALARS or (shape.type is None and not shape.properties):
            return shape, ""
        if shape.type == "array" and not (parameter.is_exploded and parameter.style in ("label", "matrix")):
            return _as_text(shape, self._shapes), _separated(parameter)
        parameter.view.left(f"`{parameter.name}` is written into the path by callers: no style for objects is known")
        return _as_text(shape, self._shapes), ""

    def _prefix(self, parameter: Parameter | None) -> str:
        if parameter is None or parameter.style not in ("label", "matrix"):
            return ""
        return "." if parameter.style == "label" else f";{_literal(parameter.name)}="

    # Query, headers, cookies

    def _parts(self, parameter: Parameter) -> Iterator[tuple[Parameter, str, Shape, str]]:
        """What a parameter is on the wire: name, shape, and a note on how to write it; of an object a part each."""
        shape, name = parameter.shape, parameter.name
        if parameter.is_json:
            is_object = shape.type == "object"
            yield parameter, name, shape if is_object else _as_text(shape, self._shapes), "" if is_object else "JSON"
        elif shape.type == "object":
            yield from self._object(parameter)
        elif shape.type == "array":
            if parameter.place == "query" and parameter.style == "form" and parameter.is_exploded:
                yield parameter, name, shape, ""
            elif parameter.style == "deepObject":
                parameter.view.changed(f"`{name}` is a list in the style of objects; it is sent as `{name}[]`")
                yield parameter, f"{name}[]", shape, ""
            else:
                yield parameter, name, _as_text(shape, self._shapes), _separated(parameter)
        else:
            yield parameter, name, shape, ""

    def _object(self, parameter: Parameter) -> Iterator[tuple[Parameter, str, Shape, str]]:
        shape, name = parameter.shape, parameter.name
        is_deep = parameter.style == "deepObject"
        if parameter.place != "query" or not (is_deep or parameter.is_exploded) or not shape.properties:
            parameter.view.left(
                f"the parameter `{name}` is an object, which is not sent in the style `{parameter.style}`"
                + (" without named properties" if not shape.properties else ""),
                "declare an input of type string, and let callers write it",
            )
            return
        for member, view in shape.properties.items():
            inner = self._shapes.of(view)
            if inner.type == "object":
                view.left(
                    f"`{member}` of the parameter `{name}` is an object in an object, which OpenAPI has no style for"
                )
                continue
            part = Parameter(
                f"{name}[{member}]" if is_deep else member,
                "query",
                parameter.is_required and member in shape.required,
                inner,
                inner.description,
                "form",
                True,
                view,
            )
            yield part, part.name, inner, ""

    def _place(self, part: tuple[Parameter, str, Shape, str]) -> None:
        parameter, wire, shape, note = part
        key = wire.lower()
        if parameter.place == "header" and (key in _OF_THE_CONNECTION or key in self._fixed):
            return
        if "{{" in wire or "${" in wire or (parameter.place != "query" and not naming.is_named(wire)):
            parameter.view.left(f"the {parameter.place} parameter `{wire[:80]}` has a name that cannot be written")
            return
        if wire in self.found.consumed:
            parameter.view.left(
                f"the {parameter.place} parameter `{wire[:80]}` is left out: another one has its name",
                "inputs of one operation have a name each, wherever they go",
            )
            return
        constant = _constant(parameter, shape)
        if constant is not None:
            self.found.consumed[wire] = {"in": parameter.place, "value": constant}
            return
        if not naming.is_named(wire):
            parameter.view.changed(
                f"`{wire[:80]}` is sent, but is no name that the specification has: `validate --strict` refuses it",
                is_warning=True,
            )
        wanted = naming.clean(wire)
        name = self._names.give(wanted, f"{parameter.place}-{wanted}")
        self.found.consumed[wire] = {"in": parameter.place}
        if name != wire:
            self.found.given[wire] = name
        about = parameter.description or shape.description
        self.found.asked.append(Asked(name, parameter.place, shape, parameter.is_required, about, parameter.view, note))

    # The body

    def _body(self, body: Body) -> None:
        if self._operation.method == "GET":
            body.view.left("a GET with a body is sent without it")
            return
        result: Sent = sent(body, self._shapes, set(self.found.consumed), self._names.give)
        for name, entry in result.consumed.items():
            self.found.consumed.setdefault(name, entry)
        self.found.asked += result.asked
        self.found.block = result.block
        self.found.is_whole = result.is_whole


def _literal(text: str) -> str:
    """Text of a path that is no template, whatever the document has written there."""
    return text.replace("{", "%7B").replace("}", "%7D").replace("$", "%24") if "{" in text or "$" in text else text


def _as_text(shape: Shape, shapes: Shapes) -> Shape:
    inner = shapes.of(shape.items) if shape.items is not None else Shape()
    return Shape("string", f"{shape.description} {told(inner, shapes, has_structure=False)}".strip())


def _separated(parameter: Parameter) -> str:
    return f"Several, separated by {_SEPARATORS.get(parameter.style, ('commas', ','))[0]}"


def _constant(parameter: Parameter, shape: Shape) -> str | None:
    """The only value that a required parameter may have."""
    if not parameter.is_required or len(shape.enum) != 1:
        return None
    value = shape.enum[0]
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if not isinstance(value, str) or not value.isprintable() or "{{" in value or value.startswith("$"):
        return None
    return value if _REFERENCE.match(value) is None else None
