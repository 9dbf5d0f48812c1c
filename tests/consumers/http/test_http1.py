"""The HTTP/1.1 client byte by byte: what is certain is taken, what is not is refused, what is odd ends it."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import httpx
import pytest
import uvloop
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from naftiko.consumers.http.pools import load_pool
from naftiko.consumers.http.pools.settings import PoolSettings
from naftiko.consumers.http.wire import Upload, WireRequest, WireResponse

Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any]


@asynccontextmanager
async def upstream(script: Script) -> AsyncIterator[str]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await script(reader, writer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()  # whose connections end with those of the client


def pool_of(kind: str, url: str, connections: int = 4) -> httpx.AsyncBaseTransport:
    make: Any = load_pool(kind)
    return make(PoolSettings(url, 5.0, 30.0, connections))


async def asked(
    pool: httpx.AsyncBaseTransport, url: str, method: str = "GET", content: bytes | None = None
) -> tuple[int, tuple[tuple[str, str], ...], bytes]:
    response = await pool.handle_async_request(WireRequest(method, f"{url}/x", [("Accept", "*/*")], content, {}))
    assert isinstance(response, WireResponse)
    if response.whole is not None:
        return response.status_code, tuple(response.pairs), response.whole
    body = b"".join([chunk async for chunk in response.stream])
    await response.stream.aclose()
    return response.status_code, tuple(response.pairs), body


def sending(pieces: Sequence[bytes]) -> Script:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for piece in pieces:
            if writer.transport.is_closing():
                return
            writer.write(piece)
            for _ in range(3):
                await asyncio.sleep(0)

    return script


async def outcome(kind: str, pieces: Sequence[bytes], method: str) -> object:
    async with upstream(sending(pieces)) as url:
        pool = pool_of(kind, url)
        try:
            return await asyncio.wait_for(asked(pool, url, method), 60)
        except httpx.HTTPError:
            return "refused"
        except TimeoutError:  # aiohttp's client sometimes waits for the rest of a chunk that is broken
            assert kind == "aiohttp"
            return "refused"
        finally:
            await pool.aclose()


LINES = st.sampled_from(
    [
        "Content-Length: 5",
        "Content-Length: 3",
        "content-length: 0",
        "Content-Length: 5, 5",
        "Content-Length: -1",
        "Content-Length: 99999999999999999999999",
        "Content-Length : 5",
        "Transfer-Encoding: chunked",
        "transfer-encoding: CHUNKED",
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding: identity",
        "Transfer-Encoding:\tchunked",
        "Connection: close",
        "Connection: keep-alive",
        "Connection: upgrade",
        "Upgrade: h2c",
        "Keep-Alive: timeout=5",
        "X-Folded: a\r\n b",
        "X-Odd: a\x01b",
        "X-Empty:",
        "X-Spaces:   a   ",
        "Ümlaut: ü",
        "no colon",
        ": no name",
    ]
)
STATUSES = st.sampled_from(
    [
        "HTTP/1.1 200 OK",
        "HTTP/1.1 200",
        "HTTP/1.0 200 OK",
        "HTTP/1.1 404 Not Found",
        "HTTP/1.1 204 No Content",
        "HTTP/1.1 304 Not Modified",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK",
        "HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\nHTTP/1.1 200 OK",
        "HTTP/1.1 101 Switching Protocols",
        "HTTP/1.1 99 OK",
        "HTTP/2 200",
        "ICY 200 OK",
        "",
    ]
)
BODIES = st.sampled_from(
    [
        b"",
        b"hello",
        b"hello, and more",
        b"5\r\nhello\r\n0\r\n\r\n",
        b"5\r\nhello\r\n0\r\nTrailer: x\r\n\r\n",
        b"5;ext=1\r\nhello\r\n0\r\n\r\n",
        b"5 \r\nhello\r\n0\r\n\r\n",
        b"5\r\nhello\r\n",
        b"05\r\nhello\r\n00\r\n\r\n",
        b"5\nhello\n0\n\n",
        b"-5\r\nhello\r\n0\r\n\r\n",
        b"0x5\r\nhello\r\n0\r\n\r\n",
        b"5\r\nhelloX\r\n0\r\n\r\n",
        b"FFFFFFFFFFFFFFFFF\r\nhello\r\n0\r\n\r\n",
        b"0\r\n\r\n",
        b"helloHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno",
    ]
)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # aiohttp's, where a test is given up
@settings(max_examples=200, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    status=STATUSES,
    lines=st.lists(LINES, max_size=4),
    end=st.sampled_from(["\r\n", "\r\n", "\r\n", "\n"]),
    body=BODIES,
    cuts=st.lists(st.integers(0, 200), max_size=6),
    noise=st.tuples(st.integers(0, 400), st.binary(max_size=2)),
    is_noisy=st.sampled_from([False, False, True]),
    method=st.sampled_from(["GET", "GET", "POST", "HEAD"]),
)
@example("HTTP/1.1 200 OK", ["Content-Length: 5"], "\r\n", b"hello", [1, 2, 3], (0, b""), False, "GET")
@example("HTTP/1.1 200 OK", ["Content-Length: 5", "Content-Length: 3"], "\r\n", b"hello", [], (0, b""), False, "GET")
def test_any_answer_in_any_pieces(
    status: str,
    lines: list[str],
    end: str,
    body: bytes,
    cuts: list[int],
    noise: tuple[int, bytes],
    is_noisy: bool,
    method: str,
) -> None:
    """The same as aiohttp's client gives, or a refusal; never another answer."""
    data = (end.join([status, *lines]) + end + end).encode("latin-1") + body
    if is_noisy:
        place = noise[0] % (len(data) + 1)
        data = data[:place] + noise[1] + data[place:]
    places = sorted({cut % (len(data) + 1) for cut in cuts} | {0, len(data)})
    pieces = [data[start:stop] for start, stop in itertools.pairwise(places)]

    async def compared() -> tuple[object, list[object]]:
        ours = await outcome("http1", pieces, method)
        theirs = [await outcome("aiohttp", pieces, method)]
        if isinstance(ours, tuple) and theirs == ["refused"]:
            # What comes after the end is no part of an answer; aiohttp refuses both where they come together.
            ends = [
                place for place in range(len(data)) if data[:place].endswith((b"\r\n\r\n", b"\n\n", ours[2] or b"\n"))
            ]
            theirs += [await outcome("aiohttp", [data[:end]], method) for end in ends]
        return ours, theirs

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        ours, theirs = runner.run(compared())
    assert ours == "refused" or ours in theirs


ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@pytest.mark.parametrize(
    ("first", "connections"),
    [
        (ANSWER, 1),
        (b"HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n" + ANSWER, 1),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 1),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nA: b\r\n\r\n", 1),
        (ANSWER + b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged", 2),
        (ANSWER + b"more", 2),
        (b"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nok", 2),
        (b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 2\r\n\r\nok", 2),
        (b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok", 2),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", 2),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", 2),
        (b"HTTP/1.1 200 OK\r\nKeep-Alive: timeout=1\r\nContent-Length: 2\r\n\r\nok", 2),
    ],
)
async def test_when_a_connection_is_used_again(first: bytes, connections: int) -> None:
    seen = 0

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal seen
        seen += 1
        while True:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(first)

    async with upstream(script) as url:
        pool = pool_of("http1", url)
        answers = [await asked(pool, url) for _ in range(2)]
        await pool.aclose()
    assert answers[0] == answers[1]
    assert answers[0][2] in (b"ok", b"")
    assert seen == connections


@pytest.mark.parametrize(
    "fields",
    [
        b"Content-Length: 2\r\nContent-Length: 2\r\n",
        b"Content-Length: 2\r\nContent-Length: 3\r\n",
        b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n",
        b"Content-Length : 2\r\n",
        b"Content-Length: 2\r\n 3\r\n",
        b"".join(b"X-%d: a\r\n" % number for number in range(1001)),
        b"X: " + b"a" * 300_000 + b"\r\n",
    ],
)
async def test_what_means_two_things_is_refused(fields: bytes) -> None:
    async with upstream(sending([b"HTTP/1.1 200 OK\r\n" + fields + b"\r\nok"])) as url:
        pool = pool_of("http1", url)
        with pytest.raises(httpx.DecodingError):
            await asked(pool, url)
        await pool.aclose()


async def test_a_head_that_never_ends() -> None:
    """Interim answers without end, and a header without end, take no memory without end."""
    for piece in (b"HTTP/1.1 103 Early Hints\r\n\r\n", b"HTTP/1.1 200 OK\r\nX: a"):
        async with upstream(sending([piece, *[piece if piece.endswith(b"\n") else b"a" * 4096] * 20_000])) as url:
            pool = pool_of("http1", url)
            with pytest.raises(httpx.DecodingError, match="too large"):
                await asked(pool, url)
            await pool.aclose()


@pytest.mark.parametrize(
    "pairs",
    [
        [("X", "a\r\nY: b")],
        [("X", "a\nb")],
        [("X", "a\rb")],
        [("X", "a\0")],
        [("X Y", "a")],
        [("", "a")],
        [("X:", "a")],
    ],
)
async def test_what_cannot_be_a_header_is_not_sent(pairs: list[tuple[str, str]]) -> None:
    pool = pool_of("http1", "http://127.0.0.1:1")
    with pytest.raises(httpx.LocalProtocolError):
        await pool.handle_async_request(WireRequest("GET", "http://127.0.0.1:1/x", pairs, None, {}))
    for target in ("/a b", "/a\r\nX: b", "/ü"):
        with pytest.raises(httpx.InvalidURL):
            await pool.handle_async_request(WireRequest("GET", "http://127.0.0.1:1" + target, [], None, {}))


async def test_who_waits_for_a_connection_is_served_in_turn() -> None:
    order: list[bytes] = []
    free = asyncio.Event()

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            await free.wait()
            order.append(head.split()[1])
            writer.write(ANSWER)

    async with upstream(script) as url:
        pool = pool_of("http1", url, connections=1)
        requests = [WireRequest("GET", f"{url}/{number}", [], None, {}) for number in range(6)]
        tasks = []
        for request in requests:
            tasks.append(asyncio.create_task(pool.handle_async_request(request)))
            await asyncio.sleep(0)
        for given_up in (tasks[2], tasks[0]):  # one that waits, and the one whose request was sent
            given_up.cancel()
            with suppress(asyncio.CancelledError):
                await given_up
        free.set()
        answers = await asyncio.gather(tasks[1], *tasks[3:])
        await pool.aclose()
    assert [answer.status_code for answer in answers] == [200] * 4
    assert [path for path in order if path != b"/0"] == [b"/1", b"/3", b"/4", b"/5"]


async def test_an_upstream_waits_for_who_reads_slowly() -> None:
    """Of an answer that nobody reads little is held, and the whole of it arrives."""
    size, sent = 64 * 1024 * 1024, 0
    piece = b"x" * 256 * 1024

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        while sent < size:
            writer.write(piece)
            await writer.drain()
            sent += len(piece)
        await reader.readuntil(b"\r\n\r\n")
        writer.write(ANSWER)

    async with upstream(script) as url:
        pool = pool_of("http1", url)
        response = await pool.handle_async_request(WireRequest("GET", f"{url}/x", [], None, {}))
        before = -1
        while before != sent:  # until nothing moves any more
            before = sent
            await asyncio.sleep(0.05)
        assert sent < size / 2
        body = response.stream
        assert isinstance(body, httpx.AsyncByteStream)
        assert sum([len(chunk) async for chunk in body]) == size
        await body.aclose()
        assert (await asked(pool, url))[2] == b"ok", "the connection is used again, and reads"
        await pool.aclose()


async def test_credentials_in_an_address_and_other_addresses() -> None:
    heads: list[bytes] = []

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(ANSWER)

    async with upstream(script) as url, upstream(script) as other:
        authority = url.partition("//")[2]
        pool = pool_of("http1", f"http://us%65r:pass@{authority}")
        await asked(pool, f"http://us%65r:pass@{authority}")
        await asked(pool, other)
        await pool.handle_async_request(WireRequest("GET", f"{other}?a=b#c", [("Host", "named")], None, {}))
        await pool.aclose()
    assert b"\r\nAuthorization: Basic dXNlcjpwYXNz\r\n" in heads[0]
    assert f"\r\nHost: {authority}\r\n".encode() in heads[0]
    assert b"Authorization" not in heads[1]
    assert heads[2].startswith(b"GET /?a=b HTTP/1.1\r\nHost: named\r\n")


async def test_a_connection_that_was_given_up_while_nobody_used_it() -> None:
    """What changes nothing is sent again on a new one; nothing else is."""
    count = 0

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal count
        count += 1
        await reader.readuntil(b"\r\n\r\n")
        writer.write(ANSWER)
        await reader.readuntil(b"\r\n\r\n")  # and leaves without an answer

    async with upstream(script) as url:
        pool = pool_of("http1", url)
        assert [(await asked(pool, url))[0] for _ in range(3)] == [200] * 3
        assert count == 3
        with pytest.raises(httpx.RemoteProtocolError):
            await asked(pool, url, "POST", b"{}")
        await pool.aclose()


@pytest.mark.parametrize("pieces", [[b"abc", b"defg"], [b"abc"], []])
async def test_a_body_that_is_not_of_its_length(pieces: list[bytes]) -> None:
    """What is too much would be the next request, what is too little would wait for it: the connection ends."""
    got = bytearray()

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(100):
            got.extend(data)

    async def body() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    async with upstream(script) as url:
        pool = pool_of("http1", url)
        request = WireRequest("POST", f"{url}/x", [], None, {})
        request.upload = Upload(body(), 5)
        with pytest.raises(httpx.TransportError):
            await pool.handle_async_request(request)
        await pool.aclose()
    assert b"defg" not in got
