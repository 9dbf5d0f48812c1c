"""The skill adapter as an ASGI application."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import unquote

from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from naftiko.engine.aside import aside
from naftiko.engine.life import Life
from naftiko.exposers import folders
from naftiko.exposers.adapter import ExposedAdapter
from naftiko.exposers.asgi import not_http, raw_path
from naftiko.exposers.calling import GONE, Told
from naftiko.exposers.folders import is_hidden, media_type, opened
from naftiko.exposers.problems import problem
from naftiko.exposers.requests import request_id
from naftiko.exposers.skills.archive import archive
from naftiko.exposers.skills.described import listed, whole
from naftiko.plan import FilesPlan, SkillPlan, SkillsPlan
from naftiko.values.jsontext import encode

_PIECE = 256 * 1024
_ROOT = "skills"
_log = logging.getLogger("naftiko.skills")


class SkillsApp:
    """Answers at `/skills` and below."""

    def __init__(self, adapter: ExposedAdapter[SkillsPlan]) -> None:
        self._adapter = adapter
        self._skills = {skill.name: skill for skill in adapter.plan.units}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await not_http(scope, receive, send)
            return
        path = raw_path(scope)
        life = Life(request_id(scope))
        life.ends = time.perf_counter() + self._adapter.engine.total
        told = Told(time.perf_counter(), life, scope["method"], path[:200], self._adapter, _kind(path))
        try:
            response = await self._answer(scope["method"], path, life)
        except asyncio.CancelledError:
            told.tell(GONE, error="cancelled")
            raise
        except Exception:
            _log.exception("a request for a skill failed")
            response = problem(500, "internal-error", "The call failed", "the log says what happened")
        response.headers["x-request-id"] = str(life.request_id)
        await response(scope, receive, send)
        told.tell(response.status_code)

    async def _answer(self, method: str, path: str, life: Life) -> Response:
        if method not in ("GET", "HEAD"):
            detail = "skills are read with GET"
            return problem(405, "method-not-allowed", "The method is not allowed", detail, {"Allow": "GET, HEAD"})
        root, *segments = [unquote(segment) for segment in path.strip("/").split("/")]
        if root != _ROOT:
            return _missing("skills are at /skills")
        if not segments:
            whole_ones = [skill for skill in self._skills.values() if skill.function.broken is None]
            return _json(listed(whole_ones))
        skill = self._skills.get(segments[0])
        if skill is None:
            return _missing(f"there is no skill `{segments[0][:100]}`; /skills lists them")
        if skill.function.broken is not None:
            return problem(501, "not-runnable", "The skill cannot be served", skill.function.broken)
        match segments[1:]:
            case []:
                return _json(whole(skill))
            case ["download"]:
                return await self._download(skill, life)
            case ["contents"]:
                return await self._contents(skill, life)
            case ["contents", *parts]:
                return await self._file(skill, "/".join(parts), life)
        return _missing("a skill has /download, /contents and /contents/{file}")

    async def _download(self, skill: SkillPlan, life: Life) -> Response:
        """The skill's files as an archive."""
        if skill.files is None:
            return _missing(f"the skill `{skill.name}` has no files here")
        pieces = archive(skill.files)

        async def body() -> AsyncIterator[bytes]:
            while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
                yield piece

        safe = "".join(
            letter if (letter.isascii() and letter.isalnum()) or letter in "-_." else "-" for letter in skill.name
        )
        disposition = {"Content-Disposition": f'attachment; filename="{safe}.zip"'}
        return StreamingResponse(body(), headers=disposition, media_type="application/zip")

    async def _contents(self, skill: SkillPlan, life: Life) -> Response:
        """The list of the skill's files."""
        files = skill.files
        if files is None:
            return _missing(f"the skill `{skill.name}` has no files here")
        return _json({"name": skill.name, "files": await aside(life, lambda: _listed(files))})

    async def _file(self, skill: SkillPlan, relative: str, life: Life) -> Response:
        """One of the skill's files, piece by piece."""
        files = skill.files
        if files is None:
            return _missing(f"the skill `{skill.name}` has no files here")
        if is_hidden(relative):
            return problem(400, "unsafe-path", "The path is not safe", "a path has no empty, hidden or `..` part")
        try:
            source = await aside(life, lambda: opened(files, relative))
        except FileNotFoundError:
            return _missing(f"the skill `{skill.name}` has no such file")
        except OSError as error:
            return problem(500, "unreadable", "The file cannot be read", (error.strerror or "unknown reason").lower())

        async def body() -> AsyncIterator[bytes]:
            with source:
                while piece := await asyncio.to_thread(source.read, _PIECE):
                    yield piece

        return StreamingResponse(body(), media_type=media_type(relative, None))


def _kind(path: str) -> str | None:
    """What a path is of, for what is counted: a caller can make up any number of paths."""
    root, *segments = path.strip("/").split("/")
    if root != _ROOT:
        return None
    whole = ["{name}", *segments[1:2], *(["{file}"] if len(segments) > 2 else [])] if segments else []
    return "/".join(("/skills", *whole)) if segments[1:2] in ([], ["download"], ["contents"]) else None


def _listed(files: FilesPlan) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    for relative, facts in folders.listed(Path(files.location)):
        found.append({"path": relative, "size": facts.st_size, "type": media_type(relative, None)})
    return found


def _json(found: object) -> Response:
    return Response(encode(found), media_type="application/json")


def _missing(detail: str) -> Response:
    return problem(404, "not-found", "There is nothing here", detail)
