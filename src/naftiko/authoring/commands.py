"""A curl command that somebody has copied: what it says, word by word (curl(1)).

Read as a POSIX shell would, with the `$'...'` that browsers write; nothing is expanded, and nothing is carried out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from naftiko.authoring.curl_options import FLAGS, SHORT, SILENT, WITH_VALUE
from naftiko.errors import SetupError

_MOST = 1_000_000
_ESCAPES = {
    "n": "\n",
    "t": "\t",
    "r": "\r",
    "\\": "\\",
    "'": "'",
    '"': '"',
    "a": "\a",
    "b": "\b",
    "e": "\x1b",
    "0": "\0",
}


@dataclass(slots=True)
class Command:
    """What a command sends: `data` are pieces of the body by the option that gave each, `others` options besides."""

    urls: list[str] = field(default_factory=list)
    method: str = ""
    headers: list[tuple[str, str]] = field(default_factory=list)
    data: list[tuple[str, str]] = field(default_factory=list)
    user: str | None = None
    token: str | None = None
    cookies: list[str] = field(default_factory=list)
    is_get: bool = False
    is_head: bool = False
    others: list[str] = field(default_factory=list)


def words(text: str) -> list[str]:
    """The words of a command line.

    Raises:
        SetupError: a quote is not closed, or the line is too long.
    """
    if len(text) > _MOST:
        raise SetupError(f"the command is longer than {_MOST} characters")
    return list(_Words(text))


class _Words:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def __iter__(self) -> Iterator[str]:
        text = self._text
        word: list[str] | None = None
        while self._at < len(text):
            char = text[self._at]
            if char.isspace():
                if word is not None:
                    yield _joined(word)
                word = None
                self._at += 1
                continue
            if text.startswith(("\\\n", "\\\r\n"), self._at):  # a line that goes on
                self._at += 2 if text[self._at + 1] == "\n" else 3
                continue
            if char in ";|<>" or (char in "&#" and word is None):
                if word == ["2"] and char == ">":
                    word = None
                break  # what follows is another command, or no word of one
            word = word if word is not None else []
            self._take(word)
        if word is not None:
            yield _joined(word)

    def _take(self, word: list[str]) -> None:
        text, at = self._text, self._at
        if text.startswith("$'", at):
            self._ansi(word)
        elif text[at] == "'":
            end = self._end("'", at + 1)
            word.append(text[at + 1 : end])
            self._at = end + 1
        elif text[at] == '"':
            self._double(word)
        elif text[at] == "\\":
            word.append(text[at + 1 : at + 2])
            self._at = at + 2
        else:
            word.append(text[at])
            self._at = at + 1

    def _end(self, quote: str, at: int) -> int:
        end = self._text.find(quote, at)
        if end < 0:
            raise SetupError(f"the quote that begins at character {at} is not closed")
        return end

    def _double(self, word: list[str]) -> None:
        begin = self._at = self._at + 1
        text = self._text
        while self._at < len(text) and text[self._at] != '"':
            if text[self._at] == "\\" and text[self._at + 1 : self._at + 2] in ('"', "\\", "$", "`", "\n"):
                self._at += 1
                if text[self._at] != "\n":
                    word.append(text[self._at])
            else:
                word.append(text[self._at])
            self._at += 1
        if self._at >= len(text):
            raise SetupError(f"the quote that begins at character {begin} is not closed")
        self._at += 1

    def _ansi(self, word: list[str]) -> None:
        begin = self._at = self._at + 2
        text = self._text
        while self._at < len(text) and text[self._at] != "'":
            if text[self._at] == "\\":
                self._escape(word)
            else:
                word.append(text[self._at])
                self._at += 1
        if self._at >= len(text):
            raise SetupError(f"the quote that begins at character {begin} is not closed")
        self._at += 1

    def _escape(self, word: list[str]) -> None:
        kind = self._text[self._at + 1 : self._at + 2]
        length = {"u": 4, "x": 2}.get(kind)
        digits = self._text[self._at + 2 : self._at + 2 + length] if length is not None else ""
        if length is not None and len(digits) == length and all(d in "0123456789abcdefABCDEF" for d in digits):
            word.append(chr(int(digits, 16)))
            self._at += 2 + length
        else:
            word.append(_ESCAPES.get(kind, f"\\{kind}"))
            self._at += 2


def _joined(word: list[str]) -> str:
    """A word, with the halves of characters that `\\u` gives one by one put together."""
    return "".join(word).encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def read(text: str) -> Command:
    """A command line as what it sends.

    Raises:
        SetupError: it is no curl command, or its words cannot be told apart.
    """
    given = words(text)
    while given and (given[0] == "$" or "=" in given[0].partition("/")[0]):  # a prompt, or a variable set for it
        given.pop(0)
    name = given[0].rpartition("/")[2].removesuffix(".exe") if given else ""
    if name != "curl":
        raise SetupError(f"this is no curl command: it begins with `{name[:40]}`" if name else "there is no command")
    command = Command()
    todo = iter(given[1:])
    for word in todo:
        for option, value in _options(word, todo):
            _apply(command, option, value)
    if not command.urls:
        raise SetupError("the command has no URL")
    return command


def _options(word: str, todo: Iterator[str]) -> Iterator[tuple[str, str]]:
    """The options that a word is, with their values; a URL is the value of `url`."""
    if word.startswith("--"):
        name, separator, value = word[2:].partition("=")
        if name in WITH_VALUE:
            yield name, value if separator else next(todo, "")
        elif name:
            yield name, ""
    elif word.startswith("-") and len(word) > 1:
        for index, letter in enumerate(word[1:], 1):
            if letter in SHORT:
                yield SHORT[letter], word[index + 1 :] or next(todo, "")
                return
            yield FLAGS.get(letter, letter), ""
    else:
        yield "url", word


def _apply(command: Command, option: str, value: str) -> None:
    match option:
        case "url":
            command.urls.append(value)
        case "request":
            command.method = value.upper()
        case "header":
            name, separator, content = value.partition(":")
            if separator and content.strip():
                command.headers.append((name.strip(), content.strip()))
        case "data" | "data-ascii" | "data-raw" | "data-binary" | "data-urlencode" | "json" | "form" | "form-string":
            command.data.append((option, value))
        case "url-query":
            command.data.append((option, value))
        case "user":
            command.user = value
        case "oauth2-bearer":
            command.token = value
        case "user-agent":
            command.headers.append(("User-Agent", value))
        case "cookie":
            command.cookies.append(value)
        case "get":
            command.is_get = True
        case "head":
            command.is_head = True
        case _:
            if option not in SILENT:
                command.others.append(option)
