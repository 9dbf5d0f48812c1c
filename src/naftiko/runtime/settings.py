"""How a capability is opened."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from naftiko.consumers.http.limits import Limits
from naftiko.consumers.http.pools import DEFAULT
from naftiko.document.source import Remote
from naftiko.engine.orchestration import StepRunner
from naftiko.engine.upstream import Layer
from naftiko.exposers.mcp.offering import EVERY_TOOL, Offer
from naftiko.extensions import Extensions, installed
from naftiko.net.clients import ClientLimits
from naftiko.net.tls import Tls
from naftiko.plan import AdapterPlan, Plan


@dataclass(frozen=True, slots=True)
class Settings:
    """How a capability is opened.

    `base_uris` replaces base URIs by consumed namespace; `*` means every one, with `{namespace}` standing for its
    name, and the empty name means the only one. `host` replaces the adapters' addresses. `transport` is what carries
    requests, one of `naftiko.consumers.http.pools.POOLS`. `redact` takes credentials that an upstream shows out of its
    answers. `allowed_hosts` are names that are answered to on a loopback address, beside those of this machine.
    `pass_bodies` lets JSON bodies through to operations that declare none, `strict_query` refuses query parameters that
    nobody knows. `clients` are the bounds of callers' connections. `extensions` is what a capability may
    name. `layers` stand around each exchange with an upstream, the first outermost; `around_steps` around what carries
    steps out. `shows_docs` puts a viewer at `/docs` of REST ports; `tls` secures every port. `allow_commands` lets
    files start the MCP servers that they name by a command, `remote` gives them what they import from other machines.
    `refresh_secrets` are the seconds after which variables are read from their sources again, each time. `offer` is how
    an MCP endpoint of many tools offers them; `uses_mcp_sdk` leaves every MCP message to the SDK.
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
    extensions: Extensions = field(default_factory=installed)
    layers: tuple[Layer, ...] = ()
    allow_commands: bool = False
    remote: Remote | None = None
    refresh_secrets: float | None = None
    shows_docs: bool = True
    tls: Tls | None = None
    offer: Offer = EVERY_TOOL
    uses_mcp_sdk: bool = False
    around_steps: Callable[[Mapping[str, StepRunner]], Mapping[str, StepRunner]] | None = None

    def with_base_uris(self, base_uris: Mapping[str, str]) -> Settings:
        """The same settings with other base URIs."""
        return replace(self, base_uris=base_uris)

    def meant_for(self, plan: Plan) -> Settings:
        """The same settings with those base URIs only that mean a namespace of a capability, one of several."""
        namespaces = {upstream.namespace for upstream in plan.upstreams}
        meant = {name: uri for name, uri in self.base_uris.items() if name == "*" or name in namespaces}
        return self.with_base_uris(meant)

    def address(self, adapter: AdapterPlan) -> str:
        """The address an adapter listens on."""
        host = self.host or adapter.address or "127.0.0.1"
        return "127.0.0.1" if host == "localhost" else host
