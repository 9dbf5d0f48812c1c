"""JSON with comments, edited as text: what is not touched stays as it is, to the byte.

Clients of MCP keep their settings in such files (comments and commas at the end are allowed), and people write in them.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field

_BLANK = re.compile(r"(?:[ \t\r\n\ufeff]+|//[^\n]*|/\*[^*]*\*+(?:[^/*][^*]*\*+)*/)*")
_STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"')
_WORD = re.compile(r"[-+.0-9A-Za-z]+")
_DEEPEST = 100


class NotJson(Exception):
    """A text is no JSON with comments; the message says where."""


@dataclass(slots=True)
class _Member:
    start: int
    value: _Value
    comma: int | None = None
    """Where the comma after it is."""


@dataclass(slots=True)
class _Value:
    start: int
    end: int = 0
    members: dict[str, _Member] | None = None
    """Those of an object, by name."""

    is_array: bool = field(default=False)


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def blank(self) -> str:
        found = _BLANK.match(self.text, self.at)
        self.at = found.end() if found is not None else self.at
        return self.text[self.at : self.at + 1]

    def failed(self, wanted: str) -> NotJson:
        line = self.text.count("\n", 0, self.at) + 1
        column = self.at - self.text.rfind("\n", 0, self.at)
        return NotJson(f"line {line}, column {column}: {wanted} is expected")

    def string(self) -> str:
        found = _STRING.match(self.text, self.at)
        if found is None:
            raise self.failed("a text in quotes")
        self.at = found.end()
        try:
            return str(json.loads(found[0]))
        except ValueError as error:
            raise self.failed("a text in quotes") from error

    def value(self, depth: int = 0) -> _Value:
        if depth > _DEEPEST:
            raise self.failed("less nesting")
        first = self.blank()
        found = _Value(self.at)
        if first == "{":
            found.members = self.object(depth)
        elif first == "[":
            self.array(depth)
        elif first == '"':
            self.string()
        else:
            word = _WORD.match(self.text, self.at)
            if word is None:
                raise self.failed("a value")
            self.at = word.end()
        found.end = self.at
        return found

    def object(self, depth: int) -> dict[str, _Member]:
        members: dict[str, _Member] = {}
        self.at += 1
        while self.blank() != "}":
            start = self.at
            name = self.string()
            if self.blank() != ":":
                raise self.failed("`:`")
            self.at += 1
            member = members[name] = _Member(start, self.value(depth + 1))
            if self.blank() == ",":
                member.comma = self.at
                self.at += 1
            elif self.blank() != "}":
                raise self.failed("`,` or `}`")
        self.at += 1
        return members

    def array(self, depth: int) -> None:
        self.at += 1
        while self.blank() != "]":
            self.value(depth + 1)
            if self.blank() == ",":
                self.at += 1
            elif self.blank() != "]":
                raise self.failed("`,` or `]`")
        self.at += 1


def _read(text: str) -> _Value:
    reader = _Reader(text)
    found = reader.value()
    if reader.blank():
        raise reader.failed("the end")
    if found.members is None:
        raise NotJson("it holds no object")
    return found


def with_member(text: str, section: str, name: str, value: object) -> str:
    """The text with a member of one of its objects set; the object is made where it is missing.

    Raises:
        NotJson: the text is none, or the section is no object.
    """
    if not text.strip():
        text = "{}\n"
    root = _read(text)
    assert root.members is not None  # noqa: S101 - `_read` says so
    member = root.members.get(section)
    if member is None:
        return _inserted(text, root, section, {name: value})
    if member.value.members is None:
        raise NotJson(f"`{section}` is no object")
    known = member.value.members.get(name)
    if known is None:
        return _inserted(text, member.value, name, value)
    indent = _indent(text, known.start)
    return text[: known.value.start] + _written(value, indent) + text[known.value.end :]


def without_member(text: str, section: str, name: str) -> str:
    """The text without a member of one of its objects.

    Raises:
        NotJson: the text is none.
    """
    root = _read(text) if text.strip() else None
    member = root.members.get(section) if root is not None and root.members is not None else None
    members = member.value.members if member is not None else None
    known = members.get(name) if members is not None else None
    if members is None or known is None:
        return text
    names = [*members]
    start, end = known.start, known.value.end
    if known.comma is not None:
        end = known.comma + 1
    elif names.index(name):
        start = members[names[names.index(name) - 1]].comma or start
        return text[:start] + text[end:]
    line = text.rfind("\n", 0, start)
    if not text[line + 1 : start].strip():
        start = max(line, 0)
    return text[:start] + text[end:]


def _inserted(text: str, owner: _Value, name: str, value: object) -> str:
    """The text with a new member at the end of an object."""
    members = owner.members or {}
    if members:
        last = [*members.values()][-1]
        indent = _indent(text, last.start)
        new = f"{json.dumps(name)}: {_written(value, indent)}"
        if last.comma is not None:
            return text[: last.comma + 1] + f"\n{indent}{new}," + text[last.comma + 1 :]
        return text[: last.value.end] + f",\n{indent}{new}" + text[last.value.end :]
    outer = _indent(text, owner.start)
    indent = outer + "  "
    inside = text[owner.start + 1 : owner.end - 1].rstrip()
    new = f"{json.dumps(name)}: {_written(value, indent)}"
    return text[: owner.start + 1] + f"{inside}\n{indent}{new}\n{outer}" + text[owner.end - 1 :]


def _indent(text: str, at: int) -> str:
    """The blanks that a line begins with."""
    line = text[text.rfind("\n", 0, at) + 1 : at]
    return line[: len(line) - len(line.lstrip())]


def _written(value: object, indent: str) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False).replace("\n", f"\n{indent}")
