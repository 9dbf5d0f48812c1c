"""A plan and its variables to an engine: base URIs, connections, credentials, stand-ins for the sandbox."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from urllib.parse import quote, unquote, urlsplit

import httpx

from naftiko.bindings.resolve import Resolved, Sources, resolve
from naftiko.compile.variables import environment_name
from naftiko.compile.walk import base, walk
from naftiko.consumers.http.authentication import schemes
from naftiko.consumers.http.certificates import client_identity
from naftiko.consumers.http.limits import Limits
from naftiko.consumers.http.pools import DEFAULT, load_pool
from naftiko.consumers.http.transport import HttpTransport
from naftiko.diagnostics.suggestions import did_you_mean
from naftiko.engine.engine import Engine, OpenUpstream
from naftiko.errors import MissingVariables, SetupError
from naftiko.net.connections import ClientLimits
from naftiko.net.serving import serving
from naftiko.net.sockets import bind
from naftiko.plan import AdapterPlan, AuthPlan, FunctionPlan, InputPlan, JsonBodyPlan, ParameterPlan, Plan, Upstream
from naftiko.runtime.sandbox.credentials import placeholders
from naftiko.runtime.sandbox.upstream import SandboxUpstream
from naftiko.values.expressions import Expression, Input, Literal, Scope, Variable, as_text, leaves
from naftiko.values.missing import MISSING
from naftiko.values.uris import pieces


@dataclass(frozen=True, slots=True)
class Settings:
    """How a capability is opened.

    `base_uris` replaces base URIs by consumed namespace; `*` means every one, with `{namespace}` standing for its
    name, and the empty name means the only one. `host` replaces the adapters' addresses. `transport` is what carries
    requests, one of `naftiko.consumers.http.pools.POOLS`. `redact` takes credentials that an upstream shows out of its
    answers. `allowed_hosts` are names that are answered to on a loopback address, beside those of this machine.
    `pass_bodies` lets JSON bodies through to operations that declare none, `strict_query` refuses query parameters that
    nobody knows. `clients` are the bounds of callers' connections.
    """

    base_uris: Mapping[str, str] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    host: str | None = None
    allow_missing: bool = False
    sandbox: bool = False
    transport: str = DEFAULT
    redact: bool = True
    allowed_hosts: tuple[str, ...] = ()
    pass_bodies: bool = False
    strict_query: bool = False
    clients: ClientLimits = field(default_factory=ClientLimits)

    def with_base_uris(self, base_uris: Mapping[str, str]) -> Settings:
        """The same settings with other base URIs."""
        return replace(self, base_uris=base_uris)

    def address(self, adapter: AdapterPlan) -> str:
        """The address an adapter listens on."""
        host = self.host or adapter.address or "127.0.0.1"
        return "127.0.0.1" if host == "localhost" else host


@dataclass(frozen=True, slots=True)
class Opened:
    """A plan that can be carried out. `resolved` tells which variables have values, `origins` where requests go."""

    plan: Plan
    engine: Engine
    settings: Settings
    resolved: Resolved
    origins: Mapping[str, str]


@asynccontextmanager
async def opened(
    plan: Plan, sources: Sources, settings: Settings | None = None, client: httpx.AsyncClient | None = None
) -> AsyncIterator[Opened]:
    """Open a plan for as long as the context lasts.

    `client` replaces the connections to upstreams: the seam for tests, with `httpx.MockTransport`.

    Raises:
        MissingVariables: variables have no value, and `settings` does not allow that.
        SetupError: a base URI or a source of variables is not usable.
    """
    settings = settings or Settings()
    if settings.transport != DEFAULT:
        load_pool(settings.transport)
    if settings.pass_bodies:
        plan = with_bodies(plan)
    async with AsyncExitStack() as stack:
        if settings.sandbox:
            resolved = Resolved(placeholders(plan), {}, ())
            overrides = await _sandboxes(plan, resolved, stack)
            environment: Mapping[str, str] = {}
        else:
            overrides = base_overrides(plan, settings.base_uris, sources)
            plan = without_base_inputs(plan, overrides)
            resolved = resolve(plan, sources, needed_variables(plan, overrides))
            if resolved.missing and not settings.allow_missing:
                raise MissingVariables(resolved.diagnostics)
            environment = sources.merged()
        upstreams = [
            _open(upstream, overrides.get(index), resolved, settings, client)
            for index, upstream in enumerate(plan.upstreams)
        ]
        engine = Engine(
            upstreams,
            resolved.values,
            resolved.missing,
            environment,
            total=settings.limits.total,
            redacts=settings.redact,
        )
        stack.push_async_callback(engine.close)
        origins = {
            upstream.namespace: entry.transport.shown if entry.transport else ""
            for upstream, entry in zip(plan.upstreams, upstreams, strict=True)
        }
        yield Opened(plan, engine, settings, resolved, origins)


def with_bodies(plan: Plan) -> Plan:
    """The plan with a body for each POST, PUT and PATCH that declares none: the caller's, where it is JSON."""
    return replace(plan, adapters=tuple(_with_functions(adapter, _with_body) for adapter in plan.adapters))


