"""What stands around an exchange with an upstream."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

import naftiko
from naftiko import Limits, UpstreamTimeout
from naftiko.consumers.http.request import Outgoing
from naftiko.consumers.http.transport import Response as Answer
from naftiko.engine.life import Life
from naftiko.engine.upstream import Exchange
from support import Upstream, one_operation, opened


def again(exchange: Exchange) -> Exchange:
    """Sends once more what was answered with 503, or not in time."""

    async def twice(outgoing: Outgoing, life: Life) -> Answer:
        try:
            response = await exchange(outgoing, life)
        except UpstreamTimeout:
            return await exchange(outgoing, life)
        return await exchange(outgoing, life) if response.status == 503 else response

    return twice


DIGEST = "authentication: {type: digest, username: u, password: p}"


@pytest.mark.parametrize("auth", ["", "authentication: {type: bearer, token: t0ken-t0ken}", DIGEST])
async def test_a_request_that_a_layer_sends_again(tmp_path: Path, recorder: Upstream, auth: str) -> None:
    """It is the same to the last header: sending changes nothing of it."""
    failures = [503]

    async def respond(request: Request) -> Response:
        if auth == DIGEST and "authorization" not in request.headers:
            return Response(status_code=401, headers={"WWW-Authenticate": 'Digest realm="r", nonce="n", qop="auth"'})
        return Response(status_code=failures.pop()) if failures else JSONResponse({"ok": True})

    recorder.respond = respond
    text = one_operation("method: POST\ninputParameters: [{name: body, in: body}]", auth=auth)
    async with opened(tmp_path, text, recorder, layers=(again,)) as runtime:
        answer = await runtime.call("do", {"body": {"a": 1}})
    assert (answer.status, answer.value()) == (200, {"ok": True})
    sent = [request for request in recorder.requests if auth != DIGEST or request.header("authorization")]
    assert len(sent) == 2
    assert sent[0].body == sent[1].body == b'{"a":1}'
    names = [sorted(name for name, _ in request.headers) for request in sent]
    assert names[0] == names[1]
    assert len(names[0]) == len(set(names[0])), "no header twice"


async def test_a_sending_has_a_time_of_its_own(tmp_path: Path, recorder: Upstream) -> None:
    """The call has more: what is sent again may still be answered."""
    first = [True]

    async def respond(request: Request) -> Response:
        if first:
            first.pop()
            await asyncio.sleep(30)
        return JSONResponse({})

    recorder.respond = respond
    limits = Limits(attempt=0.2, total=60)
    async with opened(tmp_path, one_operation("method: GET"), recorder, limits=limits, layers=(again,)) as runtime:
        assert (await runtime.call("do")).status == 200
    first.append(True)
    async with opened(tmp_path, one_operation("method: GET"), recorder, limits=limits) as runtime:
        with pytest.raises(naftiko.UpstreamTimeout, match=r"did not answer within 0\.2 s"):
            await runtime.call("do")
