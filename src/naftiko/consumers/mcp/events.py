"""Event streams (HTML Standard, section 9.2), as far as MCP uses them: the data of each event."""

from __future__ import annotations

from collections.abc import Iterator


class EventReader:
    """Takes a stream as it comes, in linear time."""

    def __init__(self) -> None:
        self._rest: list[bytes] = []
        self._data: list[bytes] = []
        self._ended_with_return = False

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """The data of each event that a chunk completes."""
        if self._ended_with_return and chunk[:1] == b"\n":
            chunk = chunk[1:]
        if not chunk:
            return
        self._ended_with_return = chunk[-1:] == b"\r"
        lines = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        for line in lines[:-1]:
            self._rest.append(line)
            whole = b"".join(self._rest)
            self._rest.clear()
            if not whole:
                if self._data:
                    yield b"\n".join(self._data)
                    self._data.clear()
            elif whole.startswith(b"data:"):
                value = whole[5:]
                self._data.append(value[1:] if value[:1] == b" " else value)
        self._rest.append(lines[-1])

    def end(self) -> Iterator[bytes]:
        """The data of an event that the stream breaks off in: servers forget its last empty line."""
        yield from self.feed(b"\n\n")
