"""`rest`: operations at paths, with an OpenAPI document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from naftiko.adapters.kind import AdapterKind
from naftiko.compile.adapters.kind import AdapterContext
from naftiko.compile.adapters.rest import compile_rest
from naftiko.plan import RestPlan

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from naftiko.exposers.adapter import AnyAdapter
    from naftiko.exposers.control import Surroundings


class _Rest(AdapterKind):
    name = "rest"

    def compile(self, context: AdapterContext) -> RestPlan:
        return compile_rest(context)

    def application(self, adapter: AnyAdapter, around: Surroundings) -> ASGIApp:
        from naftiko.exposers.adapter import rest_of
        from naftiko.exposers.rest.app import RestApp

        return RestApp(rest_of([adapter]), observer=adapter.observer)


REST = _Rest()
