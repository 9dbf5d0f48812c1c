"""Changes to the tree of a document that every dialect makes."""

from __future__ import annotations

from naftiko.diagnostics import Fix, Path
from naftiko.document.nodes import Entry, Mapping, Node, Scalar
from naftiko.document.report import Report


def scalar_like(node: Node, text: str) -> Scalar:
    """A text scalar that stands where `node` does."""
    return Scalar(text, text, node.span)


def put(mapping: Mapping, key: str, node: Node, span_of: str | None = None) -> None:
    """Set a key, positioned like another key of the mapping (or like the value)."""
    like = mapping.entries.get(span_of) if span_of is not None else None
    mapping.entries[key] = Entry(like.key_span if like else node.span, node)


def drop_nulls(mapping: Mapping, keep: frozenset[str] = frozenset()) -> None:
    """A key with nothing behind it means the same as no key."""
    for key in [key for key, entry in mapping.entries.items() if is_null(entry.node) and key not in keep]:
        del mapping.entries[key]


def is_null(node: Node) -> bool:
    return isinstance(node, Scalar) and node.value is None


def rename(mapping: Mapping, old: str, new: str) -> None:
    """Give a key its canonical name, where it keeps its place among the others."""
    entries = {new if key == old else key: entry for key, entry in mapping.entries.items() if key != new}
    entry = entries[new]
    entries[new] = Entry(entry.key_span, entry.node, entry.written or old)
    mapping.entries = entries


def spelling(mapping: Mapping, key: str, table: dict[str, str], code: str, path: Path, report: Report) -> None:
    """Replace a scalar by its canonical spelling."""
    text = mapping.text(key)
    if text is None:
        return
    canonical = table.get(text.casefold())
    if canonical is not None and canonical != text:
        message = f"`{key}: {text}` is read as `{canonical}`"
        report.add(code, message, (*path, key), help=f"write `{key}: {canonical}`", fix=Fix(canonical))
        put(mapping, key, scalar_like(mapping.entries[key].node, canonical), key)
