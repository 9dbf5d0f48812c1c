"""Request bodies: members as inputs of their own where that says all there is to say, else the body as one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from naftiko.authoring import naming
from naftiko.authoring.openapi.media import FORM, MULTIPART, bare, is_json
from naftiko.authoring.openapi.model import Body
from naftiko.authoring.openapi.schemas import Shape, Shapes
from naftiko.authoring.openapi.views import View

_MOST_MEMBERS = 60
_NO_MEMBERS = frozenset({"body", "content-type", "accept"})
"""Names that consumed inputs have for something else."""

Name = Callable[[str, str], str]
"""Gives a wanted name to an input of callers, or another one in place of it where it is taken."""


@dataclass(slots=True)
class Asked:
    """What callers are asked for: an input, where a REST route takes it, and its schema."""

    name: str
    place: str
    shape: Shape
    is_required: bool
    description: str
    view: View
    note: str = ""
    fallback: str = "string"  # the type of what may be of any, where a type has to be said


@dataclass(slots=True)
class Sent:
    """How a body is put together. `consumed` are inputs by name that go upstream as they are."""

    asked: list[Asked] = field(default_factory=list)
    consumed: dict[str, dict[str, Any]] = field(default_factory=dict)
    block: Any = None
    is_whole: bool = False


def sent(body: Body, shapes: Shapes, taken: set[str], name: Name) -> Sent:
    """How to send a body. `taken` are the names of consumed inputs that go elsewhere."""
    kind = bare(body.media_type)
    result = Sent()
    if kind == MULTIPART:
        _multipart(body, shapes, name, result)
    elif kind == FORM:
        _form(body, shapes, name, result)
    elif is_json(kind):
        _json(body, shapes, taken, name, result)
        if kind != "application/json" and "*" not in kind and kind != "text/json":
            _content_type(body, result)
    else:
        _text(body, kind, name, result)
    return result


def _content_type(body: Body, result: Sent) -> None:
    kind = body.media_type.strip()
    if "{{" in kind or "$" in kind or "*" in kind or "/" not in kind or not kind.isprintable():
        body.view.left(f"the media type `{kind[:80]}` cannot be sent")
        return
    result.consumed["Content-Type"] = {"in": "header", "value": kind}


def _json(body: Body, shapes: Shapes, taken: set[str], name: Name, result: Sent) -> None:
    members = _members(body.shape, shapes)
    if members is None:
        asked = name("body", "request-body")
        result.is_whole = True
        whole = Asked(asked, "body", body.shape, body.is_required, body.description, body.view, fallback="object")
        result.asked.append(whole)
        if asked == "body":
            result.consumed["body"] = {"in": "body"}
        else:
            result.block = {"type": "json", "data": _read(asked)}
        return
    required = set() if body.is_optional else body.shape.required
    is_sent = bool(required) or not body.is_required  # a call without members has no body otherwise
    is_plain = is_sent and all(
        naming.is_named(member) and member not in taken and member.lower() not in _NO_MEMBERS for member in members
    )
    data: dict[str, Any] = {}
    for member, (view, shape) in members.items():
        asked = name(naming.clean(member), f"body-{naming.clean(member)}")
        is_plain = is_plain and asked == member
        data[member] = _read(asked)
        result.asked.append(Asked(asked, "body", shape, member in required, shape.description, view))
    if is_plain:
        result.consumed |= {member: {"in": "body"} for member in members}
    else:
        result.block = {"type": "json", "data": data}


def _members(shape: Shape, shapes: Shapes) -> dict[str, tuple[View, Shape]] | None:
    """The members that callers give, each with its schema; None where a list of names does not say it all."""
    if shape.type != "object" or not shape.properties or shape.has_others or shape.choices:
        return None
    read = {member: (view, shapes.of(view)) for member, view in shape.properties.items()}
    members = {member: found for member, found in read.items() if not found[1].is_read_only}
    is_all = shape.required <= shape.properties.keys() and 0 < len(members) <= _MOST_MEMBERS
    is_safe = all("{{" not in member and "${" not in member for member in members)
    return members if is_all and is_safe else None


def _form(body: Body, shapes: Shapes, name: Name, result: Sent) -> None:
    data: dict[str, str] = {}
    for member, view, shape, asked in _fields(body, shapes, name):
        data[member] = _read(asked)
        if shape.type == "object":
            view.changed(f"the field `{member}` is an object, and sent as JSON")
        result.asked.append(Asked(asked, "body", shape, member in body.shape.required, shape.description, view))
    if data:
        result.block = {"type": "formUrlEncoded", "data": data}
    else:
        _text(body, FORM, name, result)


def _multipart(body: Body, shapes: Shapes, name: Name, result: Sent) -> None:
    parts = []
    for member, view, shape, asked in _fields(body, shapes, name):
        inner = shapes.of(shape.items) if shape.type == "array" and shape.items is not None else shape
        part = {"name": member, "value": _read(asked)}
        note = ""
        encoding = body.encodings.get(member)
        kind = encoding.string("contentType").partition(",")[0].strip() if encoding is not None else ""
        kind = "" if "{{" in kind or "${" in kind or "*" in kind or not kind.isprintable() else kind
        given = shape
        if inner.is_bytes:
            part |= {"filename": naming.clean(member), "contentType": kind or "application/octet-stream"}
            note = "The file's content, in base64"
            if inner is not shape:
                view.changed(f"the part `{member}` takes one file, where the API takes several")
                given = inner
        elif shape.type in ("object", "array"):
            part["contentType"] = kind or "application/json"
        elif kind:
            part["contentType"] = kind
        parts.append(part)
        is_required = member in body.shape.required
        result.asked.append(Asked(asked, "body", given, is_required, shape.description, view, note))
    if parts:
        result.block = {"type": "multipartForm", "data": parts}
    else:
        body.view.left("the form has no named parts, so that nothing of it is sent")


def _fields(body: Body, shapes: Shapes, name: Name) -> list[tuple[str, View, Shape, str]]:
    found: list[tuple[str, View, Shape, str]] = []
    for member, view in body.shape.properties.items():
        shape = shapes.of(view)
        if "{{" in member or "${" in member:
            view.left(f"the field `{member[:80]}` has a name that cannot be written")
        elif not shape.is_read_only and len(found) < _MOST_MEMBERS * 4:
            wanted = naming.clean(member)
            found.append((member, view, shape, name(wanted, f"body-{wanted}")))
    return found


def _text(body: Body, kind: str, name: Name, result: Sent) -> None:
    asked = name("body", "request-body")
    result.is_whole = True
    is_text = kind.startswith("text/") or kind.endswith(("xml", "yaml", "json", "javascript", FORM))
    note = "" if is_text else "The content, in base64"
    shape = Shape("string", body.shape.description, example=body.shape.example)
    result.asked.append(Asked(asked, "body", shape, body.is_required, body.description, body.view, note))
    if not is_text:
        result.block = {"type": "binary", "data": _read(asked)}
        message = f"a body of `{kind}` is bytes: `type: binary` is ours, and `validate --strict` refuses it"
        body.view.changed(message, is_warning=True)
    elif kind in ("application/xml", "text/xml"):
        result.block = {"type": "xml", "data": _read(asked)}
    else:
        result.block = {"type": "text", "data": _read(asked)}
    if kind not in ("text/plain", "application/xml", "application/octet-stream", "*/*"):
        _content_type(body, result)


def _read(asked: str) -> str:
    """A caller's input, and nothing but that: a plain name could be a variable's."""
    return "{{tools." + asked + "}}"
