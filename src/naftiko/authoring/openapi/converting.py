"""An OpenAPI document to capabilities, with all that there is to say of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from naftiko.authoring import naming, yamltext
from naftiko.authoring.openapi import current, older
from naftiko.authoring.openapi.model import Api, Operation
from naftiko.authoring.openapi.places import MAX_PLACED, places
from naftiko.authoring.openapi.schemas import Shapes
from naftiko.authoring.openapi.selection import selected
from naftiko.authoring.openapi.texts import Text
from naftiko.authoring.openapi.views import Fetch, Library
from naftiko.authoring.openapi.writing import Options, Writer
from naftiko.diagnostics import START, Diagnostic, Path, Span, ordered
from naftiko.document.reader import MAX_NODES
from naftiko.document.source import MAX_BYTES
from naftiko.errors import SetupError, SourceError


@dataclass(frozen=True, slots=True)
class Written:
    """One capability: a name for its file, its text, how many operations it has, and the variables it reads."""

    name: str
    text: str
    operations: int
    variables: dict[str, str]


@dataclass(frozen=True, slots=True)
class Converted:
    """What became of a document. `texts` are those that findings point into, by name."""

    capabilities: tuple[Written, ...]
    findings: tuple[Diagnostic, ...]
    texts: dict[str, str]


def convert(
    main: Text,
    fetch: Fetch,
    options: Options,
    *,
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    is_grouped: bool = False,
) -> Converted:
    """Convert a document; `is_grouped` makes a capability of each tag.

    Raises:
        SourceError: it is no OpenAPI document, or has no operation.
        SetupError: a choice of operations cannot be read, or fits nothing; or the result is too large.
    """
    library, shapes = Library(main, fetch), Shapes()
    api = _read(library, shapes)
    operations = selected(api.operations, include, exclude)
    if not operations:
        raise SourceError(f"{main.name} has no operation that can be consumed")
    names = naming.Names()
    written = []
    for group in _groups(api, operations, is_grouped=is_grouped):
        one = _capability(api, shapes, options, *group)
        written.append(replace(one, name=names.give(one.name)))
    return Converted(tuple(written), _placed(library), {text.name: text.text for text, _ in library.found.values()})


def _read(library: Library, shapes: Shapes) -> Api:
    root = library.root
    if not isinstance(root.value, dict):
        raise SourceError(f"{library.main.name} is no OpenAPI document: it holds no object")
    swagger, version = root.string("swagger"), root.string("openapi")
    if swagger.startswith("2."):
        return older.read(root, shapes)
    if version.startswith("3."):
        return current.read(root, shapes)
    said = f"version {(swagger or version)[:20]}" if swagger or version else "neither `openapi:` nor `swagger:` in it"
    raise SourceError(f"{library.main.name} is no OpenAPI document that can be read: {said}; 2.0 and 3.0 to 3.2 are")


def _groups(api: Api, operations: list[Operation], *, is_grouped: bool) -> list[tuple[str, list[Operation]]]:
    if not is_grouped:
        return [("", operations)]
    groups: dict[str, list[Operation]] = {}
    for operation in operations:
        groups.setdefault(operation.tags[0] if operation.tags else "other", []).append(operation)
    return [*groups.items()]


def _capability(api: Api, shapes: Shapes, options: Options, tag: str, operations: list[Operation]) -> Written:
    """The capability of some operations: with types and responses as long as it stays as large as one may be."""
    title = f"{api.title or 'API'} — {tag}" if tag else api.title
    if tag and options.namespace is not None:
        options = replace(options, namespace=naming.kebab(f"{options.namespace} {tag}", options.namespace, 40))
    part = replace(api, operations=operations)
    for tried in (
        options,
        replace(options, has_responses=False),
        replace(options, has_responses=False, is_typed=False),
    ):
        writer = Writer(part, shapes, tried, title)
        document = writer.written(operations)
        nodes, characters = _size(document)
        if nodes < MAX_NODES and characters <= MAX_BYTES:
            text = yamltext.dumped(document)
            if len(text.encode()) <= MAX_BYTES:
                if tried is not options:
                    api.root.changed("the capability is too large for all types of answers, so some pass as they are")
                return Written(writer.namespace, text, len(operations), writer.variables)
    if len(operations) == 1:
        raise SetupError(f"{operations[0].method} {operations[0].path[:80]} alone is more than a capability may hold")
    raise SetupError(
        f"{len(operations)} operations{f' of `{tag[:60]}`' if tag else ''} are more than one capability may hold: "
        "choose some with --include and --exclude, or make one of each tag with --group tag"
    )


def _size(value: Any) -> tuple[int, int]:
    """How many nodes a document has, and at least how many characters its text will have."""
    count, characters, todo = 0, 0, [value]
    while todo:
        node = todo.pop()
        count += 1
        if isinstance(node, dict):
            count += len(node)
            characters += sum(len(key) + 2 for key in node)
            todo += node.values()
        elif isinstance(node, list):
            todo += node
        elif isinstance(node, str):
            characters += len(node)
    return count, characters


def _placed(library: Library) -> tuple[Diagnostic, ...]:
    """The findings with their lines; where a text is too large to look for them, with the JSON Pointer."""
    by_text: dict[str, list[tuple[Text, Diagnostic]]] = {}
    for text, finding in library.found.values():
        by_text.setdefault(text.name, []).append((text, finding))
    result = []
    for items in by_text.values():
        text = items[0][0]
        is_small = len(text.text) <= MAX_PLACED
        paths = [finding.path for _, finding in items]
        found = places(text.text, paths, is_json=text.is_json) if is_small else {}
        for _, finding in items:
            where = _nearest(finding.path, found)
            message = finding.message if is_small else f"{finding.message} (#{finding.pointer})"
            result.append(replace(finding, span=where, message=message))
    return ordered(result)


def _nearest(path: Path, found: dict[Path, Span]) -> Span:
    while path and path not in found:
        path = path[:-1]
    return found.get(path, START)
