"""Apache Avro 1.11: object container files, single-object encoding, and bare records with an `outputSchema`.

The container is read here, block by block, so that no block can grow without bound; records are read by fastavro.
"""

from __future__ import annotations

import base64
import importlib
import io
import json
import zlib
from collections.abc import Mapping
from datetime import date, datetime, time
from pathlib import Path
from typing import Any
from uuid import UUID

from naftiko.document.locations import local_file
from naftiko.document.source import MAX_BYTES, read_regular
from naftiko.formats.base import Check, Decode, Format, Schema
from naftiko.values.jsontext import decode as decode_json
from naftiko.values.jsontext import encode

_MAGIC, _SINGLE = b"Obj\x01", b"\xc3\x01"
_LARGEST = 64 * 1024 * 1024
"""The most bytes of all blocks of a container together, decompressed."""

_GROWTH = 100
"""How many times its own size an answer may have, decompressed; a small one has a mebibyte."""

_MOST = 1_000_000
"""The most records of a container."""

_DEEPEST, _WIDEST = 100, 10_000
_PRIMITIVE = frozenset({"null", "boolean", "int", "long", "float", "double", "bytes", "string"})


def _prepared(schema: Schema | None) -> Decode:
    fastavro = importlib.import_module("fastavro")
    own, mark = None, b""
    if schema is not None:
        file = local_file(schema.location, Path(schema.directory))
        if file is None:
            raise ValueError(f"`{schema.location}` is not a file")
        own = _parsed(fastavro, decode_json(read_regular(file, MAX_BYTES).decode()))
        canonical = fastavro.schema.to_parsing_canonical_form(own)
        mark = bytes.fromhex(fastavro.schema.fingerprint(canonical, "CRC-64-AVRO"))

    def decode(data: bytes, charset: str, check: Check) -> object:
        try:
            if data.startswith(_MAGIC):
                return _container(fastavro, data, check)
            if own is None:
                raise ValueError("it is no Avro container file, and the operation has no `outputSchema`")
            if data.startswith(_SINGLE):
                if data[2:10] != mark:
                    raise ValueError("the record is of another schema than `outputSchema`, by its fingerprint")
                data = data[10:]
            stream = io.BytesIO(data)
            value = _read(fastavro, stream, own)
            if stream.read(1):
                raise ValueError("there are bytes after the record")
            return value
        except (EOFError, IndexError, KeyError, TypeError, OverflowError, RecursionError, MemoryError) as error:
            raise ValueError(f"not Avro: {type(error).__name__}") from error

    return decode


def _parsed(fastavro: Any, schema: object) -> object:
    """A schema that can be read with, bounded: it may be an upstream's own.

    Raises:
        ValueError: it is no schema, or one with which few bytes mean much.
    """
    try:
        parsed = fastavro.parse_schema(schema)
    except Exception as error:  # of several kinds, and KeyError and TypeError among them
        raise ValueError(f"not an Avro schema: {error}") from error
    _check_schema(parsed, {}, 0)
    return parsed


def _check_schema(schema: object, named: dict[str, tuple[bool, int]], depth: int) -> tuple[bool, int]:
    """Whether a type takes no bytes, and how many values one of it has at most, lists aside.

    Raises:
        ValueError: it contains itself, has a list of items that take no bytes, or means too much.
    """
    if depth > _DEEPEST:
        raise ValueError("the Avro schema nests too deeply")
    if isinstance(schema, str):
        if schema not in _PRIMITIVE and schema not in named:
            raise ValueError(f"the Avro type `{schema[:80]}` contains itself, which is not read")
        return named.get(schema, (schema == "null", 1))
    if isinstance(schema, list):
        return False, max((_check_schema(option, named, depth + 1)[1] for option in schema), default=1)
    if not isinstance(schema, Mapping):
        raise ValueError("not an Avro schema")
    kind = schema.get("type")
    is_empty, size = False, 1
    if kind in ("record", "error"):
        fields = [_check_schema(field["type"], named, depth + 1) for field in schema.get("fields", ())]
        is_empty, size = all(empty for empty, _ in fields), 1 + sum(number for _, number in fields)
    elif kind == "array":
        is_nothing, size = _check_schema(schema.get("items"), named, depth + 1)
        if is_nothing:
            raise ValueError("the Avro schema has a list of items that take no bytes")
    elif kind == "map":
        size = _check_schema(schema.get("values"), named, depth + 1)[1]
    elif kind == "fixed":
        is_empty = not schema.get("size")
    elif kind != "enum":
        is_empty, size = _check_schema(kind, named, depth + 1)
    if size > _WIDEST:
        raise ValueError(f"the Avro schema has records of more than {_WIDEST:,} values")
    if "name" in schema:
        named[str(schema["name"])] = is_empty, size
    return is_empty, size


def _read(fastavro: Any, stream: io.BytesIO, schema: object) -> object:
    try:
        return _plain(fastavro.schemaless_reader(stream, schema, None))
    except (EOFError, IndexError, KeyError, TypeError, OverflowError, RecursionError, MemoryError):
        raise
    except Exception as error:
        raise ValueError(f"not Avro: {error}") from error


def _container(fastavro: Any, data: bytes, check: Check) -> object:
    stream = io.BytesIO(data)
    stream.seek(len(_MAGIC))
    meta = fastavro.schemaless_reader(stream, {"type": "map", "values": "bytes"}, None)
    schema = _parsed(fastavro, json.loads(meta["avro.schema"]))
    codec = meta.get("avro.codec", b"null").decode("latin-1")
    if codec not in ("null", "deflate"):
        raise ValueError(f"the codec `{codec[:40]}` is not read; `null` and `deflate` are")
    sync = stream.read(16)
    values: list[object] = []
    left = min(_LARGEST, 1024 * 1024 + _GROWTH * len(data))
    while stream.tell() < len(data):
        count, size = _long(stream), _long(stream)
        block = stream.read(size) if 0 <= size <= len(data) else b""
        if len(block) != size:
            raise ValueError("not Avro: a block ends too early")
        if codec == "deflate":
            expander = zlib.decompressobj(-15)
            try:
                block = expander.decompress(block, left)
            except zlib.error as error:
                raise ValueError(f"not Avro: {error}") from error
            if not expander.eof:
                raise ValueError("a block does not end, or all blocks take more than is read")
        left -= len(block)
        if left <= 0 or not 0 <= count <= min(max(len(block), 1), _MOST - len(values)):
            raise ValueError("the Avro blocks hold more than is read")
        inner = io.BytesIO(block)
        for number in range(count):
            if not number & 255:
                check()
            values.append(_read(fastavro, inner, schema))
        if inner.read(1):
            raise ValueError("not Avro: there are bytes after the last record of a block")
        if stream.read(16) != sync:
            raise ValueError("not Avro: a block without its mark")
    return values[0] if len(values) == 1 and isinstance(values[0], dict) else values


def _long(stream: io.BytesIO) -> int:
    """A variable-length zig-zag number."""
    value = shift = 0
    while True:
        byte = stream.read(1)[0]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return (value >> 1) ^ -(value & 1)
        shift += 7
        if shift > 63:
            raise ValueError("not Avro: a number that does not end")


def _plain(value: object) -> object:
    """A record as plain values: bytes as base64, moments as ISO 8601."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value


AVRO = Format(
    "avro",
    "application/avro, avro/binary;q=0.9, */*;q=0.5",
    "application/json",
    encode,
    prepared=_prepared,
    needs=("fastavro", "formats"),
    expands=True,
)
