"""An upstream's answer as the caller's: passed on as it is, or shaped."""

from __future__ import annotations

from naftiko.consumers.http.transport import Response
from naftiko.consumers.http.values import is_field_value
from naftiko.engine.answer import PASSED_ON, Answer
from naftiko.plan import FunctionPlan, OutputPlan, RequestPlan
from naftiko.values.media import is_json


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
    return bool(shapes) and all(shape.kind in ("object", "list") or shape.path is not None for shape in shapes)


def root_contents(decoded: object) -> list[object]:
    """XML has one root element; a mapping may start inside it."""
    if isinstance(decoded, dict) and len(decoded) == 1:
        return [inner for inner in decoded.values() if isinstance(inner, dict)]
    return []
