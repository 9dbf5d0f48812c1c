"""All the expressions that a function consists of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from naftiko.plan import (
    BodyPlan,
    FieldsBodyPlan,
    JsonBodyPlan,
    MultipartBodyPlan,
    OutputPlan,
    ParameterPlan,
    RequestPlan,
    Shape,
    StepsPlan,
)
from naftiko.values.expressions import Expression, Variable, leaves
from naftiko.values.sharing import shared


def walk(requests: Iterable[RequestPlan], output: OutputPlan, steps: StepsPlan | None = None) -> Iterator[Expression]:
    """The leaves of every expression in requests, in what is done between them, and in the answer made of them."""
    for request in requests:
        for expression in _request(request):
            yield from leaves(expression)
    for step in steps.steps if steps is not None else ():
        for expression in step.expressions:
            yield from leaves(expression)
    for _, expression in steps.mappings if steps is not None else ():
        yield from leaves(expression)
    for _, shape in output.members:
        yield from _shape(shape)
    for shape in output.options:
        yield from _shape(shape)


def base(requests: Iterable[RequestPlan]) -> Iterator[Expression]:
    """The leaves of the expressions in the paths of declared base URIs, which other base URIs replace."""
    for request in requests:
        for item in request.base_path:
            if isinstance(item, ParameterPlan):
                yield from leaves(item.expression)


def variables_in(expressions: Iterable[Expression]) -> frozenset[str]:
    """The keys of the variables among leaves."""
    return shared(frozenset(leaf.key for leaf in expressions if isinstance(leaf, Variable)))


def _request(request: RequestPlan) -> Iterator[Expression]:
    for parts in (request.path, request.query_pieces):
        for item in parts:
            if isinstance(item, ParameterPlan):
                yield item.expression
    for parameters in (request.query, request.headers, request.cookies):
        for parameter in parameters:
            yield parameter.expression
    if request.body is not None:
        yield from _body(request.body)
    for output in request.outputs:
        if output.literal is not None:
            yield output.literal


def _body(body: BodyPlan) -> Iterator[Expression]:
    if isinstance(body, FieldsBodyPlan):
        yield from (field.expression for field in body.fields)
    elif isinstance(body, MultipartBodyPlan):
        for part in body.parts:
            yield part.value
            if part.filename is not None:
                yield part.filename
    else:
        yield body.expression
        if isinstance(body, JsonBodyPlan):
            yield from (field.expression for field in body.fields)


def _shape(shape: Shape) -> Iterator[Expression]:
    if shape.literal is not None:
        yield from leaves(shape.literal)
    for _, member in shape.members:
        yield from _shape(member)
    if shape.item is not None:
        yield from _shape(shape.item)
