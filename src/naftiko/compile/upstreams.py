"""Consumed namespaces: their base URIs, their authentication, and a table of their operations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from naftiko.compile.authentication import compile_auth
from naftiko.compile.broken import reason
from naftiko.compile.kinds import SchemeSettings
from naftiko.compile.variables import Variables
from naftiko.diagnostics import Diagnostic, Path, Severity
from naftiko.document.nodes import fault_at
from naftiko.document.report import Report
from naftiko.plan import AuthPlan
from naftiko.spec.models.capability import CapabilityFile
from naftiko.spec.models.consumes import ConsumedOperation, ConsumedResource, ConsumesHttp
from naftiko.values.expressions import Expression, Template
from naftiko.values.uris import Hole, Piece, join, pieces, split_base


@dataclass(frozen=True, slots=True)
class Consumed:
    """A consumed operation, with all that surrounds it."""

    upstream: int
    adapter: ConsumesHttp
    resource: ConsumedResource
    operation: ConsumedOperation
    path: Path
    uri: str
    fault: Diagnostic | None

    @property
    def name(self) -> str:
        return f"{self.adapter.namespace}.{self.operation.name}"


@dataclass(frozen=True, slots=True)
class Base:
    """A namespace's base URI and authentication. `problem` says why it cannot be used as it is declared."""

    namespace: str
    authority: Expression
    path: tuple[Piece, ...]
    declared: str
    auth: AuthPlan | None
    adapter_path: Path
    problem: str | None
    fault: Diagnostic | None


