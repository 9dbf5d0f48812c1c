"""XML: elements as objects, repeated ones as lists, attributes as `@name`, mixed text as `#text`."""

from __future__ import annotations

from xml.parsers.expat import ExpatError

import xmltodict

from naftiko.formats.base import Format


def _decode(data: bytes, charset: str) -> object:
    try:
        value: object = xmltodict.parse(data, disable_entities=True)
    except (ExpatError, ValueError) as error:
        raise ValueError(f"not XML: {error}") from error
    except RecursionError as error:
        raise ValueError("the XML nests too deeply") from error
    return value


XML = Format("xml", "application/xml, text/xml;q=0.9, */*;q=0.5", _decode)
