"""The official lint rules, under their own names: those that are on by default.

The three for OAuth 2 are left out: as published they look for `type: oauth2` one level too deep, and never find it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from naftiko.document.nodes import Mapping, child
from naftiko.document.report import Report
from naftiko.spec.conformance.levels import LEVELS, NEWEST, SERVERS
from naftiko.spec.conformance.lint_newer import NEWER, SINCE_SERVERS
from naftiko.spec.conformance.subject import Located, Subject, below, name_of, scalar


def lint(root: Mapping, key: str, report: Report) -> None:
    """Run every rule of a document's version over it."""
    subject = Subject(root, key, report)
    for rule in _RULES:
        rule(subject)
    if key == "naftiko":
        _step_names(subject)
        return
    for rule in NEWER:
        rule(subject)
    if LEVELS.get((key, root.text(key) or ""), LEVELS[key, NEWEST[key]]) >= SERVERS:
        for rule in SINCE_SERVERS:
            rule(subject)


def _paths_and_addresses(subject: Subject) -> None:
    code = "consumes-baseuri-no-trailing-slash"
    subject.forbid(below(subject.consumes(), "baseUri"), "/$", code, "the base URI ends with a slash")
    http = (item for item in subject.consumes() if scalar(item[1], "type") == "http")
    code, message = "consumed-resource-no-query-in-path", "the path has a query; declare inputs `in: query`"
    subject.forbid(below(http, "resources", None, "path"), r"\?", code, message)
    rest = "resources", None, "path"
    code = "rest-resource-path-no-trailing-slash"
    subject.forbid(below(subject.exposes("rest"), *rest), "/$", code, "the path ends with a slash")
    code = "rest-resource-path-no-query"
    subject.forbid(below(subject.exposes("rest"), *rest), r"\?", code, message)
    code, message = "address-not-example", "the address is a placeholder"
    subject.forbid(below(subject.exposes("rest", "mcp", "skill"), "address"), r"example\.com$", code, message)
    code = "control-address-localhost-warning"
    message = "the control port should listen on this machine only"
    subject.expect(below(subject.exposes("control"), "address"), r"^(localhost|127\.0\.0\.1)$", code, message)


def _descriptions(subject: Subject) -> None:
    what = "flow" if subject.key == "ikanos" else "function"
    rule = f"aggregate-{what}-description"
    subject.require(subject.functions(), "description", rule, f"the {what} has no description")
    message = "the API to consume has no description"
    subject.require(subject.consumes(), "description", "consumes-description", message)
    resources = below(subject.exposes("rest"), "resources", None)
    subject.require(resources, "description", "rest-resource-description", "the resource has no description")


def _step_names(subject: Subject) -> None:
    message = "a step's name has letters, digits, hyphens and underscores only"
    rest = below(subject.exposes("rest"), "resources", None, "operations", None, "steps", None, "name")
    tools = below(subject.exposes("mcp"), "tools", None, "steps", None, "name")
    for found in (rest, tools):
        subject.expect(found, r"^[A-Za-z0-9_-]+$", "steps-name-pattern", message)


def _authentication(subject: Subject) -> None:
    for path, adapter in subject.exposes("mcp"):
        auth = child(adapter, "authentication")
        if scalar(adapter, "transport") == "stdio" and auth is not None:
            message = "the stdio transport has no authentication; credentials come from the environment"
            subject.add("mcp-auth-stdio-conflict", message, (*path, "authentication"), at_key=True)


def _unsafe_texts(subject: Subject) -> None:
    def texts() -> Iterator[Located]:
        yield from subject.each("info", "description")
        yield from subject.each("info", "label")
        yield from below(subject.exposes(), "description")
        yield from below(subject.exposes("rest"), "resources", None, "description")
        yield from below(subject.exposes("rest"), "resources", None, "operations", None, "description")
        yield from below(subject.exposes("mcp"), "tools", None, "description")
        yield from below(subject.exposes("skill"), "skills", None, "description")
        yield from below(subject.consumes(), "description")

    subject.forbid(texts(), "<script", "no-script-tags-in-markdown", "the text holds a script tag")
    subject.forbid(texts(), r"eval\(", "no-eval-in-markdown", "the text holds a call of eval")


