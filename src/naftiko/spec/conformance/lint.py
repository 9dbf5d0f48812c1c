"""The official lint rules, under their own names: those that are on by default.

The three for OAuth 2 are left out: as published they look for `type: oauth2` one level too deep, and never find it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from naftiko.diagnostics import Path
from naftiko.document.nodes import Mapping, Node, Scalar, Sequence, child
from naftiko.document.report import Report

Located = tuple[Path, Node]


def lint(root: Mapping, report: Report) -> None:
    """Run every rule over a document."""
    for rule in _RULES:
        rule(root, report)


def _each(root: Mapping, *parts: str | None) -> Iterator[Located]:
    """The nodes at a path in which None stands for every item of a list."""
    found: list[Located] = [((), root)]
    for part in parts:
        following: list[Located] = []
        for path, node in found:
            if part is None and isinstance(node, Sequence):
                following += [((*path, index), item) for index, item in enumerate(node.items)]
            elif part is not None and isinstance(node, Mapping) and part in node.entries:
                following.append(((*path, part), node.entries[part].node))
        found = following
    yield from found


def _consumes(root: Mapping) -> Iterator[Located]:
    yield from _each(root, "consumes", None)
    yield from _each(root, "capability", "consumes", None)


def _exposes(root: Mapping, *kinds: str) -> Iterator[Located]:
    for path, node in _each(root, "capability", "exposes", None):
        if not kinds or (isinstance(node, Mapping) and _scalar(node, "type") in kinds):
            yield path, node


def _below(found: Iterator[Located], *parts: str | None) -> Iterator[Located]:
    for path, node in found:
        if isinstance(node, Mapping):
            for inner, value in _each(node, *parts):
                yield (*path, *inner), value


def _scalar(node: Node | None, key: str) -> object:
    inner = child(node, key)
    return inner.value if isinstance(inner, Scalar) else None


def _forbidden(found: Iterator[Located], pattern: str, code: str, message: str, report: Report) -> None:
    """Texts in which a pattern must not be found."""
    for path, node in found:
        if isinstance(node, Scalar) and isinstance(node.value, str) and re.search(pattern, node.value):
            report.add(code, message, path)


def _expected(found: Iterator[Located], pattern: str, code: str, message: str, report: Report) -> None:
    """Texts in which a pattern must be found."""
    for path, node in found:
        if isinstance(node, Scalar) and isinstance(node.value, str) and not re.search(pattern, node.value):
            report.add(code, message, path)


def _described(found: Iterator[Located], code: str, what: str, report: Report) -> None:
    for path, node in found:
        if isinstance(node, Mapping) and not _scalar(node, "description"):
            report.add(code, f"{what} has no description", path, key=True, help="add `description:`")


def _paths_and_addresses(root: Mapping, report: Report) -> None:
    code = "naftiko-consumes-baseuri-no-trailing-slash"
    _forbidden(_below(_consumes(root), "baseUri"), "/$", code, "the base URI ends with a slash", report)
    http = (item for item in _consumes(root) if isinstance(item[1], Mapping) and _scalar(item[1], "type") == "http")
    code, message = "naftiko-consumed-resource-no-query-in-path", "the path has a query; declare inputs `in: query`"
    _forbidden(_below(http, "resources", None, "path"), r"\?", code, message, report)
    rest = "resources", None, "path"
    code = "naftiko-rest-resource-path-no-trailing-slash"
    _forbidden(_below(_exposes(root, "rest"), *rest), "/$", code, "the path ends with a slash", report)
    code = "naftiko-rest-resource-path-no-query"
    _forbidden(_below(_exposes(root, "rest"), *rest), r"\?", code, message, report)
    code, message = "naftiko-address-not-example", "the address is a placeholder"
    _forbidden(_below(_exposes(root, "rest", "mcp", "skill"), "address"), r"example\.com$", code, message, report)
    code = "naftiko-control-address-localhost-warning"
    message = "the control port should listen on this machine only"
    _expected(_below(_exposes(root, "control"), "address"), r"^(localhost|127\.0\.0\.1)$", code, message, report)


def _descriptions(root: Mapping, report: Report) -> None:
    functions = _each(root, "capability", "aggregates", None, "functions", None)
    _described(functions, "naftiko-aggregate-function-description", "the function", report)
    _described(_consumes(root), "naftiko-consumes-description", "the API to consume", report)
    resources = _below(_exposes(root, "rest"), "resources", None)
    _described(resources, "naftiko-rest-resource-description", "the resource", report)


def _step_names(root: Mapping, report: Report) -> None:
    message = "a step's name has letters, digits, hyphens and underscores only"
    rest = _below(_exposes(root, "rest"), "resources", None, "operations", None, "steps", None, "name")
    tools = _below(_exposes(root, "mcp"), "tools", None, "steps", None, "name")
    for found in (rest, tools):
        _expected(found, r"^[A-Za-z0-9_-]+$", "naftiko-steps-name-pattern", message, report)


def _authentication(root: Mapping, report: Report) -> None:
    for path, adapter in _exposes(root, "mcp"):
        auth = child(adapter, "authentication")
        if _scalar(adapter, "transport") == "stdio" and auth is not None:
            message = "the stdio transport has no authentication; credentials come from the environment"
            report.add("naftiko-mcp-auth-stdio-conflict", message, (*path, "authentication"), key=True)


def _unsafe_texts(root: Mapping, report: Report) -> None:
    def texts() -> Iterator[Located]:
        yield from _each(root, "info", "description")
        yield from _each(root, "info", "label")
        yield from _below(_exposes(root), "description")
        yield from _below(_exposes(root, "rest"), "resources", None, "description")
        yield from _below(_exposes(root, "rest"), "resources", None, "operations", None, "description")
        yield from _below(_exposes(root, "mcp"), "tools", None, "description")
        yield from _below(_exposes(root, "skill"), "skills", None, "description")
        yield from _below(_consumes(root), "description")

    _forbidden(texts(), "<script", "naftiko-no-script-tags-in-markdown", "the text holds a script tag", report)
    _forbidden(texts(), r"eval\(", "naftiko-no-eval-in-markdown", "the text holds a call of eval", report)


def _namespaces(root: Mapping, report: Report) -> None:
    """Each namespace is declared once in the document, imports by the name they get here."""
    seen: set[str] = set()
    places = [
        *_consumes(root),
        *_exposes(root),
        *_each(root, "binds", None),
        *_each(root, "capability", "binds", None),
    ]
    for path, node in places:
        key = next((key for key in ("as", "namespace") if _scalar(node, key)), None)
        if key is None:
            continue
        name = str(_scalar(node, key))
        if name in seen:
            message = f"the namespace `{name}` is declared more than once"
            report.add("naftiko-namespaces-unique", message, (*path, key))
        seen.add(name)


def _control(root: Mapping, report: Report) -> None:
    """At most one control adapter, on a port of its own."""
    code = "naftiko-control-port-singleton-and-unique"
    controls = list(_exposes(root, "control"))
    for path, _ in controls[1:]:
        report.add(code, "there is a control adapter already", path, key=True)
    taken = {_scalar(node, "port") for _, node in _exposes(root, "rest", "mcp", "skill")} - {None}
    for path, node in controls:
        if _scalar(node, "port") in taken:
            report.add(code, "the control port is another adapter's port, too", (*path, "port"))


def _semantics(root: Mapping, report: Report) -> None:
    """Hints and methods of what refers to a function do not contradict the function's semantics."""
    code = "naftiko-aggregate-semantics-consistency"
    functions = {
        f"{_scalar(aggregate, 'namespace')}.{_scalar(function, 'name')}": child(function, "semantics")
        for _, aggregate in _each(root, "capability", "aggregates", None)
        if isinstance(aggregate, Mapping)
        for _, function in _each(aggregate, "functions", None)
    }
    for path, tool in _below(_exposes(root, "mcp"), "tools", None):
        semantics = functions.get(str(_scalar(tool, "ref")))
        hints = child(tool, "hints")
        safe, idempotent = _scalar(semantics, "safe"), _scalar(semantics, "idempotent")
        if safe is True and _scalar(hints, "destructive") is True:
            report.add(
                code, "the function is safe, and the tool says it is destructive", (*path, "hints", "destructive")
            )
        if safe is True and _scalar(hints, "readOnly") is False:
            report.add(code, "the function is safe, and the tool says it changes things", (*path, "hints", "readOnly"))
        if safe is False and _scalar(hints, "readOnly") is True:
            report.add(code, "the function is not safe, and the tool says it only reads", (*path, "hints", "readOnly"))
        if idempotent is True and _scalar(hints, "idempotent") is False:
            report.add(code, "the function is idempotent, and the tool says it is not", (*path, "hints", "idempotent"))
    for path, operation in _below(_exposes(root, "rest"), "resources", None, "operations", None):
        semantics = functions.get(str(_scalar(operation, "ref")))
        method = _scalar(operation, "method")
        if _scalar(semantics, "safe") is True and method in ("POST", "PUT", "PATCH", "DELETE"):
            report.add(code, f"the function is safe, and the operation is a {method}", (*path, "method"))
        if _scalar(semantics, "safe") is False and method == "GET":
            report.add(code, "the function is not safe, and the operation is a GET", (*path, "method"))
        if _scalar(semantics, "idempotent") is True and method == "POST":
            report.add(code, "the function is idempotent, and the operation is a POST", (*path, "method"))


def _scripts(root: Mapping, report: Report) -> None:
    """A script step knows its folder and language, itself or from the control port."""
    defaults = next((child(node, "management", "scripting") for _, node in _exposes(root, "control")), None)
    steps = [
        *_below(_exposes(root, "rest"), "resources", None, "operations", None, "steps", None),
        *_below(_exposes(root, "mcp"), "tools", None, "steps", None),
        *_each(root, "capability", "aggregates", None, "functions", None, "steps", None),
    ]
    for path, step in steps:
        if _scalar(step, "type") != "script":
            continue
        for key, default in (("location", "defaultLocation"), ("language", "defaultLanguage")):
            if not _scalar(step, key) and not _scalar(defaults, default):
                message = f"the script step has no `{key}`, and the control port has no `{default}`"
                report.add("naftiko-script-defaults-required", message, path, key=True)


_RULES: tuple[Callable[[Mapping, Report], None], ...] = (
    _namespaces,
    _paths_and_addresses,
    _descriptions,
    _step_names,
    _authentication,
    _unsafe_texts,
    _control,
    _semantics,
    _scripts,
)
