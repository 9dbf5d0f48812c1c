"""Plain text: a string."""

from __future__ import annotations

from naftiko.formats.base import Format, text_of

TEXT = Format("text", "text/plain, */*;q=0.5", text_of)