def _namespaces(subject: Subject) -> None:
    """Each namespace is declared once in the document, imports by the name they get here."""
    seen: set[str] = set()
    places = [
        *subject.consumes(),
        *subject.exposes(),
        *subject.each("binds", None),
        *subject.each("capability", "binds", None),
    ]
    for path, node in places:
        key = next((key for key in ("as", "namespace") if scalar(node, key)), None)
        if key is None:
            continue
        name = str(scalar(node, key))
        if name in seen:
            message = f"the namespace `{name}` is declared more than once"
            subject.add("namespaces-unique", message, (*path, key))
        seen.add(name)


def _control(subject: Subject) -> None:
    """At most one control adapter, on a port of its own."""
    code = "control-port-singleton-and-unique"
    controls = list(subject.exposes("control"))
    for path, _ in controls[1:]:
        subject.add(code, "there is a control adapter already", path, at_key=True)
    taken = {scalar(node, "port") for _, node in subject.exposes("rest", "mcp", "skill")} - {None}
    for path, node in controls:
        if scalar(node, "port") in taken:
            subject.add(code, "the control port is another adapter's port, too", (*path, "port"))


def _semantics(subject: Subject) -> None:
    """Hints and methods of what refers to a function do not contradict the function's semantics."""
    code = "aggregate-semantics-consistency"
    functions = {}
    for path, function in subject.functions():
        namespace = scalar(child(subject.root, *path[:3]), "namespace")
        functions[f"{namespace}.{name_of(path, function)}"] = child(function, "semantics")
    for path, tool in below(subject.exposes("mcp"), "tools", None):
        semantics = functions.get(str(scalar(tool, "ref")))
        hints = child(tool, "hints")
        safe, idempotent = scalar(semantics, "safe"), scalar(semantics, "idempotent")
        if safe is True and scalar(hints, "destructive") is True:
            subject.add(
                code, "the function is safe, and the tool says it is destructive", (*path, "hints", "destructive")
            )
        if safe is True and scalar(hints, "readOnly") is False:
            subject.add(code, "the function is safe, and the tool says it changes things", (*path, "hints", "readOnly"))
        if safe is False and scalar(hints, "readOnly") is True:
            subject.add(code, "the function is not safe, and the tool says it only reads", (*path, "hints", "readOnly"))
        if idempotent is True and scalar(hints, "idempotent") is False:
            subject.add(code, "the function is idempotent, and the tool says it is not", (*path, "hints", "idempotent"))
    for path, operation in below(subject.exposes("rest"), "resources", None, "operations", None):
        semantics = functions.get(str(scalar(operation, "ref")))
        method = scalar(operation, "method")
        if scalar(semantics, "safe") is True and method in ("POST", "PUT", "PATCH", "DELETE"):
            subject.add(code, f"the function is safe, and the operation is a {method}", (*path, "method"))
        if scalar(semantics, "safe") is False and method == "GET":
            subject.add(code, "the function is not safe, and the operation is a GET", (*path, "method"))
        if scalar(semantics, "idempotent") is True and method == "POST":
            subject.add(code, "the function is idempotent, and the operation is a POST", (*path, "method"))


def _scripts(subject: Subject) -> None:
    """A script step knows its folder and language, itself or from the control port."""
    defaults = next((child(node, "management", "scripting") for _, node in subject.exposes("control")), None)
    steps = [
        *below(subject.exposes("rest"), "resources", None, "operations", None, "steps", None),
        *below(subject.exposes("mcp"), "tools", None, "steps", None),
        *below(subject.functions(), "steps", None),
    ]
    for path, step in steps:
        if scalar(step, "type") != "script":
            continue
        for key, default in (("location", "defaultLocation"), ("language", "defaultLanguage")):
            if not scalar(step, key) and not scalar(defaults, default):
                message = f"the script step has no `{key}`, and the control port has no `{default}`"
                subject.add("script-defaults-required", message, path, at_key=True)


_RULES: tuple[Callable[[Subject], None], ...] = (
    _namespaces,
    _paths_and_addresses,
    _descriptions,
    _authentication,
    _unsafe_texts,
    _control,
    _semantics,
    _scripts,
)
