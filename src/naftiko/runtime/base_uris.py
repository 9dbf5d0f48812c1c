"""Base URIs: those that a file declares, and those that an operator puts in their place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from naftiko.bindings.resolve import Resolved, Sources
from naftiko.compile.variables import environment_name
from naftiko.diagnostics.suggestions import did_you_mean
from naftiko.errors import SetupError
from naftiko.plan import Plan, Upstream
from naftiko.values.expressions import Expression, Scope, Variable, as_text, leaves
from naftiko.values.missing import MISSING
from naftiko.values.uris import pieces


@dataclass(frozen=True, slots=True)
class Override:
    """A base URI in its parts. `path` is None where the declared path stays.

    `userinfo` is `user:password` where the URI has them: credentials for an upstream that declares no others.
    """

    origin: str
    path: str | None
    userinfo: str | None = None


def base_overrides(plan: Plan, base_uris: Mapping[str, str], sources: Sources | None = None) -> dict[int, Override]:
    """The base URIs that replace declared ones, by index of the upstream. `sources` fill the placeholders in them.

    Raises:
        SetupError: a name is no consumed namespace, a URI is not an HTTP one, or a placeholder has no value.
    """
    namespaces = [upstream.namespace for upstream in plan.upstreams]
    for name in base_uris:
        if name == "" and len(set(namespaces)) > 1:
            raise SetupError(
                f"`--base-uri URL` fits one consumed namespace, and there are {len(set(namespaces))}: "
                f"{', '.join(dict.fromkeys(namespaces))}; use `--base-uri NS=URL`, or `--base-uri '*=URL'` for all"
            )
        if name not in ("", "*") and name not in namespaces:
            raise SetupError(f"`--base-uri`: nothing is consumed as `{name}`; {did_you_mean(name, namespaces)}")
    found: dict[int, Override] = {}
    for index, namespace in enumerate(namespaces):
        uri = base_uris.get(namespace, base_uris.get("", base_uris.get("*")))
        if uri is not None:
            filled = _filled(uri.replace("{namespace}", namespace), sources or Sources({}))
            found[index] = split_uri(filled, "`--base-uri`")
    return found


def _filled(uri: str, sources: Sources) -> str:
    """A base URI with a value for each `{placeholder}`: `--var NAME=VALUE`, or a variable of the environment."""
    parts: list[str] = []
    for piece in pieces(uri):
        if isinstance(piece, str):
            parts.append(piece)
            continue
        value = sources.lookup(piece.name)
        if value is None:
            value = sources.lookup(environment_name(piece.name))
        if value is None:
            raise SetupError(
                f"`--base-uri`: the placeholder `{piece.name}` of `{_shown(uri)}` has no value; "
                f"use `--var {piece.name}=VALUE`, or set {environment_name(piece.name)}"
            )
        parts.append(value)
    return "".join(parts)


_PATH_SAFE = "/:@!$&'()*+,;=~%"
"""What a path keeps (RFC 3986, section 3.3), and what is encoded already."""


def split_uri(uri: str, what: str) -> Override:
    """A base URI as origin and path."""
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError as error:
        raise SetupError(f"{what}: `{_shown(uri)}` is not a URL") from error
    if (
        parts.scheme.lower() not in ("http", "https")
        or not parts.hostname
        or parts.query
        or parts.fragment
        or port == 0
    ):
        raise SetupError(f"{what}: `{_shown(uri)}` is not a base URI; write `http://host/path` or `https://host/path`")
    userinfo, _, host = parts.netloc.rpartition("@")
    path = quote(parts.path.rstrip("/"), safe=_PATH_SAFE)
    return Override(f"{parts.scheme}://{host}", path, userinfo or None)


def _shown(uri: str) -> str:
    """A URI without user and password."""
    scheme, separator, rest = uri.partition("://")
    host, slash, path = rest.partition("/")
    return scheme + separator + host.rpartition("@")[2] + slash + path


def declared_base(upstream: Upstream, resolved: Resolved) -> tuple[Override | None, str | None]:
    """The declared base URI with its variables, or why it cannot be used. What variables hold is not shown."""
    if upstream.problem is not None:
        return None, upstream.problem
    value = upstream.authority.resolve(Scope(resolved.values, {}, {}, {}))
    if value is MISSING:
        return None, f"the base URI `{upstream.declared}` has no value"
    try:
        return split_uri(as_text(value), "the base URI"), None
    except SetupError:
        return None, f"the base URI `{upstream.declared}` is not an HTTP URL once its variables are filled in"


def is_secret(authority: Expression) -> bool:
    """Whether a base URI has a binding in it, which may be a secret; server variables are none."""
    return any(isinstance(leaf, Variable) and not leaf.key.startswith("server.") for leaf in leaves(authority))
