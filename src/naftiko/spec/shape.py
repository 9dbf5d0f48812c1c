"""Nodes to models. What does not fit is reported and left out, so that the rest of the document can be used."""

from __future__ import annotations

from dataclasses import replace
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ValidationError

from naftiko.diagnostics import Diagnostic, Fix, Path, Severity
from naftiko.diagnostics.suggestions import did_you_mean, guess
from naftiko.document.nodes import Mapping, Node, Scalar, Sequence, child, file_of, locate, plain, written
from naftiko.document.report import Report
from naftiko.spec.dialects.maps import WORDS, is_newer
from naftiko.spec.models.capability import CapabilityFile

_ROUNDS = 50
_DESCRIPTIVE = frozenset({"description", "label", "tags", "created", "modified", "stakeholders", "example"})
_ENTRIES = {"consumes": "consumed API", "exposes": "adapter", "data": "part", "keys": "key"}
_UNITS = frozenset(
    {"operations", "tools", "functions", "resources", "consumes", "exposes", "aggregates", "skills", "prompts"}
)


def build(root: Mapping, report: Report) -> tuple[CapabilityFile, list[Diagnostic]]:
    """The models of a document in canonical shape, and what did not fit.

    Whatever does not fit is taken out of `root`; the unit it belonged to gets the finding as its `fault`.
    """
    found: list[Diagnostic] = []
    removed: set[Path] = set()
    for _ in range(_ROUNDS):
        try:
            return CapabilityFile.model_validate(plain(root)), found
        except ValidationError as error:
            victims: list[tuple[Mapping | Sequence, str | Node]] = []
            for problem in error.errors(include_url=False, include_context=True):
                diagnostic, path = _report(root, report.file, problem, victims)
                if path not in removed:  # what is missing was taken out, and told, before
                    found.append(diagnostic)
                removed.add(path)
            _remove(victims)
    return CapabilityFile(), found


def _report(
    root: Mapping, file: str, problem: Any, victims: list[tuple[Mapping | Sequence, str | Node]]
) -> tuple[Diagnostic, Path]:
    """One pydantic error as a diagnostic, and the path it is about; notes what to take out."""
    trail: list[tuple[str | int, Node]] = []
    node: Node = root
    absent: str | None = None
    parts = list(problem["loc"])
    for index, part in enumerate(parts):
        if isinstance(node, Mapping) and isinstance(part, str) and part in node.entries:
            node = node.entries[part].node
            trail.append((part, node))
        elif isinstance(node, Sequence) and isinstance(part, int) and part < len(node.items):
            node = node.items[part]
            trail.append((part, node))
        elif index == len(parts) - 1 and problem["type"] == "missing":
            absent = str(part)
    path: Path = tuple(part for part, _ in trail)
    file = file_of(root, path) or file
    diagnostic = _missing(root, file, path, absent) if absent is not None else _misfit(root, file, path, node, problem)
    diagnostic = replace(diagnostic, path=written(root, diagnostic.path))
    if diagnostic.severity is Severity.ERROR:
        _blame(root, trail, diagnostic)
    nodes: list[Node] = [root, *(inner for _, inner in trail)]
    for depth in range(len(trail), 0, -1):
        parent, part = nodes[depth - 1], trail[depth - 1][0]
        if isinstance(parent, Sequence):
            victims.append((parent, nodes[depth]))
            break
        if isinstance(parent, Mapping):
            victims.append((parent, str(part)))
            break
    return diagnostic, (*path, absent) if absent is not None else path


def _missing(root: Mapping, file: str, path: Path, key: str) -> Diagnostic:
    severity = Severity.WARNING if path[:1] == ("info",) else Severity.ERROR
    key = _word(root, key)
    what = f"`{_singular(path)}`" if path else "the document"
    return Diagnostic(
        "missing-key", severity, f"{what} has no `{key}`", file, locate(root, path, key=True), path, f"add `{key}:`"
    )


def _misfit(root: Mapping, file: str, path: Path, node: Node, problem: Any) -> Diagnostic:
    kind = problem["type"]
    last = str(path[-1]) if path else ""
    severity = Severity.ERROR
    if path[:1] == ("info",) or last in _DESCRIPTIVE or "hints" in path:
        severity = Severity.WARNING
    if kind == "extra_forbidden":
        canonical = _valid_keys(path)
        valid = [_word(root, name) for name in canonical]
        span = locate(root, path, key=True)
        meant = _meant(root, path, last, canonical)
        if meant is not None:
            message = f"`{last}` is not a key of {_owner(path)}, and `{meant}` is not there; nothing is done without it"
            meant_fix = Fix(meant, is_safe=False)
            help = f"did you mean `{meant}`?"
            return Diagnostic("unknown-key", Severity.ERROR, message, file, span, path, help, meant_fix)
        message = f"`{last}` is not a key of {_owner(path)}; it has no effect"
        fix = guess(last, valid)
        return Diagnostic("unknown-key", Severity.WARNING, message, file, span, path, did_you_mean(last, valid), fix)
    span = locate(root, path)
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        return _wrong_tag(root, file, path, problem)
    if kind in ("literal_error", "enum"):
        expected = str(problem["ctx"]["expected"]).replace("'", "`").replace(" or ", ", ")
        if last == "type" and len(path) > 2 and path[-3] in ("inputParameters", "outputParameters"):
            severity = Severity.WARNING
        message = f"`{_shown(node)}` is not a valid `{last}`"
        return Diagnostic("invalid-value", severity, message, file, span, path, f"valid: {expected}")
    if kind.startswith(("greater_than", "less_than")):
        message = f"`{last}` is {_shown(node)}, which is out of range: {problem['msg'].lower()}"
        return Diagnostic("invalid-value", severity, message, file, span, path)
    message = f"{_name(path)} is {_kind(node)}, and must be {_expected(kind, problem)}"
    return Diagnostic("wrong-type", severity, message, file, span, path)


