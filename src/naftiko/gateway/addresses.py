"""Which port an adapter is served at, by its file and by `--port`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from naftiko.diagnostics.suggestions import did_you_mean
from naftiko.errors import SetupError
from naftiko.net.sockets import SocketKey
from naftiko.plan import AdapterPlan, Plan
from naftiko.runtime.settings import Settings

ONLY = ""
"""The name of a port that is given without one."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """The addresses of adapters. `overrides` are the numbers of `--port` by namespace, type or declared port."""

    settings: Settings
    overrides: Mapping[str, int]

    def key(self, adapter: AdapterPlan) -> SocketKey:
        """The port of an adapter: as `--port` says for its namespace, its type or its declared port, else declared.

        Raises:
            SetupError: it has none.
        """
        host = self.settings.address(adapter)
        for name in (adapter.namespace, adapter.type, str(adapter.port), ONLY):
            number = self.overrides.get(name)
            if number is not None:
                return host, number, "" if number else name or "the only port"
        if adapter.port is None:
            raise SetupError(
                f"the adapter `{adapter.namespace}` has no port; give it one with `--port {adapter.namespace}=PORT`"
            )
        return host, adapter.port, "" if adapter.port else adapter.namespace

    def check(self, plans: Sequence[Plan], *, is_single: bool, is_watched: bool = False) -> None:
        """Look for options that name what is nowhere. Of a folder that is watched a port may come later.

        Raises:
            SetupError: `--port` or `--base-uri` names something that no capability has.
        """
        adapters = {adapter.namespace: adapter for plan in plans for adapter in plan.adapters}
        known = {*adapters, *(adapter.type for adapter in adapters.values())}
        known |= {str(adapter.port) for adapter in adapters.values()}
        for name in self.overrides:
            if name == ONLY:
                self._check_only(list(adapters.values()))
            elif name not in known and not (is_watched and (name.isdigit() or name in ("rest", "mcp"))):
                raise SetupError(f"`--port`: no adapter is named `{name}`; {did_you_mean(name, adapters)}")
        self._check_base_uris(plans, is_single=is_single)

    def _check_only(self, adapters: Sequence[AdapterPlan]) -> None:
        """A port without a name is clear where there is one port."""
        ports = {adapter.port for adapter in adapters}
        if len(ports) > 1:
            listed = ", ".join(f"{adapter.namespace} ({adapter.port})" for adapter in adapters[:6])
            raise SetupError(
                f"`--port PORT` is clear for one port only, and there are {len(ports)}: {listed}; write NS=PORT, "
                "where NS is a namespace, `rest`, `mcp` or a declared port"
            )

    def _check_base_uris(self, plans: Sequence[Plan], *, is_single: bool) -> None:
        namespaces = {upstream.namespace for plan in plans for upstream in plan.upstreams}
        for name in self.settings.base_uris:
            if name == "" and not is_single:
                raise SetupError("`--base-uri URL` fits one capability; use `NS=URL`, or `'*=URL'` for all")
            if name not in ("", "*") and name not in namespaces:
                raise SetupError(f"`--base-uri`: nothing is consumed as `{name}`; {did_you_mean(name, namespaces)}")
