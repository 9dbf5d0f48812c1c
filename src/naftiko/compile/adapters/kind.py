"""What a kind of adapter sees when it is compiled."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from naftiko.compile.authentication import compile_auth
from naftiko.compile.binary import size
from naftiko.compile.broken import Broken, reason
from naftiko.compile.units import UnitCompiler
from naftiko.diagnostics import Path, Severity
from naftiko.document.nodes import fault_at, locate
from naftiko.document.report import Report
from naftiko.plan import AdapterPlan, CorsPlan
from naftiko.spec.models.exposes import Cors, Exposes

_ORIGIN = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/?#\s]+")
_OF_MCP = ("Mcp-Protocol-Version", "Mcp-Session-Id", "Mcp-Method", "Mcp-Name", "Last-Event-Id")
_INBOUND = frozenset({"basic", "bearer", "apikey", "digest", "oauth2"})


@dataclass(frozen=True, slots=True)
class AdapterContext:
    """An adapter where it stands: its model, the place it is written at, and what compiles its units.

    `siblings` are all adapters of the capability.
    """

    adapter: Exposes
    path: Path
    units: UnitCompiler
    report: Report
    siblings: Sequence[Exposes] = ()

    def largest(self, text: str | None) -> int | None:
        """The adapter's bound for answers of bytes, where it declares one that can be read."""
        try:
            return size(text, (*self.path, "maxBinarySize"), self.report)
        except Broken:
            return None

    def common(self) -> dict[str, Any]:
        """What every adapter's plan has, as keywords of `AdapterPlan`."""
        adapter, path, report = self.adapter, self.path, self.report
        where, units = (*path, "authentication"), self.units
        auth = compile_auth(adapter.authentication, where, units.variables, report, units.kinds.schemes, inbound=True)
        fault = fault_at(report.root, path) or auth.fault
        if auth.plan is not None and auth.plan.scheme not in _INBOUND and fault is None:
            message = f"callers cannot be authenticated by `{auth.plan.scheme}` yet; the adapter is not served"
            fault = report.add("not-supported", message, (*path, "authentication", "type"), severity=Severity.ERROR)
        namespace = adapter.namespace or adapter.type
        return {
            "type": adapter.type,
            "namespace": namespace,
            "title": adapter.label or namespace,
            "description": adapter.description,
            "address": adapter.address,
            "port": adapter.port,
            "auth": auth.plan,
            "cors": self._cors(),
            "broken": reason(fault) if fault is not None else None,
            "span": locate(report.root, (*path, "namespace")),
        }

    def _cors(self) -> CorsPlan | None:
        """Which pages may call. Credentials go with origins that are named only (Fetch Standard, section 3.2.5)."""
        cors: Cors | None = getattr(self.adapter, "cors", None)
        if cors is None:
            return None
        where = (*self.path, "cors", "allowedOrigins")
        origins: list[str] = []
        for index, origin in enumerate(cors.allowedOrigins):
            if origin == "*" and cors.allowCredentials:
                message = "`*` cannot stand beside `allowCredentials`: each origin that may send them is named"
                self.report.add("invalid-value", message, (*where, index))
            elif origin != "*" and _ORIGIN.fullmatch(origin) is None:
                message = f"`{origin}` is no origin"
                self.report.add("invalid-value", message, (*where, index), help="write `https://host`, with no path")
            else:
                origins.append(origin.lower())
        return CorsPlan(
            origins=tuple(origins),
            methods=cors.allowedMethods or ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"),
            headers=cors.allowedHeaders or ("Authorization", "Content-Type", "X-Request-Id", *_OF_MCP),
            exposed=cors.exposedHeaders or ("X-Request-Id", "Mcp-Session-Id", "WWW-Authenticate"),
            credentials=cors.allowCredentials,
            seconds=cors.maxAge,
        )

    def scopes(self, given: Sequence[str] | None, path: Path) -> tuple[str, ...]:
        """The scopes that a unit needs of its caller: tokens have some, and other credentials do not."""
        if given and getattr(self.adapter.authentication, "type", None) != "oauth2":
            message = "`scopes` has no effect: the adapter's callers show no tokens of an authorization server"
            help = "authenticate them by `type: oauth2`"
            self.report.add("without-effect", message, (*path, "scopes"), key=True, help=help)
            return ()
        return tuple(given or ())


class AdapterCompiler(Protocol):
    """What compiles the adapters of one kind."""

    def compile(self, context: AdapterContext) -> AdapterPlan | None:
        """The plan of an adapter; None where there is nothing to serve."""
