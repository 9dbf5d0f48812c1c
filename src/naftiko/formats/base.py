"""What a format is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TypeAlias

Check: TypeAlias = Callable[[], None]

Decode: TypeAlias = Callable[[bytes, str, Check], object]
"""Reads a response from its bytes and its charset.

It raises ValueError where they are not of the format. What it calls now and then raises where the time for it is over.
"""

Encode: TypeAlias = Callable[[object], bytes]


def unbounded() -> None:
    """A check that never raises."""


@dataclass(frozen=True, slots=True)
class Selected:
    """A part of an answer that a capability selects by the format's own means: one value, or a list of all."""

    name: str
    text: str
    is_list: bool = False


@dataclass(frozen=True, slots=True)
class Schema:
    """What a capability names as the schema of an answer, and the folder that a relative location starts from.

    `selected` are the parts of an answer that it asks for beside that.
    """

    location: str
    directory: str
    selected: tuple[Selected, ...] = ()


@dataclass(frozen=True, slots=True)
class Format:
    """A response format: its name, the `Accept` header that asks for it, and what it can do.

    `decode` reads answers; a format that needs a schema for that has `prepared` instead, which makes such a function
    and raises ValueError or OSError where the schema is not usable. One that has neither `is_opaque`: its bytes pass.
    `encode` writes what the sandbox answers, as `media_type`. With `has_root` a mapping may start inside the one
    element that there is at the top. `needs` names a module that it cannot do without, and the
    extra of this package that installs it. Where it `expands`, a small answer may mean much, and is read beside the
    event loop. Where it `selects`, a consumed output may be a selector of its own.
    """

    name: str
    accept: str
    media_type: str
    encode: Encode
    decode: Decode | None = None
    prepared: Callable[[Schema | None], Decode] | None = None
    has_root: bool = False
    needs: tuple[str, str] | None = None
    must_have_schema: bool = False
    expands: bool = False
    selects: bool = False

    @property
    def missing(self) -> str | None:
        """The extra that has to be installed first."""
        if self.needs is None or find_spec(self.needs[0]) is not None:
            return None
        return self.needs[1]

    @property
    def is_opaque(self) -> bool:
        return self.decode is None and self.prepared is None

    def prepare(self, schema: Schema | None) -> Decode:
        """What reads answers that have a schema, or none.

        Raises:
            ValueError: the schema is not usable, or there is none and the format cannot do without.
            OSError: it cannot be read.
        """
        if self.prepared is not None:
            return self.prepared(schema)
        return self.decode or _opaque


def _opaque(data: bytes, charset: str, check: Check) -> object:
    raise ValueError("bytes are not read")


def text_of(data: bytes, charset: str) -> str:
    """Bytes as text; ValueError where they are not text in the charset."""
    try:
        return data.decode(charset)
    except LookupError:
        return data.decode("utf-8")
