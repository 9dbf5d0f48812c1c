"""Cases carried out: each in a capability opened for itself, with nothing of a network."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from naftiko.authoring.testing.bases import stand_ins
from naftiko.authoring.testing.canned import Canned
from naftiko.authoring.testing.cases import ABSENT, Case, Cases, placeholder, placeholders
from naftiko.authoring.testing.comparing import differences, normal, shown
from naftiko.bindings.resolve import Sources
from naftiko.document.source import read_source
from naftiko.engine.answer import Answer
from naftiko.engine.arguments import Arguments
from naftiko.engine.lookup import find_with_inputs
from naftiko.errors import CallError, NaftikoError, SetupError
from naftiko.plan import Plan
from naftiko.runtime.loading import compiled
from naftiko.runtime.opening import opened
from naftiko.runtime.settings import Settings
from naftiko.values.jsontext import decode
from naftiko.values.media import is_json


@dataclass(frozen=True, slots=True)
class Result:
    """How a case went: `problems` are lines of its file, each with what was not as expected."""

    case: Case
    seconds: float
    problems: list[tuple[int, str]] = field(default_factory=list)


def plan_of(cases: Cases) -> Plan:
    """The capability that cases are of.

    Raises:
        SourceError: it cannot be read.
        SetupError: it is none.
    """
    found = compiled(read_source(cases.capability))
    if found.plan is None:
        raise SetupError(f"{cases.capability} is not a capability that can be run; `naftiko validate` says why")
    return found.plan


async def run(plan: Plan, cases: Cases, case: Case) -> Result:
    """Carry out a case."""
    began = time.perf_counter()
    canned = Canned(plan, case.upstream)
    settings = Settings(layers=(canned.layer,), allow_missing=True)
    values = {variable.name: placeholder(variable.name) for variable in plan.variables}
    settings = replace(settings, base_uris=_bases(plan, cases))
    problems: list[tuple[int, str]] = []
    try:
        async with opened(plan, _sources(plan, {**values, **cases.variables}), settings) as built:
            function, in_name = find_with_inputs(built.plan, case.call)
            bound = Arguments(function).bind({**in_name, **_inputs(case)})
            answer = await built.engine.call(function, bound)
            problems = [(case.line, text) for text in _answer(case, answer)]
    except CallError as failure:
        problems = [(case.line, text) for text in _failure(case, failure)]
    except NaftikoError as error:
        problems = [(case.line, str(error))]
    problems += [*canned.problems, *canned.unsent()]
    return Result(case, time.perf_counter() - began, sorted(dict.fromkeys(problems)))


def _bases(plan: Plan, cases: Cases) -> dict[str, str]:
    given = {v.key: cases.variables[v.name] for v in plan.variables if v.name in cases.variables}
    return stand_ins(plan, {**placeholders(plan), **given})


def _sources(plan: Plan, values: Mapping[str, str]) -> Sources:
    """Variables of the cases only: what is in the environment is nobody's here."""
    return Sources(environment=values, settings=values)


def _inputs(case: Case) -> dict[str, object]:
    values = normal(case.inputs)
    return values if isinstance(values, dict) else {}


def _answer(case: Case, answer: Answer) -> list[str]:
    found: list[str] = []
    if case.error is not None:
        return [f"answer: an error with {shown(case.error)} is expected, and the call went well ({answer.status})"]
    status = 200 if case.status is ABSENT and not answer.is_error else case.status
    if status is ABSENT:
        found.append(f"answer.status: the upstream's error {answer.status} came, and the case says nothing of it")
    elif case.status is not ABSENT and case.status != answer.status:
        found.append(f"answer.status: {case.status} is expected, and {answer.status} came")
    if case.body is not ABSENT:
        found += differences(normal(case.body), _value(answer), "answer.body")
    if case.includes is not ABSENT:
        found += differences(normal(case.includes), _value(answer), "answer", is_part=True)
    return found


def _value(answer: Answer) -> object:
    content = answer.content()
    if not content or not is_json(answer.media_type):
        return content.decode("utf-8", "replace") if content else None
    try:
        return decode(content)
    except ValueError:
        return content.decode("utf-8", "replace")


def _failure(case: Case, failure: CallError) -> list[str]:
    has_body = case.body is not ABSENT or case.includes is not ABSENT
    if case.error is None and (case.status != failure.status or has_body):
        return [f"the call failed: {failure.detail} ({failure.status})"]
    if case.error is not None and case.error not in failure.detail:
        return [f"answer.error: {shown(case.error)} is expected, and the call says {shown(failure.detail)}"]
    if case.status not in (ABSENT, failure.status):
        return [f"answer.status: {case.status} is expected, and {failure.status} came"]
    return []
