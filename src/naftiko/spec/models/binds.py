"""`binds`: where variables come from."""

from __future__ import annotations

from pydantic import Field

from naftiko.spec.models.base import Model, Text


class Binding(Model):
    """Variables by name, each with its key in the source. Without a `location` the source is the environment."""

    namespace: Text
    description: Text | None = None
    location: Text | None = None
    keys: dict[str, Text | None] = Field(default_factory=dict)
