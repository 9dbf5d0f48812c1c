"""Response formats: what each reads, with and without a schema, and that any bytes end in a value or one error."""

from __future__ import annotations

import base64
import io
import json
import zlib
from datetime import date
from pathlib import Path

import fastavro
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from naftiko.formats import formats
from naftiko.formats.base import Schema, unbounded

FORMATS = formats()

ORDER = """
syntax = "proto3";
package shop;
import "parts.proto";
import "google/protobuf/timestamp.proto";
message Order {
  string id = 1;
  repeated parts.Line lines = 2;
  map<string, int64> stock = 3;
  Kind kind = 4;
  bytes seal = 5;
  optional string note = 6;
  google.protobuf.Timestamp at = 7;
  enum Kind { PLAIN = 0; GIFT = 1; }
}
message Empty {}
"""
PARTS = 'syntax = "proto3"; package parts; message Line { string sku = 1; double price = 2; Line bundle = 3; }'
PERSON = {
    "type": "record",
    "name": "Person",
    "fields": [
        {"name": "name", "type": "string"},
        {"name": "born", "type": {"type": "int", "logicalType": "date"}},
        {"name": "photo", "type": ["null", "bytes"]},
        {"name": "tags", "type": {"type": "array", "items": "string"}},
    ],
}
PEOPLE = [
    {"name": "Ada", "born": date(1815, 12, 10), "photo": b"\x00\xff", "tags": ["maths"]},
    {"name": "Bo", "born": date(1970, 1, 1), "photo": None, "tags": []},
]
READ = [
    {"name": "Ada", "born": "1815-12-10", "photo": "AP8=", "tags": ["maths"]},
    {"name": "Bo", "born": "1970-01-01", "photo": None, "tags": []},
]
PAGE = b"""<html><head><title> Our
 shop </title></head><body><table id=a><thead><tr><th>Name<th>Price</tr></thead>
<tbody><tr><td>W<b>idg</b>et<td>$42<tr><td>Gadget<td>$99<td>extra</table>
<div class=x><table><tr><td>k</td></tr><tr><td>v</td></tr></table></div></body></html>"""
NOTES = b"""---
title: Notes
version: 2
---

Intro

# One
Text with **bold**

| a | b |
|---|---|
| 1 | `2` |

## Results of May
- x
- y

### Deeper
1. z

## Other
- not me
"""


def read(
    name: str, data: bytes, schema: str | None = None, folder: Path | None = None, charset: str = "utf-8"
) -> object:
    prepared = FORMATS[name].prepare(Schema(schema, str(folder or "")) if schema is not None else None)
    return prepared(data, charset, unbounded)


@pytest.fixture
def schemas(tmp_path: Path) -> Path:
    (tmp_path / "shop.proto").write_text(ORDER)
    (tmp_path / "parts.proto").write_text(PARTS)
    (tmp_path / "broken.proto").write_text("message {")
    (tmp_path / "person.avsc").write_text(json.dumps(PERSON))
    (tmp_path / "loop.avsc").write_text(
        json.dumps({"type": "record", "name": "L", "fields": [{"name": "next", "type": ["null", "L"]}]})
    )
    (tmp_path / "nulls.avsc").write_text(json.dumps({"type": "array", "items": "null"}))
    return tmp_path


def container(codec: str) -> bytes:
    out = io.BytesIO()
    fastavro.writer(out, PERSON, PEOPLE, codec=codec)
    return out.getvalue()


@pytest.mark.parametrize("codec", ["null", "deflate"])
def test_avro_containers(codec: str) -> None:
    assert read("avro", container(codec)) == READ


