"""Published variants to the canonical shape.

The official schema names one spelling; thousands of published files use others (semantics, section 2). Each file is
rewritten on its own, before its parts are imported anywhere: in the tree of nodes, so that positions are kept, and
leaving a finding. Models and compiler know only the canonical shape. Rewriting twice is the same as rewriting once,
since aliases may share a node.

To add a dialect: a module with a `Dialect`, named in `DIALECTS`.
"""

from __future__ import annotations

from typing import Protocol

from naftiko.document.nodes import Mapping
from naftiko.document.report import Report
from naftiko.spec.dialects.maps import Maps
from naftiko.spec.dialects.older import Older
from naftiko.spec.dialects.published import Published


class Dialect(Protocol):
    """One way in which files are written."""

    name: str

    def matches(self, root: Mapping) -> bool:
        """Whether a document is written in this way, by its shape."""

    def rewrite(self, root: Mapping, report: Report) -> None:
        """Bring a document nearer to the canonical shape, in place."""


DIALECTS: tuple[Dialect, ...] = (Maps(), Older(), Published())
"""In the order in which they are applied."""


def rewrite(root: Mapping, report: Report) -> None:
    """Bring a document to the canonical shape, in place."""
    for dialect in DIALECTS:
        if dialect.matches(root):
            dialect.rewrite(root, report)
