"""What a REST port serves at one moment: routes at their plain paths, and below the namespace of each adapter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from naftiko.exposers.adapter import RestAdapter
from naftiko.exposers.rest.forwarding import Forwarding, Passage, passage
from naftiko.exposers.rest.inputs import Known
from naftiko.exposers.rest.router import Leaf, Match, Router
from naftiko.plan import RoutePlan
from naftiko.values.uris import anonymous


@dataclass(slots=True, eq=False)
class Target:
    """A route of an adapter, with what is decided about it when it is called for the first time."""

    adapter: RestAdapter
    route: RoutePlan
    _known: Known | None = None

    @property
    def known(self) -> Known:
        """The names that it takes."""
        if self._known is None:
            self._known = _known(self.adapter, self.route)
        return self._known


@dataclass(frozen=True, slots=True)
class Table:
    """What is served at one moment: routes at their plain paths, and below the namespace of each adapter."""

    adapters: tuple[RestAdapter, ...]
    plain: Router[Target]
    below: Mapping[str, Router[Target]]
    owners: Mapping[str, RestAdapter]
    conflicts: tuple[str, ...]
    forwards: tuple[tuple[str, Passage], ...] = ()
    documents: dict[tuple[str, ...], bytes] = field(default_factory=dict)


def made(adapters: Sequence[RestAdapter]) -> Table:
    """The table of adapters, which `RestApp.swap` takes."""
    plain: Router[Target] = Router()
    below: dict[str, Router[Target]] = {}
    taken: dict[tuple[str, str], str] = {}
    owners: dict[str, RestAdapter] = {}
    conflicts: list[str] = []
    for adapter in adapters:
        namespace = adapter.plan.namespace
        own: Router[Target] = Router()
        if namespace in below:
            conflicts.append(f"the namespace `{namespace}` is served for another adapter already")
        for route in adapter.plan.units:
            target = Target(adapter, route)
            own.add(route.method, route.path, target)
            key = (route.method, anonymous(route.path))
            if key in taken:
                conflicts.append(
                    f"{route.method} {route.path} of `{namespace}` is at /{namespace}{route.path} only: "
                    f"`{taken[key]}` has its plain path"
                )
                continue
            taken[key] = namespace
            plain.add(route.method, route.path, target)
        below.setdefault(namespace, own)
        owners.setdefault(namespace, adapter)
    forwards = [
        (prefix, passage(adapter, plan))
        for adapter in adapters
        for plan in adapter.plan.forwards
        for prefix in (f"/{adapter.plan.namespace}{plan.prefix}", plan.prefix)
    ]
    forwards.sort(key=lambda item: -len(item[0]))
    return Table(tuple(adapters), plain, below, owners, tuple(conflicts), tuple(forwards))


def forwarding(table: Table, path: str) -> Forwarding | None:
    """What a path that no route has is forwarded to: the longest prefix that fits."""
    for prefix, over in table.forwards:
        if path.startswith(prefix) and path[len(prefix) : len(prefix) + 1] in ("", "/"):
            return Forwarding(over, path[len(prefix) :])
    return None


def _known(adapter: RestAdapter, route: RoutePlan) -> Known:
    """The names that a route takes, with those that its path and the adapter's authentication ask for."""
    query = [name for name, _ in parse_qsl(route.path.partition("?")[2], keep_blank_values=True)]
    if adapter.gate is not None:
        query += [name for place, name in adapter.gate.withheld if place == "query"]
    return Known(route.function, query)


def matched(table: Table, path: str) -> Match[Target] | None:
    """What a path leads to: below a namespace, which nothing else can take, else at the plain paths."""
    namespace, slash, rest = path[1:].partition("/")
    own = table.below.get(namespace)
    if own is not None and slash:
        match = own.match("/" + rest)
        if match is not None:
            return match
    return table.plain.match(path)


def answering(table: Table, path: str, method: str) -> tuple[RestAdapter, ...]:
    """The adapters that may answer a method at a path: those of its routes, what it is forwarded to, or all."""
    try:
        match = matched(table, path)
    except UnicodeDecodeError:
        return ()
    if match is not None:
        leaves = match.methods.get("GET" if method == "HEAD" and "HEAD" not in match.methods else method)
        every = leaves if leaves is not None else [leaf for found in match.methods.values() for leaf in found]
        return tuple({id(leaf.target.adapter): leaf.target.adapter for leaf in every}.values())
    to = forwarding(table, path)
    if to is not None:
        return (to.passage.adapter,)
    owner = table.owners.get(path[1:].partition("/")[0])
    return (owner,) if owner is not None else table.adapters


def chosen(match: Match[Target], method: str, query: Mapping[str, list[str]]) -> Leaf[Target] | None:
    """The route of a method whose conditions on the query hold."""
    for leaf in match.methods.get(method, ()):
        if not leaf.query or all(value in query.get(name, ()) for name, value in leaf.query):
            return leaf
    return None


def allowed(match: Match[Target], query: Mapping[str, list[str]]) -> str:
    methods = {method for method in match.methods if chosen(match, method, query)}
    if not methods:
        return ""
    if "GET" in methods:
        methods.add("HEAD")
    return ", ".join(sorted(methods | {"OPTIONS"}))
