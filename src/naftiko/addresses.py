"""Which port an adapter is served at, by its file and by `--port`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from naftiko.errors import SetupError
from naftiko.opening import Settings
from naftiko.plan import AdapterPlan, Plan
from naftiko.sockets import SocketKey
from naftiko.suggestions import did_you_mean


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
        for name in (adapter.namespace, adapter.type, str(adapter.port)):
            number = self.overrides.get(name)
            if number is not None:
                return host, number, "" if number else name
        if adapter.port is None:
            raise SetupError(
                f"the adapter `{adapter.namespace}` has no port; give it one with `--port {adapter.namespace}=PORT`"
            )
        return host, adapter.port, "" if adapter.port else adapter.namespace

    def check(self, plans: Sequence[Plan], *, is_single: bool) -> None:
        """Look for options that name what is nowhere.

        Raises:
            SetupError: `--port` or `--base-uri` names something that no capability has.
        """
        adapters = {adapter.namespace: adapter for plan in plans for adapter in plan.adapters}
        known = {*adapters, *(adapter.type for adapter in adapters.values())}
        known |= {str(adapter.port) for adapter in adapters.values()}
        for name in self.overrides:
            if name not in known:
                raise SetupError(f"`--port`: no adapter is named `{name}`; {did_you_mean(name, adapters)}")
        namespaces = {upstream.namespace for plan in plans for upstream in plan.upstreams}
        for name in self.settings.base_uris:
            if name == "" and not is_single:
                raise SetupError("`--base-uri URL` fits one capability; use `NS=URL`, or `'*=URL'` for all")
            if name not in ("", "*") and name not in namespaces:
                raise SetupError(f"`--base-uri`: nothing is consumed as `{name}`; {did_you_mean(name, namespaces)}")