def _with_body(function: FunctionPlan) -> FunctionPlan:
    request = function.request
    if request is None or request.method not in ("POST", "PUT", "PATCH") or request.body is not None:
        return function
    if any(item.name == "body" for item in function.inputs):
        return function
    body = InputPlan(
        "body",
        description="Sent as it is: the operation declares no body.",
        schema={"type": "object"},
        places=(("whole", "body"),),
        goes_to=("body",),
    )
    return replace(
        function, inputs=(*function.inputs, body), request=replace(request, body=JsonBodyPlan(Input("body")))
    )


# Base URIs


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
            found[index] = _split(filled, "`--base-uri`")
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


def without_base_inputs(plan: Plan, overrides: Mapping[int, Override]) -> Plan:
    """The plan without the inputs that only fill the declared paths of base URIs which other ones replace."""
    replaced = {index for index, override in overrides.items() if override.path is not None}
    if not any(isinstance(piece, ParameterPlan) for function in _functions(plan) for piece in _base_pieces(function)):
        return plan

    def changed(function: FunctionPlan) -> FunctionPlan:
        requests = function.requests
        if not requests or not {request.upstream for request in requests} <= replaced:
            return function
        in_base = {leaf.name for leaf in base(requests) if isinstance(leaf, Input)}
        leaves_of = walk(requests, function.output, function.steps)
        gone = in_base - {leaf.name for leaf in leaves_of if isinstance(leaf, Input)}
        inputs = tuple(
            replace(item, required=False, is_hidden=True) if item.name in gone else item for item in function.inputs
        )
        return replace(function, inputs=inputs)

    return replace(plan, adapters=tuple(_with_functions(adapter, changed) for adapter in plan.adapters))


def _functions(plan: Plan) -> list[FunctionPlan]:
    return [function for adapter in plan.adapters for function in adapter.functions]


def _base_pieces(function: FunctionPlan) -> list[str | ParameterPlan]:
    return [piece for request in function.requests for piece in request.base_path]


def _with_functions(adapter: AdapterPlan, change: Callable[[FunctionPlan], FunctionPlan]) -> AdapterPlan:
    return replace(
        adapter,
        routes=tuple(replace(route, function=change(route.function)) for route in adapter.routes),
        tools=tuple(replace(tool, function=change(tool.function)) for tool in adapter.tools),
    )


_PATH_SAFE = "/:@!$&'()*+,;=~%"
"""What a path keeps (RFC 3986, section 3.3), and what is encoded already."""


def _split(uri: str, what: str) -> Override:
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


