"""HTML: its title and its tables, each a list of rows by the names of its heads.

`outputSchema` is a CSS selector: only tables that it matches, or that stand in what it matches. A consumed output whose
`value` is a selector has the text of what that means, or with `::attr(NAME)` at its end an attribute of it.
"""

from __future__ import annotations

import html
import importlib
from typing import Any

from naftiko.formats.base import Check, Decode, Format, Schema, Selected, text_of
from naftiko.formats.selectors import Selector, read, select
from naftiko.values.expressions import as_text

_GROWTH = 8
"""How many times the characters of a page its tables may have together."""

_WIDEST = 1_000
"""The most columns of a table."""


def _prepared(schema: Schema | None) -> Decode:
    parser = importlib.import_module("selectolax.lexbor")
    selector = read(schema.location.strip()) if schema is not None and schema.location.strip() else None
    wanted = [(part, read(part.text)) for part in schema.selected] if schema is not None else []

    def decode(data: bytes, charset: str, check: Check) -> object:
        tree = parser.LexborHTMLParser(text_of(data, charset))
        check()
        tables = _scoped(tree, selector, check) if selector is not None else tree.css("table")
        title = tree.css_first("title")
        budget = [_GROWTH * len(data) + 4096]
        rows = [_rows(table, check, budget) for table in tables]
        found: dict[str, object] = {"title": _text(title) if title is not None else None, "tables": rows}
        if wanted:
            found["selected"] = {part.name: _selected(tree, part, chosen, check, budget) for part, chosen in wanted}
        return found

    return decode


def _selected(tree: Any, part: Selected, selector: Selector, check: Check, budget: list[int]) -> object:
    """The text, or the attribute, of the first element that a selector means; of all of them where a list is wanted."""
    texts: list[str | None] = []
    for node in select(tree, selector, check):
        check()
        text = _text(node) if selector.attribute is None else node.attributes.get(selector.attribute)
        if not part.is_list:
            return text
        texts.append(text)
        budget[0] -= len(text or "") + 1
        if budget[0] < 0:
            raise ValueError("what is selected in the HTML nests too deeply")
    return texts if part.is_list else None


def _scoped(tree: Any, selector: Selector, check: Check) -> list[Any]:
    """The tables that a selector means, each once."""
    found: dict[int, Any] = {}
    for node in select(tree, selector, check):
        for table in [node] if node.tag == "table" else node.css("table"):
            found.setdefault(table.mem_id, table)
    return list(found.values())


def _text(node: Any) -> str:
    return " ".join(node.text(separator=" ").split())


def _rows(table: Any, check: Check, budget: list[int]) -> list[dict[str, str]]:
    """A table's rows by the names in its first row; rows of tables inside it are not its own, but text of its cells.

    Raises:
        ValueError: tables in tables give more characters than `budget` has.
    """
    check()
    rows: list[list[str]] = []
    for number, row in enumerate(_own_rows(table)):
        if not number & 255:
            check()
        cells = []
        for cell in row.iter():
            if cell.tag in ("th", "td"):
                cells.append(_text(cell))
                budget[0] -= len(cells[-1]) + 1
                if budget[0] < 0:
                    raise ValueError("the HTML's tables nest too deeply")
        if cells:
            rows.append(cells[:_WIDEST])
    if not rows:
        return []
    names = [name or f"column{index}" for index, name in enumerate(rows[0], 1)]
    return [dict(zip(names, row, strict=False)) for row in rows[1:]]


def _own_rows(table: Any) -> list[Any]:
    found: list[Any] = []
    for part in table.iter():
        if part.tag == "tr":
            found.append(part)
        elif part.tag in ("thead", "tbody", "tfoot"):
            found.extend(row for row in part.iter() if row.tag == "tr")
    return found


def _encode(value: object) -> bytes:
    tables = value.get("tables") if isinstance(value, dict) else None
    written: list[str] = []
    for table in tables if isinstance(tables, list) else [value]:
        rows = [row for row in (table if isinstance(table, list) else [table]) if isinstance(row, dict)]
        names = list(dict.fromkeys(str(name) for row in rows for name in row))
        lines = ["".join(f"<th>{html.escape(name)}</th>" for name in names)]
        lines += ["".join(f"<td>{html.escape(as_text(row.get(name, '')))}</td>" for name in names) for row in rows]
        written.append("<table>" + "".join(f"<tr>{line}</tr>" for line in lines) + "</table>")
    return "".join(written).encode()


HTML = Format(
    "html",
    "text/html, */*;q=0.5",
    "text/html",
    _encode,
    prepared=_prepared,
    needs=("selectolax", "formats"),
    expands=True,
    selects=True,
)
