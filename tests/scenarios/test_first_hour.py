"""A newcomer's first hour, in a terminal: every command of `docs/tutorial.md`, in its order, as it is printed."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from support import ROOT, TLS, clean_environment

PETSTORE = ROOT / "tests" / "authoring" / "openapi" / "orders-2.0.json"
_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07]*\x07|\r")


def _take() -> None:
    """Make standard input the terminal that controls this process."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


class Terminal:
    """A shell at a real pseudo-terminal."""

    def __init__(self, folder: Path) -> None:
        self._main, terminal = pty.openpty()
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        environment = {**clean_environment(), "PATH": path, "HOME": str(folder), "PS1": "", "TERM": "xterm", "ENV": ""}
        environment.pop("NO_COLOR", None)
        self._shell = subprocess.Popen(
            ["/bin/sh"],
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            cwd=folder,
            env=environment,
            start_new_session=True,
            preexec_fn=_take,  # noqa: PLW1509 - the shell has to have the terminal, for Ctrl-C
        )
        os.close(terminal)
        self.seen = ""
        self.send("stty -echo; PS1=; set -m")
        self.wait_for(r"")

    def send(self, text: str) -> None:
        os.write(self._main, f"{text}\n".encode())

    def interrupt(self) -> None:
        os.write(self._main, b"\x03")

    def wait_for(self, pattern: str, seconds: float = 60) -> str:
        """What comes until a pattern does."""
        until, read = time.monotonic() + seconds, ""
        while time.monotonic() < until:
            if select.select([self._main], [], [], 0.1)[0]:
                read += _ESCAPE.sub("", os.read(self._main, 65536).decode("utf-8", "replace"))
            if re.search(pattern, read):
                self.seen += read
                return read
        raise AssertionError(f"{pattern} does not come: {read[-2000:]}")

    def run(self, line: str) -> tuple[int, str]:
        """A command to its end: its status, and all that it printed."""
        self.send(f"{line}; printf 'ended-%s-here\\n' $?")
        text = self.wait_for(r"ended-([0-9]+)-here")
        status = re.findall(r"ended-([0-9]+)-here", text)[-1]
        return int(status), text.partition("ended-")[0]

    def close(self) -> None:
        self._shell.kill()
        self._shell.wait()
        os.close(self._main)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    opened = Terminal(tmp_path)
    yield opened
    opened.close()


def lines() -> list[str]:
    """The commands of the tutorial."""
    text = (ROOT / "docs" / "tutorial.md").read_text()
    return [line for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]


def test_the_first_hour(terminal: Terminal, tmp_path: Path) -> None:
    seen: dict[str, str] = {}
    (tmp_path / "petstore.yaml").write_text(PETSTORE.read_text().replace("page[size]", "pageSize"))
    for line in lines():
        if line.startswith("naftiko run"):
            terminal.send(f"{line} --port rest=0 --port mcp=0 --control 0")
            told = terminal.wait_for(r"Press Ctrl-C to stop")
            url = re.search(r"REST +(http://127\.0\.0\.1:\d+)", told)
            console = re.search(r"Console (http://127\.0\.0\.1:\d+/console)", told)
            assert url is not None, told
            assert console is not None, told
            assert httpx.get(f"{url[1]}/items/7", verify=TLS).json()["received"]["path"] == "/v1/items/7"
            assert httpx.get(console[1], verify=TLS).status_code == 200
            terminal.interrupt()
            terminal.wait_for("stopping")
            terminal.run(":")
            continue
        if line == "naftiko validate shop.yaml" and "naftiko validate shop.yaml" in seen:
            file = tmp_path / "shop" / "shop.yaml"  # an edit, with a slip of the pen
            file.write_text(file.read_text().replace("call: shop.get-item", "call: shop.get-itme", 1))
            status, out = terminal.run(line)
            assert status == 1
            assert "error[unknown-operation]" in out
            assert "did you mean `get-item`?" in out
            continue
        if line.startswith("naftiko import"):
            terminal.run("cp ../petstore.yaml .")
        status, out = terminal.run(line)
        seen[line] = out
        is_told = line.startswith("naftiko doctor")  # api.shop.example is nowhere
        assert status == (1 if is_told else 0), f"{line}\n{out}"
        assert "Traceback" not in out
    assert "nothing to report" in seen["naftiko validate shop.yaml"]
    assert "shop.get-item" in (tmp_path / "shop" / "shop.yaml").read_text()
    assert "get-itme" not in (tmp_path / "shop" / "shop.yaml").read_text(), "fix has mended it"
    assert "sends GET https://api.shop.example/v1/items/" in seen["naftiko inspect shop.yaml --plan"].replace("\n", "")
    assert "1 case: 1 ok" in seen["naftiko test shop.yaml"]
    assert "4 operations" in seen["naftiko import openapi petstore.yaml --output pets.yaml"]
    assert "nothing changes for callers" in seen["naftiko diff pets.yaml pets.yaml"]
    assert '"mcpServers"' in seen["naftiko mcp config shop.yaml --client claude-desktop"]
    assert (tmp_path / "shop" / "shop.mcpb").is_file()
    doctor = next(out for line, out in seen.items() if line.startswith("naftiko doctor"))
    assert "variable SHOP_TOKEN" in doctor
    assert "my-token" not in doctor