def _open(
    upstream: Upstream,
    override: Override | None,
    resolved: Resolved,
    settings: Settings,
    client: httpx.AsyncClient | None,
) -> OpenUpstream:
    keys = _upstream_keys(upstream, override is not None)
    base_of = override
    problem = None
    shown = override.origin if override is not None else ""
    if base_of is None:
        base_of, problem = _declared_base(upstream, resolved)
        if base_of is not None:
            shown = upstream.declared if _is_secret(upstream.authority) else base_of.origin
    if base_of is None:
        return OpenUpstream(None, None, None, problem, keys)
    auth = upstream.auth
    if auth is None and base_of.userinfo is not None:
        user, _, password = base_of.userinfo.partition(":")
        auth = AuthPlan("basic", {"username": Literal(unquote(user)), "password": Literal(unquote(password))})
    scheme = schemes().get(auth.scheme)(auth) if auth is not None else None
    identity = None
    if auth is not None and auth.scheme == "certificate" and not settings.sandbox:
        identity = client_identity(auth, Scope(resolved.values, {}, {}, {}))
    origin = base_of.origin if override is not None else base_of.origin + (base_of.path or "")
    transport = HttpTransport(origin, shown, settings.limits, client, settings.transport, identity)
    return OpenUpstream(transport, scheme, override.path if override is not None else None, None, keys)


def _declared_base(upstream: Upstream, resolved: Resolved) -> tuple[Override | None, str | None]:
    """The declared base URI with its variables, or why it cannot be used. What variables hold is not shown."""
    if upstream.problem is not None:
        return None, upstream.problem
    value = upstream.authority.resolve(Scope(resolved.values, {}, {}, {}))
    if value is MISSING:
        return None, f"the base URI `{upstream.declared}` has no value"
    try:
        return _split(as_text(value), "the base URI"), None
    except SetupError:
        return None, f"the base URI `{upstream.declared}` is not an HTTP URL once its variables are filled in"


def _is_secret(authority: Expression) -> bool:
    """Whether a base URI has a binding in it, which may be a secret; server variables are none."""
    return any(isinstance(leaf, Variable) and not leaf.key.startswith("server.") for leaf in leaves(authority))


# Variables


def needed_variables(plan: Plan, overrides: Mapping[int, Override]) -> frozenset[str]:
    """The keys of the variables that some call, or some adapter, cannot do without."""
    keys: set[str] = set()
    called: set[int] = set()
    for adapter in plan.adapters:
        if adapter.auth is not None:
            keys |= _keys(adapter.auth.settings.values())
        for function in adapter.functions:
            keys |= function.variables
            upstreams = {request.upstream for request in function.requests}
            called |= upstreams
            if not upstreams <= overrides.keys():
                keys |= function.base_variables
    for index in called:
        keys |= _upstream_keys(plan.upstreams[index], index in overrides)
    return frozenset(keys)


def _upstream_keys(upstream: Upstream, is_replaced: bool) -> frozenset[str]:
    """The variables in an upstream's credentials, and in its base URI unless another one is used."""
    expressions = list(upstream.auth.settings.values()) if upstream.auth is not None else []
    if not is_replaced:
        expressions.append(upstream.authority)
    return _keys(expressions)


def _keys(expressions: Iterable[Expression]) -> frozenset[str]:
    return frozenset(leaf.key for item in expressions for leaf in leaves(item) if isinstance(leaf, Variable))


# The sandbox


async def _sandboxes(plan: Plan, resolved: Resolved, stack: AsyncExitStack) -> dict[int, Override]:
    """Start a stand-in for every upstream, on a free loopback port."""
    pairs = []
    found: dict[int, Override] = {}
    for index in range(len(plan.upstreams)):
        listener = bind("127.0.0.1", 0, "the sandbox", "")
        pairs.append((SandboxUpstream(plan, index, resolved.values), listener))
        found[index] = Override(f"http://127.0.0.1:{listener.getsockname()[1]}", None)
    await stack.enter_async_context(serving(pairs, grace=1))
    return found
