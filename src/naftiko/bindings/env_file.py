"""Env files: `NAME=value` lines."""

from __future__ import annotations

import io
from pathlib import Path

from dotenv.parser import parse_stream

from naftiko.errors import BindingError


def read_env_file(path: str | Path) -> dict[str, str]:
    """The variables of an env file. Nothing in it is expanded, so that a `$` in a password stays one.

    Raises:
        BindingError: it cannot be read.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise BindingError(f"the env file {path} is not UTF-8") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it cannot be opened"
        raise BindingError(f"the env file {path} cannot be read: {reason.lower()}") from error
    values: dict[str, str] = {}
    for binding in parse_stream(io.StringIO(text)):
        if binding.error:
            line = binding.original.line
            raise BindingError(f"the env file {path} has a line that is not NAME=value (line {line})")
        if binding.key is not None and binding.value is not None:
            values[binding.key] = binding.value
    return values
