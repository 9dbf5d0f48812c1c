"""A kind of adapter: one operation, answered as text to every GET."""

from __future__ import annotations

from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from naftiko.adapters.kind import AdapterKind
from naftiko.compile.adapters.kind import AdapterContext
from naftiko.errors import CallError
from naftiko.exposers.adapter import AnyAdapter
from naftiko.exposers.control import Surroundings
from naftiko.plan import AdapterPlan, UnitPlan
from naftiko.spec.models.operations import Unit


class _App:
    def __init__(self, adapter: AnyAdapter) -> None:
        self._adapter = adapter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await (await self._answer())(scope, receive, send)

    async def _answer(self) -> Response:
        function = self._adapter.plan.units[0].function
        try:
            with self._adapter.engine:
                answer = await self._adapter.engine.call(function, {})
        except CallError as error:
            return PlainTextResponse(error.detail, error.status)
        return PlainTextResponse(str(answer.value()), answer.status)


class _Text(AdapterKind):
    name = "text"

    def compile(self, context: AdapterContext) -> AdapterPlan:
        common = context.common()
        given = context.adapter.model_extra or {}
        unit = Unit(call=given.get("call"))
        function = context.units.compile(unit, context.path, common["namespace"], name="text")
        return AdapterPlan(**common, units=(UnitPlan(name="text", function=function),))

    def application(self, adapter: AnyAdapter, around: Surroundings) -> ASGIApp:
        return _App(adapter)


TEXT = _Text()
