"""A result held against the output schema that its server gave, which may be anything: within bounds of work, with no
reference that leaves the schema, and with expressions that are read in linear time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any

import msgspec
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend
from referencing import Registry

from naftiko.values.regex import searcher

_STEPS = 200_000
"""Keywords that are looked at for one result."""

_Keyword = Callable[[Any, Any, Any, Any], Iterator[ValidationError] | None]


class _Budget:
    def __init__(self, check: Callable[[], None]) -> None:
        self._check = check
        self._left = _STEPS

    def take(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise ValueError("the schema asks for too much")
        if self._left & 255 == 0:
            self._check()


_budget: ContextVar[_Budget] = ContextVar("budget")


def _bounded(keyword: _Keyword) -> _Keyword:
    def run(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
        _budget.get().take()
        yield from keyword(validator, value, instance, schema) or ()

    return run


def _pattern(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if isinstance(instance, str) and not searcher(str(value))(instance):
        yield ValidationError("it does not match")


def _unique(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if value is True and isinstance(instance, list):
        texts = {msgspec.json.encode(item, order="deterministic") for item in instance}
        if len(texts) != len(instance):
            yield ValidationError("its items are not unique")


_VALIDATOR = extend(
    Draft202012Validator,
    {
        name: _bounded(keyword)
        for name, keyword in {**Draft202012Validator.VALIDATORS, "pattern": _pattern, "uniqueItems": _unique}.items()
    },
)


class OutputSchema:
    """The schema of a tool's results. One that has `patternProperties`, or that is no schema, is not applied."""

    def __init__(self, schema: dict[str, object]) -> None:
        self._schema = None if b'"patternProperties"' in msgspec.json.encode(schema) else schema

    def misfit(self, value: object, check: Callable[[], None]) -> str | None:
        """Where a value does not fit, and why; None where it does, and where the schema cannot be applied.

        Raises:
            TimeoutError: by `check`, once time is over.
        """
        if self._schema is None:
            return None
        token = _budget.set(_Budget(check))
        try:
            error = next(_VALIDATOR(self._schema, registry=Registry()).iter_errors(value), None)
        except TimeoutError:
            raise
        except Exception:  # a schema that is none fails in any manner, and its server is to blame for it
            return None
        finally:
            _budget.reset(token)
        if error is None:
            return None
        return f"`{error.json_path[:200]}` does not fit `{str(error.validator)[:100]}` of its output schema"
