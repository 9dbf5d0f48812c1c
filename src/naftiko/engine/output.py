"""The answer's shape, made from a decoded response (semantics, section 6)."""

from __future__ import annotations

from collections.abc import Sequence

from naftiko.plan import NamedOutput, OutputPlan, Shape
from naftiko.values.coerce import EXACT, Mismatch, coerce, kind_of
from naftiko.values.expressions import Scope
from naftiko.values.missing import MISSING
from naftiko.values.pathmatch import Check


class Misses:
    """Which mappings of an answer led nowhere, and what was there instead (semantics, section 9)."""

    __slots__ = ("_found", "_missed")

    def __init__(self) -> None:
        self._found: set[str] = set()
        self._missed: dict[str, str] = {}

    def note(self, path: str, contexts: Sequence[object], *, is_found: bool) -> None:
        if is_found:
            self._found.add(path)
        elif path not in self._missed:
            self._missed[path] = _there(contexts[0]) if contexts else "nothing"

    def told(self) -> list[str]:
        """A sentence for each mapping that led nowhere in any row."""
        return [
            f"the mapping `{path}` matches nothing; there is {what}"
            for path, what in self._missed.items()
            if path not in self._found
        ]


def _there(value: object) -> str:
    if isinstance(value, dict):
        names = ", ".join(f"`{str(name)[:40]}`" for name in [*value][:8])
        return f"an object with {names}{', ...' if len(value) > 8 else ''}" if value else "an object without members"
    return f"a list of {len(value)}" if isinstance(value, list) else kind_of(value)


class Shaping:
    """What shaping an answer needs beside it: the call's scope, its time, and a place for what led nowhere.

    `is_rows` is set inside lists: what one row lacks another may have.
    """

    __slots__ = ("check", "is_rows", "misses", "scope")

    def __init__(self, scope: Scope, check: Check | None = None) -> None:
        self.scope = scope
        self.check = check
        self.is_rows = False
        self.misses: Misses | None = None

    def note(self, path: str, contexts: Sequence[object], *, is_found: bool) -> None:
        if self.misses is None:
            self.misses = Misses()
        self.misses.note(path, contexts, is_found=is_found)


def named(outputs: Sequence[NamedOutput], response: object, shaping: Shaping) -> dict[str, object]:
    """The parts of a response that a consumed operation names."""
    found: dict[str, object] = {}
    for output in outputs:
        value = output.path.first(response, shaping.check) if output.path is not None else MISSING
        if output.literal is not None:
            value = output.literal.resolve(shaping.scope)
        if value is not MISSING:
            found[output.name] = value
    return found


def shaped(plan: OutputPlan, contexts: Sequence[object], shaping: Shaping) -> object:
    """The answer. `contexts` are where a mapping is looked for, in order; the first is the response itself."""
    if plan.members:
        made: dict[str, object] = {}
        for name, member in plan.members:
            value = _plain(member, contexts[0]) if contexts and not shaping.is_rows else MISSING
            made[name] = _filled(member, contexts, shaping) if value is MISSING else value
        return made
    for shape in plan.options:
        value = _filled(shape, contexts, shaping)
        if value is not None:
            return value
    return None if plan.options else contexts[0]


def _plain(shape: Shape, value: object) -> object:
    """The value that most shapes mean: at names inside objects, of the declared type; `MISSING` for all else."""
    path = shape.path
    if shape.kind != "value" or path is None or path.foreign is not None:
        return MISSING
    if shape.literal is not None or shape.longest is not None:
        return MISSING
    for step in path.steps:
        if not isinstance(value, dict):
            return MISSING
        value = value.get(step, MISSING)
    return value if value is None or shape.type is None or EXACT.get(shape.type) is value.__class__ else MISSING


def _filled(shape: Shape, contexts: Sequence[object], shaping: Shaping) -> object:
    if shape.literal is not None:
        value = shape.literal.resolve(shaping.scope)
        return None if value is MISSING else cut(converted(value, shape.type, is_literal=True), shape)
    value = _found(shape, contexts, shaping)
    if shape.kind == "response":
        return None if value is MISSING else value
    if shape.kind == "object":
        inner = contexts if shape.path is None or shape.path.is_root else [value]
        if value is MISSING or value is None:
            return (
                {name: _filled(member, [], shaping) for name, member in shape.members} if _has_literal(shape) else None
            )
        return {name: _filled(member, inner, shaping) for name, member in shape.members}
    if shape.kind == "map":
        if not isinstance(value, dict) or shape.item is None:
            return None if value is MISSING else value
        shaping.is_rows = True
        built: dict[str, object] = {}
        for number, (name, member) in enumerate(value.items()):
            if shaping.check is not None and not number & 255:
                shaping.check()
            built[name] = _filled(shape.item, [member], shaping)
        return built
    if shape.kind == "list":
        if value is MISSING or value is None or shape.item is None:
            return None if value is None or value is MISSING else value
        items = _rows(value) if shape.path is None or shape.path.is_root else value
        items = items if isinstance(items, list) else [items]
        rows: list[object] = []
        shaping.is_rows = True
        for number, item in enumerate(items):
            if shaping.check is not None and not number & 255:
                shaping.check()
            rows.append(_filled(shape.item, [item], shaping))
        return rows
    if value is MISSING:
        return [] if shape.path is not None and shape.path.is_plural else None
    made = converted(value, shape.type)
    return made if shape.longest is None else cut(made, shape)


def cut(value: object, shape: Shape) -> object:
    """Text, cut after the characters that it may have."""
    return value[: shape.longest] if shape.longest is not None and isinstance(value, str) else value


def _rows(value: object) -> object:
    """The list that a response only wraps (`{"data": [...]}`, or the one kind of child of an XML root)."""
    while isinstance(value, dict) and len(value) == 1:
        inner = next(iter(value.values()))
        if not isinstance(inner, dict | list):
            return value
        value = inner
    return value


def _has_literal(shape: Shape) -> bool:
    return shape.literal is not None or any(_has_literal(member) for _, member in shape.members)


def _found(shape: Shape, contexts: Sequence[object], shaping: Shaping) -> object:
    """The first context in which the path leads somewhere."""
    if shape.path is None:
        return contexts[0] if contexts else MISSING
    value: object = MISSING
    for context in contexts:
        value = shape.path.first(context, shaping.check)
        if value is not MISSING:
            break
    if (value is MISSING or shaping.is_rows) and contexts and not shape.path.is_root:
        shaping.note(shape.path.text, contexts, is_found=value is not MISSING)
    return value


def converted(value: object, type: str | None, *, is_literal: bool = False) -> object:
    """A value as its declared type, where nothing is lost; else as it is, since an answer is never dropped."""
    if value is None or type is None or (type in ("object", "array") and not is_literal):
        return value
    try:
        return coerce(value, type)
    except Mismatch:
        return value
