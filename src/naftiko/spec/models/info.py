"""`info`: who made the capability, and what for."""

from __future__ import annotations

from naftiko.spec.models.base import Model, Text


class Person(Model):
    role: Text | None = None
    fullName: Text | None = None
    email: Text | None = None


class Info(Model):
    label: Text | None = None
    version: Text | None = None
    description: Text | None = None
    tags: tuple[Text, ...] | None = None
    created: Text | None = None
    modified: Text | None = None
    stakeholders: tuple[Person, ...] | None = None
