"""`body`: the request body of a consumed operation."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from naftiko.spec.models.base import Json, Model, Text


class JsonBody(Model):
    type: Literal["json"]
    data: Json = None


class TextBody(Model):
    type: Literal["text", "xml", "sparql", "yaml", "binary"]
    data: Text


class FormBody(Model):
    type: Literal["formUrlEncoded"]
    data: Text | dict[str, Json]


class Part(Model):
    name: Text
    value: Text | None = None
    filename: Text | None = None
    contentType: Text | None = None


class MultipartBody(Model):
    type: Literal["multipartForm"]
    data: tuple[Part, ...]


class RawBody(Model):
    """A body that is just text: JSON unless a header says otherwise."""

    type: Literal["raw"]
    data: Text


RequestBody = Annotated[RawBody | JsonBody | TextBody | FormBody | MultipartBody, Field(discriminator="type")]
