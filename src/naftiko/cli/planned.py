"""What a unit sends and answers, in words: its plan as it is carried out (`naftiko inspect --plan`).

Values of variables are never shown, nor what the file itself says of credentials.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from naftiko.plan import (
    FieldsBodyPlan,
    FormBodyPlan,
    FunctionPlan,
    JsonBodyPlan,
    MultipartBodyPlan,
    OutputPlan,
    ParameterPlan,
    Plan,
    RequestPlan,
    Shape,
    StepsPlan,
    TextBodyPlan,
)
from naftiko.values.expressions import (
    Environment,
    Expression,
    FirstOf,
    Input,
    ListOf,
    Literal,
    ObjectOf,
    SpelledInput,
    StepOutput,
    StepsPath,
    Template,
    Variable,
)
from naftiko.values.jsontext import encode_text

_LONGEST = 300
"""Characters of a literal that are shown."""

HIDDEN = "(a credential)"
_USER = re.compile(r"//[^/@]*@")


def masked(uri: str) -> str:
    """A URI without the credentials that may stand in it."""
    return _USER.sub(f"//{HIDDEN}@", uri)


class Planned:
    """Describes the units of a plan."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._names = {variable.key: variable.name for variable in plan.variables}

    def lines(self, function: FunctionPlan) -> list[str]:
        """What a unit does, a line each; nothing of one that cannot be carried out."""
        if function.broken is not None:
            return []
        found: list[str] = []
        if function.steps is not None:
            found += self._steps(function.steps)
        elif function.request is not None:
            found += self._request(function.request)
        else:
            found.append("sends nothing: the answer is put together here")
        return [*found, *self._answer(function)]

    def _steps(self, plan: StepsPlan) -> Iterator[str]:
        for index, step in enumerate(plan.steps):
            waits = plan.waits[index] if plan.waits else frozenset({index - 1} if index else ())
            after = ", ".join(plan.steps[other].name for other in sorted(waits))
            yield f"step {step.name} ({step.kind})" + (f", after {after}" if after else ", at once")
            for request in step.requests:
                yield from (f"  {line}" for line in self._request(request))
            if not step.requests:
                yield from (f"  reads {self.text(expression)}" for expression in step.expressions)

    def _request(self, request: RequestPlan) -> Iterator[str]:
        """A request: its line, its headers, its body."""
        hidden = [expression for expression, _ in request.secrets]
        upstream = self._plan.upstreams[request.upstream]
        if request.tool is not None:
            yield f"calls the tool {request.tool.name} of {upstream.namespace}"
        else:
            path = self._pieces((*request.base_path, *request.path)) or "/"
            query = [self._pieces(request.query_pieces)] if request.query_pieces else []
            query += [f"{item.name}={self._value(item, hidden)}" for item in request.query]
            asked = f"?{'&'.join(query)}" if query else ""
            authority = masked(self.text(upstream.authority))
            yield f"sends {request.method} {authority}{path}{asked}"
        if upstream.auth is not None:
            yield f"  {upstream.auth.scheme} authentication of {upstream.namespace}"
        for header in request.headers:
            yield f"  {header.name}: {self._value(header, hidden)}"
        for cookie in request.cookies:
            yield f"  Cookie: {cookie.name}={self._value(cookie, hidden)}"
        yield from (f"  {line}" for line in self._body(request, hidden))
        if request.raw_format != "json":
            yield f"  reads the answer as {request.raw_format}"

    def _body(self, request: RequestPlan, hidden: Sequence[Expression]) -> Iterator[str]:
        body = request.body
        if isinstance(body, FieldsBodyPlan):
            yield f"body ({body.media_type}), each where it has a value:"
            yield from (f"  {field.name}: {self._value(field, hidden)}{_typed(field.type)}" for field in body.fields)
        elif isinstance(body, MultipartBodyPlan):
            yield "body (multipart/form-data):"
            yield from (f"  {part.name}: {self._shown(part.value, hidden)}" for part in body.parts)
        elif isinstance(body, JsonBodyPlan):
            yield f"body ({body.media_type}): {self._shown(body.expression, hidden)}{_typed(body.type)}"
            if body.fields:
                yield "  where that has no value, an object of:"
                yield from (f"    {field.name}: {self._value(field, hidden)}" for field in body.fields)
        elif isinstance(body, TextBodyPlan | FormBodyPlan):
            yield f"body ({body.media_type}): {self._shown(body.expression, hidden)}"

    def _answer(self, function: FunctionPlan) -> Iterator[str]:
        steps = function.steps
        for names, expression in steps.mappings if steps is not None else ():
            yield f"answer {'.'.join(names)} = {self.text(expression)}"
        yield from self._output(function.output, is_put_together=steps is not None)

    def _output(self, output: OutputPlan, *, is_put_together: bool) -> Iterator[str]:
        if output.is_response and not (output.options and output.options[0].path is not None):
            if not is_put_together:
                yield "answers the response as it is"
            return
        if output.members:
            yield "answers an object of"
            for name, shape in output.members:
                yield from (f"  {line}" for line in self._shape(name, shape))
            return
        for number, shape in enumerate(output.options):
            yield from self._shape("answers" if not number else "where that is null,", shape)

    def _shape(self, name: str, shape: Shape) -> Iterator[str]:
        start = f" <- {shape.path.text}" if shape.path is not None and shape.path.text != "$" else ""
        if shape.literal is not None:
            yield f"{name}: {self.text(shape.literal)}"
            return
        cut = f", cut after {shape.longest} characters" if shape.longest is not None else ""
        kinds = {"object": "an object of", "list": "a list, of each item", "map": "any names, each with"}
        yield f"{name}: {kinds.get(shape.kind, shape.type or 'any')}{start}{cut}"
        for member, inner in shape.members:
            yield from (f"  {line}" for line in self._shape(member, inner))
        if shape.item is not None:
            yield from (f"  {line}" for line in self._shape("item", shape.item))

    def _value(self, parameter: ParameterPlan, hidden: Sequence[Expression]) -> str:
        return self._shown(parameter.expression, hidden)

    def _shown(self, expression: Expression, hidden: Sequence[Expression]) -> str:
        is_written = isinstance(expression, Literal) and any(expression is known for known in hidden)
        return HIDDEN if is_written else self.text(expression)

    def _pieces(self, pieces: Sequence[str | ParameterPlan]) -> str:
        return "".join(piece if isinstance(piece, str) else "{" + self.text(piece.expression) + "}" for piece in pieces)

    def text(self, expression: Expression) -> str:
        """An expression as people write it: `name`, `{{VARIABLE}}`, `$.step.field`, a literal as JSON."""
        if isinstance(expression, Literal):
            value = expression.value
            text = value if isinstance(value, str) else encode_text(value)
            return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
        if isinstance(expression, Variable):
            return "{{" + self._names.get(expression.key, expression.key) + "}}"
        if isinstance(expression, Environment):
            return "{{env." + expression.name + "}}"
        if isinstance(expression, SpelledInput):
            return expression.name
        if isinstance(expression, Input):
            return ".".join((expression.name, *expression.path))
        if isinstance(expression, StepOutput):
            return ".".join(("$", expression.step, *expression.path))
        if isinstance(expression, StepsPath):
            return expression.path.text
        if isinstance(expression, FirstOf):
            return " else ".join(self.text(option) for option in expression.options)
        return self._made(expression)

    def _made(self, expression: Expression) -> str:
        """An expression that is put together of others."""
        if isinstance(expression, Template):
            parts = (part if isinstance(part, str) else "{" + self.text(part) + "}" for part in expression.parts)
            return "".join(parts)
        if isinstance(expression, ObjectOf):
            pairs = (f"{self._key(name)}: {self.text(value)}" for name, value in expression.members)
            return "{" + ", ".join(pairs) + "}"
        if isinstance(expression, ListOf):
            return "[" + ", ".join(self.text(item) for item in expression.items) + "]"
        return type(expression).__name__

    def _key(self, name: str | Expression) -> str:
        return name if isinstance(name, str) else "{" + self.text(name) + "}"


def _typed(kind: str | None) -> str:
    return f" ({kind})" if kind is not None else ""
