"""The cures that findings know, written into a text."""

from __future__ import annotations

from dataclasses import dataclass, replace

from naftiko.authoring.migration.concrete import Mapping, Node, Sequence, read
from naftiko.authoring.migration.edits import Edits
from naftiko.authoring.migration.same import difference
from naftiko.diagnostics import Diagnostic, Severity, Span
from naftiko.document.source import Source
from naftiko.runtime.loading import Compiled, compiled

_ROUNDS = 5
"""How often what was written is looked at again: one cure can uncover the need of another."""


@dataclass(frozen=True, slots=True)
class Fixed:
    """A text with what could be written into it, and the findings that were cured."""

    source: Source
    before: str
    after: str
    cured: tuple[Diagnostic, ...]
    left: int
    """How many findings have a cure that was not written: it is a guess, or would change what is carried out."""


def fix(source: Source, *, is_unsafe: bool = False) -> Fixed:
    """Write the cures of a file's findings into its text.

    Safe ones leave what is carried out as it is, which is checked: together or not at all. With `is_unsafe` guesses
    are written too, as long as they leave no more errors than there were.
    """
    first = compiled(source)
    before = first.loaded.document.text
    cured: list[Diagnostic] = []
    text, built = before, first
    for _ in range(_ROUNDS):
        chosen = _chosen(built, source, is_unsafe)
        if not chosen:
            break
        new = _written(text, chosen)
        after = compiled(replace(source, data=new.encode()))
        is_better = _errors(after) <= _errors(built) if is_unsafe else difference(built.plan, after.plan) is None
        if new == text or not is_better:
            break
        text, built = new, after
        cured += chosen
    left = sum(1 for item in built.diagnostics if item.fix is not None and item.file == source.name)
    return Fixed(source, before, text, tuple(cured), left)


def _errors(built: Compiled) -> int:
    return sum(item.severity is Severity.ERROR for item in built.diagnostics)


def _chosen(built: Compiled, source: Source, is_unsafe: bool) -> list[Diagnostic]:
    return [
        item
        for item in built.diagnostics
        if item.fix is not None and item.file == source.name and (is_unsafe or item.fix.is_safe)
    ]


def _written(text: str, chosen: list[Diagnostic]) -> str:
    edits = Edits(text)
    tree = read(text)
    seen: set[Span] = set()
    for item in chosen:
        cure = item.fix
        if cure is None or item.span in seen:
            continue
        seen.add(item.span)
        start = edits.offset(item.span.line, item.span.column)
        end = edits.offset(item.span.end_line, item.span.end_column)
        if cure.is_entry:
            _add_entry(edits, tree, end, start, cure.text)
        elif not cure.old:
            edits.replace(start, end, cure.text)
        else:
            at = text.find(cure.old, start, end)
            if at >= 0:
                edits.replace(at, at + len(cure.old), cure.text)
    return edits.applied()


def _add_entry(edits: Edits, tree: Node | None, at: int, start: int, entry: str) -> None:
    """An entry behind the value that ends at an offset, in the style of its mapping."""
    owner = _owner(tree, start)
    if owner is None:
        return
    if owner.is_flow:
        edits.insert(at, f", {entry}")
        return
    column = edits.column(owner.entries[0].key.start)
    line = edits.line_end(at)
    edits.insert(line, f"\n{' ' * column}{entry}")


def _owner(node: Node | None, at: int) -> Mapping | None:
    """The innermost mapping that has a value at an offset."""
    found = None
    while isinstance(node, Mapping | Sequence):
        if isinstance(node, Mapping):
            found = node
            inner = [entry.value for entry in node.entries]
        else:
            inner = node.items
        node = next((value for value in inner if value.start <= at < max(value.end, value.start + 1)), None)
    return found
