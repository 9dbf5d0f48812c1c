"""An upstream's answer as the caller's: passed on as it is, or shaped."""

from __future__ import annotations

from naftiko.consumers.http.transport import Response
from naftiko.consumers.http.values import is_field_value
from naftiko.engine.answer import PASSED_ON, Answer
from naftiko.errors import UpstreamInvalid
from naftiko.plan import BinaryPlan, FunctionPlan, OutputPlan, RequestPlan
from naftiko.values.media import is_json

_LARGEST = 10 * 1024 * 1024
"""The most bytes of an answer of bytes, where nothing is declared."""


def bound_binary(answer: Answer, function: FunctionPlan, request: RequestPlan) -> None:
    """Hold an answer of bytes to what is declared of it: the operation first, then the unit and its adapter.

    Raises:
        UpstreamInvalid: it is too large.
    """
    own, around = request.binary or BinaryPlan(), function.binary or BinaryPlan()
    largest = own.largest if own.largest is not None else around.largest
    limit = _LARGEST if largest is None else largest
    if len(answer.content()) > limit:
        raise UpstreamInvalid(f"the upstream's answer exceeded maxBinarySize (limit={limit} bytes)")
    if answer.raw:
        answer.media_type = own.media_type or around.media_type or answer.media_type or "application/octet-stream"


def passes(function: FunctionPlan, request: RequestPlan, response: Response) -> bool:
    """Whether an answer's bytes pass as they are."""
    if request.raw_format != "json" or not function.output.is_response:
        return not 200 <= response.status < 300
    return is_json(response.header("content-type")) or not 200 <= response.status < 300


def passed(response: Response, seconds: float) -> Answer:
    """An upstream's answer as it is, with the headers that may travel on."""
    media_type = None
    headers: tuple[tuple[str, str], ...] = ()
    for pair in response.headers:
        name = pair[0]
        if name == "content-type":
            media_type = media_type or (pair[1] if is_field_value(pair[1]) else None)
        elif name in PASSED_ON and is_field_value(pair[1]):
            headers += (pair,)
    return Answer(
        status=response.status,
        media_type=media_type,
        headers=headers,
        raw=response.content,
        is_error=not 200 <= response.status < 300,
        upstream_seconds=seconds,
    )


def maps(output: OutputPlan) -> bool:
    """Whether outputs say where they come from; those of steps usually only name what mappings have built."""
    shapes = [*(shape for _, shape in output.members), *output.options]
    return bool(shapes) and all(shape.kind in ("object", "list", "map") or shape.path is not None for shape in shapes)


def root_contents(decoded: object) -> list[object]:
    """XML has one root element; a mapping may start inside it."""
    if isinstance(decoded, dict) and len(decoded) == 1:
        return [inner for inner in decoded.values() if isinstance(inner, dict)]
    return []