def test_avro_records(schemas: Path) -> None:
    out = io.BytesIO()
    fastavro.schemaless_writer(out, PERSON, PEOPLE[0])
    assert read("avro", out.getvalue(), "person.avsc", schemas) == READ[0]
    canonical = fastavro.schema.to_parsing_canonical_form(fastavro.parse_schema(PERSON))
    mark = bytes.fromhex(fastavro.schema.fingerprint(canonical, "CRC-64-AVRO"))
    assert read("avro", b"\xc3\x01" + mark + out.getvalue(), "file:///./person.avsc", schemas) == READ[0]
    for other in (bytes(8), mark[::-1], b""):
        with pytest.raises(ValueError, match="another schema"):
            read("avro", b"\xc3\x01" + other + out.getvalue(), "person.avsc", schemas)
    for data in (out.getvalue() + b"x", out.getvalue()[:-1], b""):
        with pytest.raises(ValueError, match=r"[Aa]vro|after the record"):
            read("avro", data, "person.avsc", schemas)
    with pytest.raises(ValueError, match="outputSchema"):
        read("avro", out.getvalue())


def test_avro_that_means_more_than_it_says(schemas: Path) -> None:
    for name, message in (("loop.avsc", "contains itself"), ("nulls.avsc", "no bytes")):
        with pytest.raises(ValueError, match=message):
            read("avro", b"", name, schemas)
    head = container("deflate")
    start = head.index(zlib.compress(b"")[:0] or head[-16:])
    many = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = many.compress(bytes(100 * 1024 * 1024)) + many.flush()
    block = b"\x02" + zigzag(len(bomb)) + bomb + head[-16:]
    with pytest.raises(ValueError, match="than is read"):
        read("avro", head[: start + 16] + block)
    with pytest.raises(ValueError, match="more than is read"):
        read("avro", head[: start + 16] + zigzag(2**40) + zigzag(2) + b"\x03\x00" + head[-16:])


def embedded(schema: object, block: bytes, count: int = 1) -> bytes:
    """A container with a schema of its own choice."""
    text = json.dumps(schema).encode()
    pairs = b"".join(zigzag(len(part)) + part for part in (b"avro.schema", text, b"avro.codec", b"deflate"))
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(block) + packer.flush()
    mark = bytes(16)
    return b"Obj\x01" + zigzag(2) + pairs + b"\x00" + mark + zigzag(count) + zigzag(len(packed)) + packed + mark


def test_avro_schemas_that_double() -> None:
    """Each record is two of the one before; forty of them would be a million million values in no bytes at all."""
    fields: list[object] = [{"name": "a0", "type": {"type": "record", "name": "A0", "fields": []}}]
    for number in range(1, 41):
        inner = [{"name": name, "type": f"A{number - 1}"} for name in "xy"]
        fields.append({"name": f"a{number}", "type": {"type": "record", "name": f"A{number}", "fields": inner}})
    with pytest.raises(ValueError, match="more than 10,000 values"):
        read("avro", embedded({"type": "record", "name": "R", "fields": fields}, b""))


def test_avro_records_without_bytes() -> None:
    nothing = {"type": "record", "name": "R", "fields": [{"name": "n", "type": "null"}]}
    with pytest.raises(ValueError, match="after the last record"):
        read("avro", embedded(nothing, bytes(1000), 1000))
    small = {"type": "record", "name": "R", "fields": [{"name": "n", "type": ["null", "int"]}]}
    with pytest.raises(ValueError, match="than is read"):
        read("avro", embedded(small, bytes(8 * 1024 * 1024), 8 * 1024 * 1024))
    assert read("avro", embedded(small, bytes(3), 3)) == [{"n": None}] * 3


def test_html_tables_in_tables() -> None:
    page = b"<table><tr><td>h</td></tr><tr><td>" * 500 + b"x" * 50_000
    with pytest.raises(ValueError, match="nest too deeply"):
        read("html", page)
    assert len(read("html", b"<table><tr><td>h</td></tr><tr><td>" * 3)["tables"]) == 3


def test_markdown_headings_in_lists() -> None:
    inside = read("markdown", b"- item\n\n  ## Results\n\n  more\n", "## Results")
    assert inside == {"frontMatter": None, "sections": [], "tables": [], "lists": []}
    assert read("markdown", b"## Results\n\n- a\n\n  # Other\n", "## Results")["lists"] == [["a", "Other"]]


