"""The body of a request, as a route takes it."""

from __future__ import annotations

from collections.abc import Mapping

from naftiko.errors import InputError, UnsupportedMedia
from naftiko.exposers.rest.table import Target
from naftiko.formats.base import text_of
from naftiko.values.jsontext import decode
from naftiko.values.media import charset_of, is_json


def decoded(data: bytes, headers: Mapping[str, str], target: Target) -> object:
    """The parsed body.

    Raises:
        UnsupportedMedia: it is not JSON, by its content type: a page in a browser can send any other without asking.
        InputError: it is not JSON, by its content.
    """
    media_type = headers.get("content-type")
    if media_type is None or not is_json(media_type):
        inputs = target.route.function.inputs
        whole = next((plan for plan in inputs if ("whole", plan.name) in plan.places), None)
        if whole is not None and whole.type == "string" and (media_type or "").lower().startswith("text/"):
            try:
                return text_of(data, charset_of(media_type))
            except ValueError as error:
                raise InputError("the body is not text in the charset it names", name="body") from error
        essence = f"`{media_type.partition(';')[0].strip()[:80]}`" if media_type else "of no stated type"
        raise UnsupportedMedia(f"the body is {essence}; send JSON, with `Content-Type: application/json`")
    try:
        return decode(data)
    except ValueError as error:
        raise InputError(f"the body is not valid JSON: {error}", name="body") from error
