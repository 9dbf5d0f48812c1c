"""What `docs/architecture.md` says of the rooms and of files holds."""

from __future__ import annotations

import re
import subprocess
import sys

from support import ROOT

SOURCE = ROOT / "src" / "naftiko"
TEXT = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


def test_rooms_are_as_drawn() -> None:
    drawn = TEXT.partition("```\n")[2].partition("```")[0]
    named = set(re.findall(r"[a-z]+", drawn))
    rooms = {path.stem for path in SOURCE.iterdir() if not path.name.startswith("_") and path.suffix in ("", ".py")}
    assert rooms <= named
    assert len(rooms) <= 24


def test_questions_have_answers() -> None:
    section = TEXT.partition("## Where is it?")[2].partition("## ")[0]
    answers = re.findall(r"^\| Where .*\| (?:a module in )?`([a-z0-9_/.]+)`", section, re.MULTILINE)
    assert len(answers) == 20
    assert [answer for answer in answers if not (SOURCE / answer).exists()] == []


def test_modules_named_are_there() -> None:
    named = re.findall(r"`([a-z_]+(?:\.[a-z_0-9]+)+)(?:\.[A-Z][A-Za-z.]*)?`", TEXT)
    missing = [
        name
        for name in named
        if name.partition(".")[0] in {path.name for path in SOURCE.iterdir()}
        and not any(
            (SOURCE / candidate.replace(".", "/")).is_dir() or (SOURCE / f"{candidate.replace('.', '/')}.py").is_file()
            for candidate in (name, name.rpartition(".")[0])
        )
    ]
    assert missing == []


def test_files_stay_small() -> None:
    """A file that no longer fits is a wall to move."""
    sizes = {
        path.relative_to(SOURCE): len(path.read_text(encoding="utf-8").splitlines()) for path in SOURCE.rglob("*.py")
    }
    assert {path: size for path, size in sizes.items() if size > 300} == {}


def test_who_serves_nothing_imports_nothing_that_serves() -> None:
    """`validate` is run on every save of a file: what only serves or sends is imported by who does."""
    program = "import sys, naftiko.cli.validate; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    shown = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout.split()
    assert {"naftiko", "pydantic", "yaml"} <= set(shown)
    assert not {"mcp", "mcp_types", "httpx", "aiohttp", "uvicorn", "httptools", "oauthlib", "starlette"} & set(shown)


def test_who_serves_imports_the_sdk_for_messages_only() -> None:
    """It takes longer to import than all else, so it comes once the process is ready, or with the first message."""
    program = "import sys, naftiko.cli.serve; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    shown = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout.split()
    assert {"naftiko", "httpx", "uvicorn", "starlette"} <= set(shown)
    assert not {"mcp", "mcp_types", "jwt", "cryptography", "aiohttp"} & set(shown)
