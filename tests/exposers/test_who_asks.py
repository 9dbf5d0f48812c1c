"""Who asks comes before what is asked: nobody learns anything of a gate but that credentials are needed."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from gateways import gateway, shop
from support import Upstream, write

AUTH = "authentication: {type: bearer, token: '{{env.SHOP_KEY}}'}"


@pytest.mark.parametrize("count", [1, 2])
async def test_a_query_that_cannot_be_read(tmp_path: Path, recorder: Upstream, count: int) -> None:
    for name in ("alpha", "beta")[:count]:
        line = "namespace: " + name + "-rest\n"
        head, mark, rest = shop(name, path=f"/v1/{name}").partition(line)
        indent = " " * (len(head) - len(head.rstrip(" ")))
        write(tmp_path, f"{head}{mark}{indent}{AUTH}\n{rest}", f"{name}.yaml")
    arguments = (str(tmp_path), "--base-uri", f"*={recorder.url}")
    async with gateway(*arguments, environment={"SHOP_KEY": "a-key-of-the-shop"}) as (served, _):
        url = served.urls["alpha-rest"]
        origin = url[: url.index("/", 8)] if "/" in url[8:] else url
        async with httpx.AsyncClient() as client:
            for query in ("", "?x=%FF", "?" + "&".join("a=1" for _ in range(10_001))):
                assert (await client.get(f"{origin}/v1/alpha{query}")).status_code == 401, query[:20]
            right = {"Authorization": "Bearer a-key-of-the-shop"}
            assert (await client.get(f"{origin}/v1/alpha", headers=right)).status_code == 200
            assert (await client.get(f"{origin}/v1/alpha?x=%FF", headers=right)).status_code == 400
    assert len(recorder.requests) == 1
