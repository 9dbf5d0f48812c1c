"""Hooks of `mkdocs.yml`: the README is the first page, and what a page links to outside `docs` comes with it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File

ROOT = Path(__file__).resolve().parent.parent
_OUTSIDE = re.compile(r"\]\(\.\./([^)#\s]+)(#[^)\s]*)?\)")


def on_files(files: Any, config: Any) -> Any:
    """Add the first page, and the files that pages link to."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    text = re.sub(r"\]\(docs/", "](", text)
    files.append(File.generated(config, "index.md", content=text))
    wanted = {match[1] for page in (ROOT / "docs").glob("*.md") for match in _OUTSIDE.finditer(page.read_text("utf-8"))}
    for name in sorted(wanted):
        path = ROOT / name
        if path.is_file():
            files.append(File.generated(config, f"files/{_shown(name)}", content=path.read_bytes()))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Lead links out of `docs` to what came along."""
    return _OUTSIDE.sub(lambda match: f"](files/{_shown(match[1])})", markdown)


def _shown(name: str) -> str:
    """A name under which a browser shows a file as text: one without an ending gets one, and Markdown stays text."""
    return f"{name}.txt" if Path(name).suffix in ("", ".md") else name