def zigzag(value: int) -> bytes:
    value <<= 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def test_protobuf(schemas: Path) -> None:
    line = b"\x0a\x01a\x11" + bytes.fromhex("0000000000000840")
    data = (
        b"\x0a\x02o1\x12" + bytes([len(line)]) + line + b"\x1a\x05\x0a\x01x\x10\x07\x20\x01\x2a\x01\xff\x3a\x02\x08\x05"
    )
    expected = {
        "id": "o1",
        "lines": [{"sku": "a", "price": 3.0}],
        "stock": {"x": 7},
        "kind": "GIFT",
        "seal": base64.b64encode(b"\xff").decode(),
        "at": {"seconds": 5, "nanos": 0},
    }
    assert read("protobuf", data, "shop.proto", schemas) == expected
    assert read("protobuf", data, "shop.proto#Order", schemas) == expected
    assert read("protobuf", b"", "shop.proto#Empty", schemas) == {}
    with pytest.raises(ValueError, match="Order"):
        read("protobuf", b"\xff", "shop.proto", schemas)


def test_protobuf_schemas_that_do_not_serve(schemas: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for name, message in (
        ("shop.proto#Nothing", "has no message `Nothing`; it has Order, Empty"),
        ("broken.proto", "cannot be compiled"),
        ("https://x/y.proto", "not a file"),
    ):
        with pytest.raises(ValueError, match=message):
            read("protobuf", b"", name, schemas)
    with pytest.raises(FileNotFoundError):
        read("protobuf", b"", "missing.proto", schemas)
    with pytest.raises(ValueError, match="outputSchema"):
        read("protobuf", b"")


def test_html() -> None:
    first = [{"Name": "W idg et", "Price": "$42"}, {"Name": "Gadget", "Price": "$99"}]
    assert read("html", PAGE) == {"title": "Our shop", "tables": [first, [{"k": "v"}]]}
    assert read("html", PAGE, "#a")["tables"] == [first]
    assert read("html", PAGE, "div.x")["tables"] == [[{"k": "v"}]]
    assert read("html", PAGE, "div, table.none")["tables"] == [[{"k": "v"}]]
    assert read("html", b"")["tables"] == []
    with pytest.raises(ValueError, match="CSS"):
        read("html", PAGE, "::::")


def test_markdown() -> None:
    found = read("markdown", NOTES)
    assert found["frontMatter"] == {"title": "Notes", "version": 2}
    headings = [(section["level"], section["heading"]) for section in found["sections"]]
    assert headings == [(1, "One"), (2, "Results of May"), (3, "Deeper"), (2, "Other")]
    assert found["tables"] == [[{"a": "1", "b": "`2`"}]]
    assert found["lists"] == [["x", "y"], ["z"], ["not me"]]
    only = read("markdown", NOTES, "## Results")
    assert [section["heading"] for section in only["sections"]] == ["Results of May", "Deeper"]
    assert only["lists"] == [["x", "y"], ["z"]]
    assert only["tables"] == []
    assert read("markdown", b"---\nnot closed")["frontMatter"] is None


def test_ndjson() -> None:
    assert read("ndjson", b'{"a": 1}\n\n[2]\r\n12345678901234567890.5\n')[:2] == [{"a": 1}, [2]]
    with pytest.raises(ValueError, match="line 2"):
        read("ndjson", b"1\n{\n")


def test_charsets() -> None:
    assert read("html", "<title>Zürich".encode("latin-1"), charset="latin-1")["title"] == "Zürich"
    assert read("markdown", "# Żółw".encode("utf-16"), charset="utf-16")["sections"][0]["heading"] == "Żółw"


@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=400), name=st.sampled_from(["avro", "html", "markdown", "ndjson", "csv", "xml", "yaml"]))
def test_any_bytes(data: bytes, name: str) -> None:
    try:
        value = read(name, data)
    except ValueError:
        return
    json.dumps(value, default=str)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_changed_containers(data: st.DataObject) -> None:
    """A container with some bytes changed: never another kind of error, and never without end."""
    text = bytearray(container("deflate"))
    for _ in range(data.draw(st.integers(1, 4))):
        text[data.draw(st.integers(0, len(text) - 1))] = data.draw(st.integers(0, 255))
    try:
        read("avro", bytes(text))
    except ValueError:
        return
