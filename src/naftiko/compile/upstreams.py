"""Consumed namespaces: their base URIs, their authentication, and a table of their operations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_address
from urllib.parse import urlsplit

from naftiko.compile.authentication import CompiledAuth, compile_auth
from naftiko.compile.broken import reason
from naftiko.compile.kinds import SchemeSettings
from naftiko.compile.servers import arguments_of, call_of, compile_server, operation_of
from naftiko.compile.variables import Variables
from naftiko.diagnostics import Diagnostic, Path, Severity
from naftiko.document.nodes import fault_at
from naftiko.document.report import Report
from naftiko.plan import AuthPlan, McpServerPlan, ToolCallPlan
from naftiko.spec.models.capability import CapabilityFile
from naftiko.spec.models.consumes import ConsumedOperation, ConsumesHttp, ConsumesMcp
from naftiko.spec.models.parameters import ConsumedInput
from naftiko.values.expressions import Expression, Literal, Template
from naftiko.values.uris import Hole, Piece, join, pieces, split_base


@dataclass(frozen=True, slots=True)
class Consumed:
    """A consumed operation, with all that surrounds it. `levels` are its inputs, from the outermost to its own.

    A `tool` of an MCP server is an operation whose inputs are the fields of its body.
    """

    upstream: int
    namespace: str
    operation: ConsumedOperation
    path: Path
    uri: str
    levels: tuple[tuple[Sequence[ConsumedInput] | None, Path], ...]
    fault: Diagnostic | None
    tool: ToolCallPlan | None = None

    @property
    def name(self) -> str:
        return f"{self.namespace}.{self.operation.name}"


@dataclass(frozen=True, slots=True)
class Base:
    """A namespace's base URI, declared at `where`, and authentication. `problem` says why it cannot be used as it is.

    An MCP server's has a query, too.
    """

    namespace: str
    authority: Expression
    path: tuple[Piece, ...]
    declared: str
    auth: AuthPlan | None
    adapter_path: Path
    where: Path
    problem: str | None
    fault: Diagnostic | None
    query: tuple[Piece, ...] = ()
    server: McpServerPlan | None = None


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
        self._inputs: list[Sequence[ConsumedInput] | None] = []
        self.namespaces: dict[str, dict[str, Consumed]] = {}
        for path, adapter in _adapters(model):
            if isinstance(adapter, ConsumesMcp):
                self._add_server(path, adapter)
            else:
                self._add(path, adapter)

    def _add_server(self, path: Path, adapter: ConsumesMcp) -> None:
        """An MCP server: each tool is an operation."""
        index = len(self.bases)
        fault = fault_at(self._report.root, path)
        auth = self._auth(adapter, adapter.endpoint, path)
        server, problem = compile_server(adapter, path, self._variables, self._report)
        fault = fault or auth.fault or problem
        if server.command:
            authority = Literal("")
            self.bases.append(
                Base(adapter.namespace, authority, (), "", auth.plan, path, path, None, fault, server=server)
            )
        else:
            base = self._base(path, "endpoint", adapter, auth.plan, fault)
            self.bases.append(replace(base, server=server))
            self._check_tls((*path, "endpoint"), adapter.namespace, adapter.endpoint, auth.plan)
        self._inputs.append(None)
        table = self.namespaces.setdefault(adapter.namespace, {})
        for position, tool in enumerate(adapter.tools):
            where = (*path, "tools", position)
            found = Consumed(
                upstream=index,
                namespace=adapter.namespace,
                operation=operation_of(tool),
                path=where,
                uri="",
                levels=((arguments_of(tool), where),),
                fault=fault or fault_at(self._report.root, where),
                tool=call_of(tool),
            )
            self._enter(table, found)

    def _add(self, path: Path, adapter: ConsumesHttp) -> None:
        index = len(self.bases)
        fault = fault_at(self._report.root, path) or self._tunnel(path, adapter)
        auth = self._auth(adapter, adapter.baseUri, path)
        self.bases.append(self._base(path, "baseUri", adapter, auth.plan, fault or auth.fault))
        self._check_tls((*path, "baseUri"), adapter.namespace, adapter.baseUri, auth.plan)
        self._inputs.append(adapter.inputParameters)
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
                found = Consumed(
                    upstream=index,
                    namespace=adapter.namespace,
                    operation=operation,
                    path=operation_path,
                    uri=uri,
                    levels=(
                        (adapter.inputParameters, path),
                        (resource.inputParameters, resource_path),
                        (operation.inputParameters, operation_path),
                    ),
                    fault=fault or auth.fault or resource_fault or fault_at(self._report.root, operation_path),
                )
                self._enter(table, found)

    def _enter(self, table: dict[str, Consumed], found: Consumed) -> None:
        name = found.operation.name
        if name in table:
            what = "an operation" if found.tool is None else "a tool"
            message = f"`{found.namespace}` has {what} `{name}` already; the first one is called"
            self._report.add("duplicate-operation", message, (*found.path, "name"))
        else:
            table[name] = found

    def _auth(self, adapter: ConsumesHttp | ConsumesMcp, uri: str | None, path: Path) -> CompiledAuth:
        where = (*path, "authentication")
        return compile_auth(adapter.authentication, where, self._variables, self._report, self._schemes, host=uri or "")

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
        for index, base in enumerate(self.bases):
            if base.namespace == namespace:
                path = (*base.adapter_path, "resources", 0, "operations", 0)
                levels = ((self._inputs[index], base.adapter_path),)
                return Consumed(index, namespace, ConsumedOperation(name="*"), path, "", levels, base.fault)
        return None

    def _base(
        self,
        path: Path,
        key: str,
        adapter: ConsumesHttp | ConsumesMcp,
        auth: AuthPlan | None,
        fault: Diagnostic | None,
    ) -> Base:
        """What an adapter declares at `key`: its base URI, or the endpoint of an MCP server, which may have a query."""
        text = ((adapter.baseUri if isinstance(adapter, ConsumesHttp) else adapter.endpoint) or "").strip()
        where = (*path, key)
        uri, mark, query = text.partition("?") if key == "endpoint" else (text, "", "")
        authority, base_path = split_base(uri)
        problem = self._problem(uri, authority, where)
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
            declared=uri,
            auth=auth,
            adapter_path=path,
            where=where,
            query=tuple(pieces(query)) if mark else (),
            problem=reason(problem) if problem is not None else None,
            fault=fault,
        )

    def _check_tls(self, where: Path, namespace: str, uri: str | None, auth: AuthPlan | None) -> None:
        """Credentials for an upstream that is declared without TLS."""
        authority, _ = split_base((uri or "").strip())
        if auth is None or not authority.lower().startswith("http://") or holes(pieces(authority)):
            return
        if auth.scheme == "certificate":
            message = f"the certificate for `{namespace}` is shown over TLS only, and its base URI has none"
        elif _is_url(authority) and not _is_near(urlsplit(authority).hostname or ""):
            message = f"the credentials for `{namespace}` can be read by anybody on the way to `{authority}`"
        else:
            return
        self._report.add("without-tls", message, where, help="write `https://`")

    def _problem(self, text: str, authority: str, where: Path) -> Diagnostic | None:
        help = "write `https://host/path`, or give one with `--base-uri`"
        if not text:
            message = "the API to consume has no base URI"
            if where[-1] == "endpoint":
                message, help = "the MCP server has no `endpoint`", "add `endpoint: https://host/mcp`"
            return self._report.add("invalid-base-uri", message, where, help=help, key=True)
        opens_with_hole = text.startswith(("{", "$"))
        if not opens_with_hole and not authority.lower().startswith(("http://", "https://")):
            message = f"`{text}` is not an HTTP base URI"
            return self._report.add("invalid-base-uri", message, where, help=help)
        if authority.lower() in ("http://", "https://"):
            return self._report.add("invalid-base-uri", f"`{text}` names no host", where, help=help)
        if not holes(pieces(text)) and not _is_url(text):
            message = f"`{text}` is not a URL"
            return self._report.add("invalid-base-uri", message, where, help=help)
        if "{" in "".join(item for item in pieces(text) if isinstance(item, str)):
            message = f"`{text}` has a brace that is never closed"
            return self._report.add("invalid-base-uri", message, where, help=help)
        if "?" in text or "#" in text:
            message = f"`{text}` has a query or fragment, which a base URI cannot have"
            return self._report.add("invalid-base-uri", message, where, help=help)
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


def _adapters(model: CapabilityFile) -> Iterator[tuple[Path, ConsumesHttp | ConsumesMcp]]:
    """The file's own consumes, then the capability's."""
    for index, adapter in enumerate(model.consumes):
        yield ("consumes", index), adapter
    for index, adapter in enumerate(model.capability.consumes if model.capability else ()):
        yield ("capability", "consumes", index), adapter


def holes(items: tuple[Piece, ...] | list[Piece]) -> list[Hole]:
    return [item for item in items if isinstance(item, Hole)]
