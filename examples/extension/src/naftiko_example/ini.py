"""A response format: INI, sections as objects."""

from __future__ import annotations

import configparser
import io

from naftiko.formats.base import Check, Format, text_of


def _decode(data: bytes, charset: str, check: Check) -> object:
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(text_of(data, charset))
    except configparser.Error as error:
        raise ValueError(f"not INI: {error}") from error
    check()
    return {name: dict(parser[name]) for name in parser.sections()}


def _encode(value: object) -> bytes:
    parser = configparser.ConfigParser(interpolation=None)
    if isinstance(value, dict):
        parser.read_dict(
            {str(name): item if isinstance(item, dict) else {"value": item} for name, item in value.items()}
        )
    out = io.StringIO()
    parser.write(out)
    return out.getvalue().encode()


INI = Format("ini", "text/plain, */*;q=0.5", "text/plain", _encode, _decode)
