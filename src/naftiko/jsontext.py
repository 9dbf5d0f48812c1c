"""JSON text, in and out, without loss: integers of any size and decimals keep their value, keys their order.

`decode` raises `ValueError` on anything that is not one JSON value (RFC 8259); `NaN` and `Infinity` are not.
"""

from __future__ import annotations

import msgspec

from naftiko.decimals import decimal_or_float

_decoder = msgspec.json.Decoder(float_hook=decimal_or_float)
_plain = msgspec.json.Decoder()
_encoder = msgspec.json.Encoder(decimal_format="number")


def decode(data: bytes | str) -> object:
    """A JSON text (UTF-8) as plain values: dict, list, str, int, float or Decimal, bool, None.

    Raises:
        ValueError: it is not JSON. The message says what is wrong and at which byte.
    """
    try:
        value: object = _decoder.decode(data)
    except msgspec.DecodeError as error:
        raise ValueError(str(error)) from error
    except RecursionError as error:
        raise ValueError("the JSON nests too deeply") from error
    except ArithmeticError as error:
        raise ValueError("a number in the JSON is out of any range") from error
    return value


def decode_plain(data: bytes) -> object:
    """A JSON text (UTF-8) with floats for all decimals, many times faster than `decode`.

    Raises:
        ValueError: it is not JSON, or holds a number that no float comes near.
    """
    try:
        value: object = _plain.decode(data)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError(str(error)) from error
    return value


def decode_bytes(data: bytes, charset: str = "utf-8") -> object:
    """JSON as some servers send it: after a byte order mark, or in another charset than UTF-8.

    Raises:
        ValueError: it is not JSON.
    """
    if charset not in ("utf-8", "utf8", "us-ascii", "ascii"):
        try:
            return decode(data.decode(charset))
        except LookupError:
            pass
    return decode(data.removeprefix(b"\xef\xbb\xbf"))


def encode(value: object) -> bytes:
    """Plain values as compact JSON (UTF-8)."""
    return _encoder.encode(value)


def encode_text(value: object) -> str:
    return _encoder.encode(value).decode()
