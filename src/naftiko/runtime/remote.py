"""Imports from other machines: fetched once, kept with their digest, and read from there ever after."""

from __future__ import annotations

import hashlib
import os
import re
import time
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import NamedTemporaryFile
from urllib.parse import SplitResult, unquote, urlsplit

from naftiko.document.source import MAX_BYTES, RemoteFile
from naftiko.errors import SourceError

_SECONDS = 15.0
"""How long fetching a file may take."""

_REDIRECTS = 5
_PIN = re.compile(r"sha256=([0-9a-fA-F]{64})")


def cache_folder() -> Path:
    """Where copies are kept (XDG Base Directory Specification); `NAFTIKO_CACHE` names another folder."""
    own = os.environ.get("NAFTIKO_CACHE")
    if own:
        return Path(own)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "naftiko"


@dataclass(frozen=True, slots=True)
class RemoteImports:
    """Files by their address: `https`, or `http` on this machine. `#sha256=DIGEST` says what one must be.

    A copy is used as long as it is there; without it, or where it is not what is asked for, the file is fetched.
    """

    folder: Path = field(default_factory=cache_folder)

    def file(self, url: str) -> RemoteFile:
        address, _, fragment = url.partition("#")
        pinned = _PIN.fullmatch(fragment)
        if fragment and pinned is None:
            raise SourceError(f"`#{fragment[:80]}` is no digest; write `#sha256=` and 64 hexadecimal digits")
        wanted = pinned[1].lower() if pinned is not None else None
        parts = _checked(address)
        name = Path(unquote(parts.path)).name or "import.yaml"
        copy = self.folder / "imports" / hashlib.sha256(address.encode()).hexdigest() / _plain(name)
        known = _digest_of(copy)
        if known is None or (wanted is not None and known != wanted):
            known = _keep(copy, fetched(address))
        if wanted is not None and known != wanted:
            raise SourceError(f"{address} is not what it should be: its SHA-256 is {known}, and {wanted} is asked for")
        return RemoteFile(copy, known)


def _plain(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "-", name)[-100:].lstrip(".") or "import.yaml"


def _checked(address: str) -> SplitResult:
    """The parts of an address that may be read.

    Raises:
        SourceError: it is none.
    """
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
    except ValueError as error:
        raise SourceError(f"`{address}` is not a URL") from error
    if parts.scheme.lower() != "https" and host not in ("127.0.0.1", "localhost", "::1"):
        raise SourceError(f"{address} would come over a connection that anybody can change; write `https://`")
    if not host or parts.username or parts.password:
        raise SourceError(f"`{address.rpartition('@')[2]}` is no address that can be imported from")
    return parts


def _digest_of(copy: Path) -> str | None:
    """The digest of a copy; None where there is none, or it is not as it was kept."""
    try:
        kept = copy.with_name(copy.name + ".sha256").read_text(encoding="ascii").strip()
        found = hashlib.sha256(copy.read_bytes()).hexdigest()
    except (OSError, ValueError):
        return None
    return found if found == kept else None


def _keep(copy: Path, data: bytes) -> str:
    digest = hashlib.sha256(data).hexdigest()
    try:
        copy.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        for path, content in ((copy, data), (copy.with_name(copy.name + ".sha256"), digest.encode())):
            with NamedTemporaryFile(dir=copy.parent, delete=False) as made:
                made.write(content)
            os.replace(made.name, path)  # who reads meanwhile sees the old file or the new one
    except OSError as error:
        raise SourceError(f"the copy of an import cannot be kept in {copy.parent}: {error.strerror}") from error
    return digest


def fetched(address: str, most: int = MAX_BYTES) -> bytes:
    """A file's bytes, within bounds of time and size: over https, or from this machine.

    Raises:
        SourceError: it cannot be had.
    """
    import httpx  # here, since few files import from other machines, and all commands load this module

    _checked(address)
    until = time.monotonic() + _SECONDS
    try:
        with httpx.Client(timeout=_SECONDS, follow_redirects=False) as client:
            for _ in range(_REDIRECTS + 1):
                with client.stream("GET", address, headers={"Accept-Encoding": "identity"}) as response:
                    if response.is_redirect and response.next_request is not None:
                        address = str(response.next_request.url)
                        _checked(address)
                        continue
                    if response.status_code != 200:
                        raise SourceError(f"{address} answered with the status {response.status_code}")
                    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
                        raise SourceError(f"{address} is sent compressed, which nobody has asked for")
                    data = bytearray()
                    for piece in response.iter_raw():
                        data += piece
                        if len(data) > most:
                            raise SourceError(f"{address} is larger than {most // (1024 * 1024)} MiB")
                        if time.monotonic() > until:
                            raise SourceError(f"{address} did not come within {_SECONDS:g} s")
                    return bytes(data)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise SourceError(f"{address} cannot be reached") from error
    raise SourceError(f"{address} leads on and on")