class Catalogue:
    """All consumed operations, by namespace and name: the first of a name wins."""

    def __init__(
        self,
        model: CapabilityFile,
        variables: Variables,
        report: Report,
        schemes: Mapping[str, SchemeSettings],
    ) -> None:
        self._schemes = schemes
        self._report = report
        self._variables = variables
        self.bases: list[Base] = []
        self.adapters: list[ConsumesHttp] = []
        self.namespaces: dict[str, dict[str, Consumed]] = {}
        self.left_out: dict[str, Diagnostic] = {}
        for path, adapter in _adapters(model):
            self._add(path, adapter)

    def _add(self, path: Path, adapter: ConsumesHttp) -> None:
        if adapter.type == "mcp":
            message = "consumed MCP servers are not supported yet; what calls this one cannot be carried out"
            where = (*path, "type")
            self.left_out[adapter.namespace] = self._report.add(
                "not-supported", message, where, severity=Severity.ERROR
            )
            return
        index = len(self.bases)
        self.adapters.append(adapter)
        fault = fault_at(self._report.root, path) or self._tunnel(path, adapter)
        auth = compile_auth(
            adapter.authentication,
            (*path, "authentication"),
            self._variables,
            self._report,
            self._schemes,
            host=adapter.baseUri or "",
        )
        self.bases.append(self._base(path, adapter, auth.plan, fault or auth.fault))
        self._check_tls(path, adapter, auth.plan)
        table = self.namespaces.setdefault(adapter.namespace, {})
        for position, resource in enumerate(adapter.resources):
            resource_path = (*path, "resources", position)
            resource_fault = fault_at(self._report.root, resource_path)
            for number, operation in enumerate(resource.operations):
                operation_path = (*resource_path, "operations", number)
                uri = join(resource.path, operation.path)
                if operation.path:
                    message = f"the operation has a path of its own; it is sent to `{uri}`"
                    self._report.add("operation-path", message, (*operation_path, "path"))
                if operation.name in table:
                    message = (
                        f"`{adapter.namespace}` has an operation `{operation.name}` already; the first one is called"
                    )
                    self._report.add("duplicate-operation", message, (*operation_path, "name"))
                    continue
                table[operation.name] = Consumed(
                    upstream=index,
                    adapter=adapter,
                    resource=resource,
                    operation=operation,
                    path=operation_path,
                    uri=uri,
                    fault=fault or auth.fault or resource_fault or fault_at(self._report.root, operation_path),
                )

    def _tunnel(self, path: Path, adapter: ConsumesHttp) -> Diagnostic | None:
        """A tunnel that is declared: without it nothing may be sent, unless the file says so."""
        if adapter.tunnel is None:
            return None
        falls_back = isinstance(adapter.tunnel, Mapping) and adapter.tunnel.get("fallback") == "direct"
        if falls_back:
            message = "tunnels are not supported yet; requests go directly, which `fallback: direct` allows"
            self._report.add("not-supported", message, (*path, "tunnel"), key=True)
            return None
        message = "tunnels are not supported yet, and nothing is sent past one"
        help = "write `fallback: direct` where requests may go without it"
        return self._report.add(
            "not-supported", message, (*path, "tunnel"), key=True, help=help, severity=Severity.ERROR
        )

    def whole(self, namespace: str) -> Consumed | None:
        """A namespace as one operation without a path of its own: what every request to it has."""
        for index, adapter in enumerate(self.adapters):
            if adapter.namespace == namespace:
                path = (*self.bases[index].adapter_path, "resources", 0, "operations", 0)
                resource, operation = ConsumedResource(path=""), ConsumedOperation(name="*")
                return Consumed(index, adapter, resource, operation, path, "", self.bases[index].fault)
        return None

    def _base(self, path: Path, adapter: ConsumesHttp, auth: AuthPlan | None, fault: Diagnostic | None) -> Base:
        text = adapter.baseUri or ""
        authority, base_path = split_base(text.strip())
        problem = self._problem(text.strip(), authority, path)
        where = (*path, "baseUri")
        parts: list[str | Expression] = []
        for item in pieces(authority):
            if isinstance(item, str):
                parts.append(item)
            elif item.style == "single":
                parts.append(self._variables.server(item.name, where))
            else:
                parts.append(self._variables.operator(item.name, where))
        return Base(
            namespace=adapter.namespace,
            authority=Template(tuple(parts)),
            path=tuple(pieces(base_path.partition("?")[0].partition("#")[0])),
            declared=text,
            auth=auth,
            adapter_path=path,
            problem=reason(problem) if problem is not None else None,
            fault=fault,
        )

    def _check_tls(self, path: Path, adapter: ConsumesHttp, auth: AuthPlan | None) -> None:
        """Credentials for an upstream that is declared without TLS."""
        authority, _ = split_base((adapter.baseUri or "").strip())
        if auth is None or not authority.lower().startswith("http://") or holes(pieces(authority)):
            return
        if auth.scheme == "certificate":
            message = f"the certificate for `{adapter.namespace}` is shown over TLS only, and its base URI has none"
        elif _is_url(authority) and not _is_near(urlsplit(authority).hostname or ""):
            message = f"the credentials for `{adapter.namespace}` can be read by anybody on the way to `{authority}`"
        else:
            return
        self._report.add("without-tls", message, (*path, "baseUri"), help="write `https://`")

    def _problem(self, text: str, authority: str, path: Path) -> Diagnostic | None:
        help = "write `https://host/path`, or give one with `--base-uri`"
        if not text:
            message = "the API to consume has no base URI"
            return self._report.add("invalid-base-uri", message, (*path, "baseUri"), help=help, key=True)
        opens_with_hole = text.startswith(("{", "$"))
        if not opens_with_hole and not authority.lower().startswith(("http://", "https://")):
            message = f"`{text}` is not an HTTP base URI"
            return self._report.add("invalid-base-uri", message, (*path, "baseUri"), help=help)
        if authority.lower() in ("http://", "https://"):
            return self._report.add("invalid-base-uri", f"`{text}` names no host", (*path, "baseUri"), help=help)
        if not holes(pieces(text)) and not _is_url(text):
            message = f"`{text}` is not a URL"
            return self._report.add("invalid-base-uri", message, (*path, "baseUri"), help=help)
        if "{" in "".join(item for item in pieces(text) if isinstance(item, str)):
            message = f"`{text}` has a brace that is never closed"
            return self._report.add("invalid-base-uri", message, (*path, "baseUri"), help=help)
        if "?" in text or "#" in text:
            message = f"`{text}` has a query or fragment, which a base URI cannot have"
            return self._report.add("invalid-base-uri", message, (*path, "baseUri"), help=help)
        return None


def _is_near(host: str) -> bool:
    """Whether a host is this machine, or a name or an address of a private network."""
    try:
        address = ip_address(host)
    except ValueError:
        return "." not in host or host.endswith((".localhost", ".local", ".internal"))
    return address.is_private or address.is_loopback


def _is_url(text: str) -> bool:
    """Whether text without placeholders is an absolute URL (RFC 3986, section 4.3)."""
    try:
        parts = urlsplit(text)
        return bool(parts.hostname) and parts.port != 0 and " " not in text
    except ValueError:
        return False


def _adapters(model: CapabilityFile) -> Iterator[tuple[Path, ConsumesHttp]]:
    """The file's own consumes, then the capability's."""
    for index, adapter in enumerate(model.consumes):
        yield ("consumes", index), adapter
    for index, adapter in enumerate(model.capability.consumes if model.capability else ()):
        yield ("capability", "consumes", index), adapter


def holes(items: tuple[Piece, ...] | list[Piece]) -> list[Hole]:
    return [item for item in items if isinstance(item, Hole)]
