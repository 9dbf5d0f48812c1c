"""What is declared of answers of bytes: sizes, and media types."""

from __future__ import annotations

from naftiko.compile.broken import Broken
from naftiko.diagnostics import Path
from naftiko.document.report import Report
from naftiko.plan import BinaryPlan
from naftiko.spec.models.exposes import ExposedOperation
from naftiko.spec.models.operations import Unit
from naftiko.values.sizes import parse_size


def size(text: str | None, path: Path, report: Report) -> int | None:
    """The bytes that a size means.

    Raises:
        Broken: it is no size.
    """
    if text is None:
        return None
    try:
        return parse_size(text)
    except ValueError as error:
        raise Broken(report.add("invalid-value", f"`{text}` is not a size: {error}", path)) from error


def binary_of(unit: Unit, flow: Unit | None, largest: int | None) -> BinaryPlan | None:
    """What a unit, the flow it refers to and its adapter declare; what the called operation says comes first."""
    media_type = getattr(flow, "outputMediaType", None) or _declared(unit)
    return BinaryPlan(media_type, largest) if media_type is not None or largest is not None else None


def _declared(unit: Unit) -> str | None:
    """The media type that a REST operation declares for an answer of bytes."""
    if not isinstance(unit, ExposedOperation):
        return None
    if unit.responseBinary is not None:
        return unit.responseBinary.mediaType
    for response in (unit.responses or {}).values():
        for media_type, content in (response.content or {}).items():
            if content.binary:
                return media_type
    return None
