"""Code of callers in the sandbox, by itself: what it may call, and for how long."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from naftiko.engine.life import Life
from naftiko.steps.scripting.coding import run_code

pytest.importorskip("pydantic_monty")


def calls(answer: Callable[[dict[str, Any]], object]) -> tuple[list[str], Callable[[str, dict[str, Any]], Any]]:
    seen: list[str] = []

    async def call(name: str, arguments: dict[str, Any]) -> Callable[[], object]:
        seen.append(name)
        return lambda: answer(arguments)

    return seen, call


async def test_a_run_calls_nothing_after_its_time() -> None:
    seen, call = calls(lambda _: 1)
    with pytest.raises(ValueError, match="nothing more is called"):
        await run_code("f()", {"f": "tool"}, call, Life(), seconds=-1)
    assert seen == []


async def test_values_in_and_out() -> None:
    seen, call = calls(lambda arguments: arguments)
    code = "result = f(a=[1, {'b': None}], c='ü')"
    assert await run_code(code, {"f": "tool"}, call, Life()) == '{"a":[1,{"b":null}],"c":"ü"}'
    assert seen == ["tool"]
