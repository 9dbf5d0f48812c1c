"""Protocol Buffers (proto2, proto3): a message of a `.proto` file that `outputSchema` names, imports included.

`outputSchema: shop.proto` means the file's first message, `shop.proto#Order` that one.
"""

from __future__ import annotations

import base64
import importlib
import os
import tempfile
from pathlib import Path
from typing import Any

from naftiko.document.locations import local_file
from naftiko.formats.base import Check, Decode, Format, Schema
from naftiko.values.jsontext import encode


def _prepared(schema: Schema | None) -> Decode:
    if schema is None:
        raise ValueError("protobuf cannot be read without an `outputSchema`, a .proto file")
    location, _, name = schema.location.partition("#")
    file = local_file(location, Path(schema.directory))
    if file is None:
        raise ValueError(f"`{location}` is not a file")
    message = _message(Path(os.path.realpath(file, strict=True)), name)
    errors = importlib.import_module("google.protobuf.message")

    def decode(data: bytes, charset: str, check: Check) -> object:
        value = message()
        try:
            value.ParseFromString(data)
        except errors.DecodeError as error:
            raise ValueError(f"not a `{message.DESCRIPTOR.full_name}` message") from error
        return _plain(value, check)

    return decode


def _message(file: Path, name: str) -> Any:
    """The class of a message.

    Raises:
        ValueError: the file cannot be compiled, or has no such message.
    """
    compiler = importlib.import_module("grpc_tools.protoc")
    descriptors = importlib.import_module("google.protobuf.descriptor_pb2")
    pools = importlib.import_module("google.protobuf.descriptor_pool")
    factory = importlib.import_module("google.protobuf.message_factory")
    shipped = Path(str(compiler.__file__)).parent / "_proto"
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "set"
        arguments = [
            f"-I{file.parent}",
            f"-I{shipped}",
            "--include_imports",
            f"--descriptor_set_out={target}",
            str(file),
        ]
        if compiler.main(["protoc", *arguments]):
            raise ValueError(f"{file} cannot be compiled; what is wrong is on standard error")
        compiled = descriptors.FileDescriptorSet.FromString(target.read_bytes())
    pool = pools.DescriptorPool()
    for item in compiled.file:
        pool.Add(item)
    own = compiled.file[-1]
    names = [message.name for message in own.message_type]
    wanted = name or (names[0] if names else "")
    prefix = f"{own.package}." if own.package else ""
    for full in (prefix + wanted, wanted):
        try:
            return factory.GetMessageClass(pool.FindMessageTypeByName(full))
        except KeyError:
            continue
    raise ValueError(f"{file} has no message `{wanted}`; it has {', '.join(names) or 'none'}")


def _plain(message: Any, check: Check) -> object:
    """A message as plain values, with the names of the file; fields without a value are left out where that shows."""
    check()
    found: dict[str, object] = {}
    for field in message.DESCRIPTOR.fields:
        is_list = getattr(field, "is_repeated", None)
        if callable(is_list):
            is_list = is_list()
        if is_list is None:
            is_list = field.label == field.LABEL_REPEATED
        if field.has_presence and not message.HasField(field.name):
            continue
        value = getattr(message, field.name)
        kind = field.message_type
        if kind is not None and kind.GetOptions().map_entry:
            inner = kind.fields_by_name["value"]
            found[field.name] = {str(key): _single(inner, value[key], check) for key in value}
        elif is_list:
            found[field.name] = [_single(field, item, check) for item in value]
        else:
            found[field.name] = _single(field, value, check)
    return found


def _single(field: Any, value: Any, check: Check) -> object:
    if field.message_type is not None:
        return _plain(value, check)
    if field.enum_type is not None:
        known = field.enum_type.values_by_number.get(value)
        return known.name if known is not None else value
    return base64.b64encode(value).decode("ascii") if isinstance(value, bytes) else value


PROTOBUF = Format(
    "protobuf",
    "application/x-protobuf, application/protobuf;q=0.9, */*;q=0.5",
    "application/json",
    encode,
    prepared=_prepared,
    needs=("grpc_tools", "protobuf"),
    must_have_schema=True,
)
