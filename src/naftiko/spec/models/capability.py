"""The whole document, imports included."""

from __future__ import annotations

from naftiko.spec.models.base import Model, Text
from naftiko.spec.models.binds import Binding
from naftiko.spec.models.consumes import Consumes
from naftiko.spec.models.exposes import Exposes
from naftiko.spec.models.info import Info
from naftiko.spec.models.operations import Aggregate


class Body(Model):
    """What stands under `capability`."""

    binds: tuple[Binding, ...] | None = None
    consumes: tuple[Consumes, ...] = ()
    exposes: tuple[Exposes, ...] = ()
    aggregates: tuple[Aggregate, ...] | None = None


class CapabilityFile(Model):
    """A capability file: version, metadata, and what it consumes and exposes.

    Without `capability` it is a file for others to import from: then its sections stand at its root.
    """

    naftiko: Text | None = None
    info: Info | None = None
    binds: tuple[Binding, ...] | None = None
    consumes: tuple[Consumes, ...] = ()
    exposes: tuple[Exposes, ...] = ()
    aggregates: tuple[Aggregate, ...] | None = None
    capability: Body | None = None
