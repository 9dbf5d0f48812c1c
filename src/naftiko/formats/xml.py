"""XML: elements as objects, repeated ones as lists, attributes as `@name`, mixed text as `#text`."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any
from xml.parsers import expat

import xmltodict

from naftiko.formats.base import Check, Format

_PIECE = 64 * 1024
_LONGEST = 1024 * 1024
"""The most bytes of one tag or comment: the parser reads it anew with each piece that comes, and holds all threads."""


def _refuse(*declared: Any) -> None:
    raise ValueError("it declares attributes, which are not read")


def _decode(data: bytes, charset: str, check: Check) -> object:
    parsers: list[Any] = []

    def pieces() -> Generator[bytes, None, None]:
        for start in range(0, len(data), _PIECE):
            check()
            if parsers and start - parsers[0].CurrentByteIndex > _LONGEST:
                raise ValueError(f"a tag is longer than {_LONGEST // 1024} KiB")
            yield data[start : start + _PIECE]

    class Expat:
        """The parser module, as xmltodict asks for it: remembers the parser that is made."""

        @staticmethod
        def ParserCreate(*arguments: Any) -> Any:  # noqa: N802 - the name of the standard library
            parsers.append(expat.ParserCreate(*arguments))
            parsers[0].AttlistDeclHandler = _refuse  # each would be added to every element of its name
            return parsers[0]

    try:
        value: object = xmltodict.parse(pieces(), expat=Expat, disable_entities=True)
    except (expat.ExpatError, ValueError) as error:
        raise ValueError(f"not XML: {error}") from error
    except RecursionError as error:
        raise ValueError("the XML nests too deeply") from error
    return value


def _encode(value: object) -> bytes:
    children = {"row": value} if isinstance(value, list) else value
    text: str = xmltodict.unparse({"response": children})
    return text.encode()


XML = Format("xml", "application/xml, text/xml;q=0.9, */*;q=0.5", "application/xml", _encode, _decode, has_root=True)
