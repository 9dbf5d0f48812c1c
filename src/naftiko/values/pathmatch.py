"""Evaluates JSONPaths that may match several places (RFC 9535), on plain values.

jsonpath-ng reads them; here its tree is walked so that every visited value counts against a budget, and so that regular
expressions of filters are matched by RE2, whose time is linear in the text.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jsonpath_ng import jsonpath as tree
from jsonpath_ng.ext import arithmetic, iterable, string
from jsonpath_ng.ext import filter as filters
from jsonpath_ng.ext.filter import EQUALITY_ONLY_OPERATOR_MAP, OPERATOR_MAP, _compare

from naftiko.values.regex import searcher

Check = Callable[[], None]
"""Called now and then; raises where the time for the work is over."""

_BETWEEN_CHECKS = 4096


class Walk:
    """One evaluation: the value that `$` means, and the time it may take."""

    __slots__ = ("_check", "_left", "root")

    def __init__(self, root: object, check: Check | None) -> None:
        self.root = root
        self._check = check
        self._left = _BETWEEN_CHECKS

    def spend(self, values: int = 1) -> None:
        self._left -= values
        if self._left < 0:
            self._left = _BETWEEN_CHECKS
            if self._check is not None:
                self._check()


Finder = Callable[[object, Walk], list[object]]


def finder(path: Any) -> Finder:
    """What finds the values that a parsed path leads to.

    Raises:
        ValueError: the path has a part that cannot be evaluated in bounded time, or a filter a regular expression that
            only an engine with backtracking could match.
    """
    make = _KINDS.get(type(path))
    if make is None:
        raise ValueError(f"`{path}` has a part that is not carried out here")
    return make(path)


def _root(path: Any) -> Finder:
    return lambda value, walk: [walk.root]


def _this(path: Any) -> Finder:
    return lambda value, walk: [value]


def _child(path: Any) -> Finder:
    left, right = finder(path.left), finder(path.right)

    def find(value: object, walk: Walk) -> list[object]:
        found: list[object] = []
        for inner in left(value, walk):
            walk.spend()
            found.extend(right(inner, walk))
        return found

    return find


def _where(path: Any) -> Finder:
    left, right = finder(path.left), finder(path.right)
    wanted = not isinstance(path, tree.WhereNot)

    def find(value: object, walk: Walk) -> list[object]:
        return [inner for inner in left(value, walk) if bool(right(inner, walk)) is wanted]

    return find


def _union(path: Any) -> Finder:
    left, right = finder(path.left), finder(path.right)
    return lambda value, walk: [*left(value, walk), *right(value, walk)]


def _fields(path: Any) -> Finder:
    if path._deprecated_wildcard_use:
        return _everything
    names = path.fields

    def find(value: object, walk: Walk) -> list[object]:
        if not isinstance(value, dict):
            return []
        return [value[name] for name in names if name in value]

    return find


def _everything(value: object, walk: Walk) -> list[object]:
    if isinstance(value, dict):
        walk.spend(len(value))
        return list(value.values())
    if isinstance(value, list):
        walk.spend(len(value))
        return list(value)
    return []


def _wildcard(path: Any) -> Finder:
    return _everything


def _index(path: Any) -> Finder:
    numbers = path.indices

    def find(value: object, walk: Walk) -> list[object]:
        if not isinstance(value, list):
            return []
        return [value[number] for number in numbers if -len(value) <= number < len(value)]

    return find


def _slice(path: Any) -> Finder:
    cut = slice(path.start, path.end, path.step)

    def find(value: object, walk: Walk) -> list[object]:
        if not isinstance(value, list) or cut.step == 0:
            return []
        walk.spend(len(value))
        return value[cut]

    return find


def _descendants(path: Any) -> Finder:
    left, right = finder(path.left), finder(path.right)

    def find(value: object, walk: Walk) -> list[object]:
        found: list[object] = []
        stack = left(value, walk)[::-1]
        while stack:
            inner = stack.pop()
            walk.spend()
            found.extend(right(inner, walk))
            if isinstance(inner, list):
                stack.extend(reversed(inner))
            elif isinstance(inner, dict):
                stack.extend(reversed(inner.values()))
        return found

    return find


def _filter(path: Any) -> Finder:
    tests = [_test(expression) for expression in path.expressions]

    def find(value: object, walk: Walk) -> list[object]:
        found: list[object] = []
        for inner in _everything(value, walk):
            if all(test(inner, walk) for test in tests):
                found.append(inner)
        return found

    return find


def _test(expression: Any) -> Callable[[object, Walk], bool]:
    """Whether a value fits an expression of a filter."""
    if isinstance(expression, filters.Or):
        options = [_test(item) for item in expression.operands]
        return lambda value, walk: any(option(value, walk) for option in options)
    if isinstance(expression, filters.And):
        parts = [_test(item) for item in expression.operands]
        return lambda value, walk: all(part(value, walk) for part in parts)
    if not isinstance(expression, filters.Expression):
        find = finder(expression)
        return lambda value, walk: bool(find(value, walk))
    target, op, wanted = finder(expression.target), expression.op, expression.value
    if op is None:
        return lambda value, walk: bool(target(value, walk))
    if op == "!":
        return lambda value, walk: not target(value, walk)
    if isinstance(wanted, tree.JSONPath):
        return _against(target, op, finder(wanted))
    if op == "=~":
        return _matching(target, str(wanted))
    holds = _holds(op, wanted)

    def test(value: object, walk: Walk) -> bool:
        found = target(value, walk)
        return any(holds(item) for item in found) if found else op == "!="

    return test


def _holds(op: str, wanted: object) -> Callable[[Any], bool]:
    if wanted is None:
        return lambda item: bool(EQUALITY_ONLY_OPERATOR_MAP[op](item is None))

    def holds(item: object) -> bool:
        if isinstance(item, bool) or isinstance(wanted, bool):
            return bool(EQUALITY_ONLY_OPERATOR_MAP[op](item is wanted))
        if not isinstance(item, str | list | dict) and item is not None and isinstance(wanted, int | float):
            return bool(OPERATOR_MAP[op](item, wanted))  # type: ignore[index]
        return bool(_compare(op, item, wanted))  # type: ignore[arg-type]

    return holds


def _against(target: Finder, op: str, other: Finder) -> Callable[[object, Walk], bool]:
    def test(value: object, walk: Walk) -> bool:
        left, right = target(value, walk), other(value, walk)
        if not left or not right:
            return bool(EQUALITY_ONLY_OPERATOR_MAP[op](not left and not right))
        walk.spend(len(left) * len(right))
        return any(_compare(op, one, two) for one in left for two in right)  # type: ignore[arg-type]

    return test


def _matching(target: Finder, pattern: str) -> Callable[[object, Walk], bool]:
    """A regular expression that is searched for in text, in linear time.

    Raises:
        ValueError: it is none, or needs backtracking (look-around, back references).
    """
    is_found = searcher(pattern)

    def test(value: object, walk: Walk) -> bool:
        for item in target(value, walk):
            if isinstance(item, str):
                walk.spend(1 + len(item) // 256)
                if is_found(item):
                    return True
        return False

    return test


def _own(path: Any) -> Finder:
    """An extension of jsonpath-ng, which looks at each value once where no descent or filter is inside it."""
    if ".." in str(path) or "?" in str(path):
        raise ValueError(f"`{path}` has a part that is not carried out here")

    def find(value: object, walk: Walk) -> list[object]:
        walk.spend(len(value) if isinstance(value, list | dict | str) else 1)
        return [match.value for match in path.find(value)]

    return find


_KINDS: dict[type, Callable[[Any], Finder]] = {
    tree.Root: _root,
    tree.This: _this,
    tree.Child: _child,
    tree.Where: _where,
    tree.WhereNot: _where,
    tree._Union: _union,
    tree.Fields: _fields,
    tree.Wildcard: _wildcard,
    tree.Index: _index,
    tree.Slice: _slice,
    tree.Descendants: _descendants,
    filters.Filter: _filter,
    iterable.Len: _own,
    iterable.Keys: _own,
    iterable.SortedThis: _own,
    string.Split: _own,
    string.Str: _own,
    arithmetic.Operation: _own,
}
"""By class of jsonpath-ng. `sub` is left out, since it replaces by a regular expression of its own; so is `parent`."""


def matches(find: Finder, value: object, check: Check | None = None) -> list[object]:
    """All values that a path leads to; none where it compares things that cannot be compared.

    Raises:
        whatever `check` raises.
    """
    try:
        return find(value, Walk(value, check))
    except (TypeError, ArithmeticError, AttributeError):
        return []