_ALIKE = 0.8


def _meant(root: Mapping, path: Path, key: str, valid: list[str]) -> str | None:
    """The key that is meant by one that is nearly spelled so, where that is not there and matters (semantics, 9)."""
    if path[:1] == ("info",) or "hints" in path or len(key) < 4:
        return None
    beside = child(root, *path[:-1])
    words = {name: _word(root, name) for name in valid}
    close = get_close_matches(key.casefold(), [word.casefold() for word in words.values()], n=1, cutoff=_ALIKE)
    for name, word in words.items():
        if close and word.casefold() == close[0] and name not in _DESCRIPTIVE and name != "hints":
            return word if isinstance(beside, Mapping) and name not in beside.entries else None
    return None


def _wrong_tag(root: Mapping, file: str, path: Path, problem: Any) -> Diagnostic:
    tags = str(problem.get("ctx", {}).get("expected_tags", "")).replace("'", "`")
    if problem["type"] == "union_tag_not_found":
        message = f"{_name(path)} has no `type`"
        return Diagnostic(
            "missing-key", Severity.ERROR, message, file, locate(root, path, key=True), path, "add `type:`"
        )
    tag = child(root, *path, "type")
    said = _shown(tag) if tag is not None else problem["ctx"]["tag"]
    message = f"`{said}` is not a known type of {_name(path)}"
    span = locate(root, (*path, "type"))
    return Diagnostic("unknown-type", Severity.ERROR, message, file, span, (*path, "type"), f"valid: {tags}")


def _blame(root: Mapping, trail: list[tuple[str | int, Node]], diagnostic: Diagnostic) -> None:
    """Give the fault to the innermost unit around it, and to the document where there is none."""
    owner: Mapping = root
    previous: str | int = ""
    for part, node in trail:
        if isinstance(node, Mapping) and isinstance(part, int) and previous in _UNITS:
            owner = node
        previous = part
    if owner.fault is None:
        owner.fault = diagnostic


def _remove(victims: list[tuple[Mapping | Sequence, str | Node]]) -> None:
    """Take nodes out of what they stand in, each list once."""
    gone: dict[int, tuple[Sequence, set[int]]] = {}
    for parent, victim in victims:
        if isinstance(parent, Sequence):
            gone.setdefault(id(parent), (parent, set()))[1].add(id(victim))
        elif isinstance(victim, str):
            parent.entries.pop(victim, None)
    for sequence, ids in gone.values():
        sequence.items = [item for item in sequence.items if id(item) not in ids]


def _word(root: Mapping, name: str) -> str:
    """A key as a file of its style calls it."""
    return WORDS.get(name, name) if is_newer(root) and name != "location" else name


def _valid_keys(path: Path) -> list[str]:
    """The keys a mapping may have, found by following the path through the models' fields."""
    models: list[type[BaseModel]] = [CapabilityFile]
    for part in path[:-1]:
        if isinstance(part, int):
            continue
        following: list[type[BaseModel]] = []
        for model in models:
            for name, info in model.model_fields.items():
                if part in (name, info.alias):
                    following.extend(_models_in(info.annotation))
        if following:
            models = following
    return [info.alias or name for model in models for name, info in model.model_fields.items()]


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for inner in getattr(annotation, "__args__", ()) for model in _models_in(inner)]


def _owner(path: Path) -> str:
    return f"`{_singular(path[:-1])}`" if path[:-1] else "a capability file"


def _singular(path: Path) -> str:
    words = [str(part) for part in path if isinstance(part, str)]
    if not words:
        return "document"
    word = words[-1]
    if not isinstance(path[-1], int):
        return word
    return _ENTRIES.get(word) or word.removesuffix("s")


def _name(path: Path) -> str:
    if not path:
        return "the document"
    return f"`{path[-1]}`" if isinstance(path[-1], str) else f"this `{_singular(path)}`"


def _shown(node: Node) -> str:
    return node.text if isinstance(node, Scalar) else _kind(node)


def _kind(node: Node) -> str:
    if isinstance(node, Mapping):
        return "a mapping"
    if isinstance(node, Sequence):
        return "a list"
    if node.value is None:
        return "empty"
    if isinstance(node.value, bool):
        return "a boolean"
    return "text" if isinstance(node.value, str) else "a number"


_EXPECTED = {
    "string_type": "text",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "`true` or `false`",
    "bool_parsing": "`true` or `false`",
}


def _expected(kind: str, problem: Any) -> str:
    return _EXPECTED.get(kind) or str(problem["msg"]).lower()
