"""What is checked about a request beside what it is made of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from naftiko.compile.authentication import HEADER_NAME
from naftiko.compile.broken import Broken
from naftiko.compile.declared import Declared
from naftiko.compile.scope import UnitScope
from naftiko.compile.upstreams import Base, Consumed, holes
from naftiko.diagnostics import Severity
from naftiko.diagnostics.suggestions import did_you_mean, guess
from naftiko.document.report import Report
from naftiko.plan import BodyPlan, MultipartBodyPlan, TextBodyPlan
from naftiko.values.expressions import SpelledInput, leaves
from naftiko.values.headers import OF_THE_CONNECTION
from naftiko.values.names import fold
from naftiko.values.templates import template_names
from naftiko.values.uris import pieces


class RequestCompiler(Protocol):
    """The request that is being compiled."""

    consumed: Consumed
    base: Base
    scope: UnitScope
    report: Report
    declared: list[Declared]

    def placed(self, place: str) -> list[Declared]: ...


def is_of_the_connection(request: RequestCompiler, item: Declared) -> bool:
    """Whether a header never travels, which is told."""
    if item.name.lower() not in OF_THE_CONNECTION:
        return False
    message = f"the header `{item.name}` belongs to the connection, which sets it by itself; it is not sent"
    request.report.add("connection-header", message, (*item.path, "name"), help="remove it")
    return True


def check_names(request: RequestCompiler) -> None:
    for place in ("header", "cookie"):
        for item in request.placed(place):
            if not HEADER_NAME.fullmatch(item.name):
                message = f"`{item.name}` cannot be the name of a {place}"
                raise Broken(request.report.add("invalid-header-name", message, (*item.path, "name")))


def check_body_key(request: RequestCompiler, body: BodyPlan | None) -> None:
    """A key that goes into the body needs one with fields: a form or a JSON object."""
    auth = request.base.auth
    if auth is None or auth.options.get("placement") != "body":
        return
    if request.consumed.tool is not None:
        message = "the key goes into the body, which holds a message of MCP here"
        raise Broken(request.report.add("auth-incomplete", message, (*request.base.adapter_path, "authentication")))
    if isinstance(body, TextBodyPlan | MultipartBodyPlan):
        message = "the key goes into the body, but this body has no fields to put it in"
        raise Broken(request.report.add("auth-incomplete", message, (*request.consumed.path, "body"), key=True))


def auth_inputs(request: RequestCompiler) -> None:
    """Credentials may name a caller's input outright; then every call needs it."""
    for expression in request.base.auth.settings.values() if request.base.auth else ():
        for leaf in leaves(expression):
            if isinstance(leaf, SpelledInput) and request.base.server is not None:
                message = f"`{leaf.name}` would be a caller's, and no caller's credential is passed on to an MCP server"
                where = (*request.base.adapter_path, "authentication")
                raise Broken(request.report.add("not-supported", message, where, severity=Severity.ERROR))
            if isinstance(leaf, SpelledInput):
                draft = request.scope.inputs.obtain(leaf.name)
                draft.goes_to.append("authentication")
                draft.derived_places.append(("header", leaf.name))
                if draft.required is None:
                    draft.required = True


def check_with(request: RequestCompiler) -> None:
    """A `with` that sets something the operation does not take has no effect, and says so."""
    taken = {fold(item.name) for item in request.declared}
    taken |= {fold(hole.name) for hole in holes([*request.base.path, *pieces(request.consumed.uri)])}
    taken |= {fold(name) for name in _template_names(request)}
    operation = request.consumed.operation
    if request.consumed.tool is None and (operation.body is not None or operation.method in ("POST", "PUT", "PATCH")):
        taken.add("body")
    for name in request.scope.explicit:
        if fold(name) not in taken and name in request.scope.with_paths:
            message = f"`{request.consumed.name}` takes no input `{name}`; it is not sent"
            valid = _taken_names(request)
            help = did_you_mean(name, valid)
            where, fix = request.scope.with_paths[name], guess(name, valid)
            request.report.add("unused-with", message, where, key=True, help=help, fix=fix)


def _taken_names(request: RequestCompiler) -> list[str]:
    """The names that `with` can set."""
    placed = holes([*request.base.path, *pieces(request.consumed.uri)])
    return list(dict.fromkeys((*(item.name for item in request.declared), *(hole.name for hole in placed))))


def _template_names(request: RequestCompiler) -> Iterable[str]:
    body = request.consumed.operation.body
    texts: list[object] = [item.parameter.value for item in request.declared]
    if body is not None:
        texts.append(getattr(body, "data", None))
    for text in _texts(texts):
        for name in template_names(text):
            yield name
            yield name.partition(".")[2]


def _texts(value: object) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, Sequence):
        for item in value:
            yield from _texts(item)
    elif hasattr(value, "__dict__"):
        for item in vars(value).values():
            yield from _texts(item)
