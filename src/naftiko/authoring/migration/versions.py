"""The published versions of the language, in order, and what each has otherwise than the one before."""

from __future__ import annotations

VERSIONS = (
    "0.4",
    "0.5",
    "1.0.0-alpha1",
    "1.0.0-alpha2",
    "1.0.0-alpha3",
    "1.0.0-alpha4",
    "1.0.0-beta1",
    "1.0.0-beta2",
    "1.0.0-beta3",
    "1.0.0-beta4",
    "1.0.0-beta5",
    "1.0.0-beta7",
)
"""Every version, the oldest first. From 1.0.0-alpha3 on the version key is `ikanos`."""

NEWEST = VERSIONS[-1]
_MAPS = VERSIONS.index("1.0.0-alpha3")
TARGETS = VERSIONS[VERSIONS.index("1.0.0-alpha2") :]
"""What a file can be moved to."""


def rank(version: str | None) -> int:
    """The place of a version in the order. One that is not known is taken for the newest of its style (alpha2)."""
    return VERSIONS.index(version) if version in VERSIONS else _MAPS - 1


def has_maps(version: str) -> bool:
    """Whether what has a name stands in maps."""
    return rank(version) >= _MAPS
