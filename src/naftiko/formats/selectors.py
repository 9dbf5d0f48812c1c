"""CSS selectors (Selectors Level 4) over pages that anybody may have written: in time that is linear in the page.

A library's own matching goes back and forth between a page's levels, so that a page that nests deeply takes for ever.
Here it finds what each compound selector means, which is one pass, and one walk through the tree does the rest.
"""

from __future__ import annotations

import importlib
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from naftiko.formats.base import Check

_COMBINATORS = frozenset(">+~")
_PLAIN = frozenset(
    {"first-child", "last-child", "only-child", "root", "empty", "checked", "disabled", "enabled", "link", "not"}
)
"""Pseudo-classes that are told by an element and its neighbours alone."""

_PSEUDO = re.compile(r":{1,2}([A-Za-z-]+)")
_ATTRIBUTE = re.compile(r"(.+?)::attr\(([A-Za-z_][A-Za-z0-9_:.-]*)\)", re.DOTALL)
_BETWEEN_CHECKS = 1024


@dataclass(frozen=True, slots=True)
class Selector:
    """Alternatives, each of compound selectors with what combines one with the one before it (` `, `>`, `+` or `~`).

    `attribute` is what `::attr(NAME)` at the end names: its value is meant, not the element's text.
    """

    alternatives: tuple[tuple[tuple[str, str], ...], ...]
    attribute: str | None = None


@lru_cache(maxsize=256)
def read(text: str) -> Selector:
    """A selector.

    Raises:
        ValueError: it is none, or has a part that cannot be found in linear time.
    """
    match = _ATTRIBUTE.fullmatch(text.strip())
    alternatives = _split(match[1] if match is not None else text.strip())
    page = importlib.import_module("selectolax.lexbor").LexborHTMLParser("<p>")
    for _, compound in (part for alternative in alternatives for part in alternative):
        outside = re.sub(r"\[[^\]]*\]", "", compound)
        for name in _PSEUDO.findall(outside):
            if name.lower() not in _PLAIN:
                raise ValueError(f"`{text}` has `:{name}`, which is not looked for: it takes too long on large pages")
        try:
            page.css(compound)
        except Exception as error:
            raise ValueError(f"`{text}` is not a CSS selector") from error
    return Selector(alternatives, match[2] if match is not None else None)


def _split(text: str) -> tuple[tuple[tuple[str, str], ...], ...]:
    """The compounds of a selector, and what stands between them."""
    alternatives: list[tuple[tuple[str, str], ...]] = []
    parts: list[tuple[str, str]] = []
    closing: list[str] = []
    compound, combinator, quote = "", " ", ""
    for character in text + ",":
        if quote or closing:
            compound += character
            if quote:
                quote = "" if character == quote else quote
            elif character in "\"'":
                quote = character
            elif character in "[(":
                closing.append("]" if character == "[" else ")")
            elif character == closing[-1]:
                closing.pop()
            elif closing[-1] == ")" and (character.isspace() or character in ">+~,:"):
                raise ValueError(f"`{text}` has more than one simple selector in parentheses, which is not looked for")
            continue
        if character in "[(":
            closing.append("]" if character == "[" else ")")
            compound += character
        elif character.isspace() or character in _COMBINATORS or character == ",":
            if compound:
                parts.append((combinator, compound))
                compound, combinator = "", " "
            if character in _COMBINATORS:
                if combinator != " " or not parts:
                    raise ValueError(f"`{text}` is not a CSS selector")
                combinator = character
            elif character == ",":
                if not parts or combinator != " ":
                    raise ValueError(f"`{text}` is not a CSS selector")
                alternatives.append(tuple(parts))
                parts = []
        else:
            compound += character
    if closing or quote or parts:
        raise ValueError(f"`{text}` is not a CSS selector")
    return tuple(alternatives)


def select(tree: Any, selector: Selector, check: Check) -> list[Any]:
    """The elements of a parsed page that a selector means, in the order of the page. `check` is called now and then."""
    if all(len(parts) == 1 for parts in selector.alternatives):
        found = tree.css(", ".join(parts[0][1] for parts in selector.alternatives))
        check()
        return list({node.mem_id: node for node in found}.values())  # two alternatives may mean one element
    tables = []
    for parts in selector.alternatives:
        sets = []
        for _, compound in parts:
            sets.append({node.mem_id for node in tree.css(compound)})
            check()
        tables.append([(combinator, members) for (combinator, _), members in zip(parts, sets, strict=True)])
    return _walked(tree, tables, check)


def _walked(tree: Any, tables: list[list[tuple[str, set[int]]]], check: Check) -> list[Any]:
    """One walk in the order of the page. For each alternative an element has a bit for each part it fits up to."""
    chosen: list[Any] = []
    nothing = (0,) * len(tables)
    # What a level knows: the bits of all ancestors, of the parent, of the sibling before, of all siblings before.
    stack = [(iter([tree.root]), nothing, nothing, [nothing, nothing])]
    seen = 0
    while stack:
        children, above, parent, before = stack[-1]
        node = next(children, None)
        if node is None:
            stack.pop()
            continue
        seen += 1
        if not seen % _BETWEEN_CHECKS:
            check()
        bits = []
        is_chosen = False
        for index, parts in enumerate(tables):
            own = 0
            around = {" ": above[index], ">": parent[index], "+": before[0][index], "~": before[1][index]}
            for position, (combinator, members) in enumerate(parts):
                if node.mem_id in members and (not position or around[combinator] >> (position - 1) & 1):
                    own |= 1 << position
            bits.append(own)
            is_chosen = is_chosen or bool(own >> (len(parts) - 1) & 1)
        if is_chosen:
            chosen.append(node)
        known = tuple(bits)
        before[0], before[1] = known, tuple(one | other for one, other in zip(before[1], known, strict=True))
        below = tuple(one | other for one, other in zip(above, known, strict=True))
        stack.append((iter(node.iter()), below, known, [nothing, nothing]))
    return chosen
