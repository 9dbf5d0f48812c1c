"""`naftiko import curl`: a command that somebody has copied, credentials and all."""

from __future__ import annotations

from pathlib import Path

import pytest

from naftiko.authoring.commands import words
from naftiko.authoring.curl import convert_command
from naftiko.authoring.dialects import DIALECTS
from naftiko.authoring.openapi.writing import Options
from naftiko.errors import SetupError
from support import Upstream, command, read_yaml

COPIED = r"""
curl 'https://api.acme.example/v1/users/123/orders?limit=10&expand=lines&expand=notes&api_key=sk_live_12345678' \
  -X POST -H 'Authorization: Bearer abcdef.secret.token123' -H 'Content-Type: application/json' \
  -H 'X-Version: 2026-01-31' \
  -H 'sec-ch-ua: "x"' -H "User-Agent: Mozilla" --compressed -k -b 'session=abc' \
  --data-raw $'{"name":"O\'Neil","qty":2,"tags":["a"],"ship":{"city":"Oslo"},"password":"hunter22"}'
"""


def converted(text: str) -> tuple[dict, list[str]]:
    written, notes = convert_command(text, Options(DIALECTS["ikanos"]))
    return read_yaml(written.text), notes


async def test_from_a_command_to_a_call(recorder: Upstream, tmp_path: Path) -> None:
    file = tmp_path / "orders.yaml"
    status, out, err = await command("import", "curl", "-", "--output", str(file), stdin=COPIED.encode())
    assert (status, out) == (0, "")
    assert "cookies of the command are left out" in err
    assert "`--insecure` is left out: certificates are checked" in err
    assert "it reads ACME_TOKEN, ACME_API_KEY" in err
    text = file.read_text()
    for secret in ("sk_live", "abcdef", "session", "hunter22"):
        assert secret not in text
    status, out, _ = await command("validate", "--strict", str(file))
    assert (status, out) == (0, "1 file checked: nothing to report\n")
    given = ("user-id=5", "name=Ada", "qty=1", 'tags=["b"]', 'ship={"city": "Bergen"}', "password=p", "expand=[1,2]")
    keys = {"ACME_TOKEN": "token-12345", "ACME_API_KEY": "key-12345"}
    status, _, err = await command(
        "call", str(file), "create-order", *given, "--base-uri", recorder.url, environment=keys
    )
    assert status == 0, err
    sent = recorder.last
    assert sent.target == "/v1/users/5/orders?api_key=key-12345&expand=1&expand=2"
    assert (sent.header("authorization"), sent.header("x-version")) == ("Bearer token-12345", "2026-01-31")
    assert sent.json() == {"name": "Ada", "qty": 1, "tags": ["b"], "ship": {"city": "Bergen"}, "password": "p"}


@pytest.mark.parametrize(
    ("text", "method", "path", "body"),
    [
        ("curl example.com", "GET", "/", None),
        ("$ curl -sSL https://x.example/a/b", "GET", "/a/b", None),
        ("curl -G https://x.example/a -d q=1 --data-urlencode 'r=a b'", "GET", "/a", None),
        ("curl https://x.example/f -d a=1 -d b=two", "POST", "/f", {"a": "{{tools.a}}", "b": "{{tools.b}}"}),
        ("curl --json '{\"a\": 1}' https://x.example/j", "POST", "/j", None),
        ("curl -XPUT -d'[1,2]' -H'Content-Type:application/json' https://x.example/j", "PUT", "/j", None),
        ("curl -F file=@a.png -F note=hi https://x.example/up", "POST", "/up", "multipartForm"),
        ("curl -X DELETE https://x.example/items/6f1e2d3c-0a1b-4c5d-8e9f-001122334455 | jq .", "DELETE", None, None),
        ("curl https://x.example/q --url-query a=1", "GET", "/q", None),
        ("curl -X GET -d a=1 https://x.example/q", "GET", "/q", None),
        ("curl --data-urlencode 'a=1&b=%' https://x.example/f", "POST", "/f", {"a": "{{tools.a}}"}),
        ("curl -X POST https://x.example/jobs/start -d ''", "POST", "/jobs/start", None),
        ("curl https://x.example/blog/2024-01-my-first-post-title", "GET", "/blog/2024-01-my-first-post-title", None),
        ("curl https://x.example/models/gpt-4o-mini-2024", "GET", "/models/gpt-4o-mini-2024", None),
        ("curl https://x.example/getAllCustomersWithOrders", "GET", "/getAllCustomersWithOrders", None),
        ("curl https://x.example/f --data-urlencode n@file", "POST", "/f", {"n": "{{tools.n}}"}),
        ("curl -d t=1 -d t=2 https://x.example/f", "POST", "/f", {"t": "{{tools.t}}"}),
        ("curl https://x.example/a;rm -rf /", "GET", "/a", None),
        ("curl https://x.example/a 2>/dev/null", "GET", "/a", None),
        ("curl https://x.example/a # all of them", "GET", "/a", None),
        ("curl --retry-max-time 3 --max-filesize 10 https://x.example/a", "GET", "/a", None),
        ("curl 'x.example/a?next=https://y.example/b'", "GET", "/a", None),
        ("curl -d @body.json -H 'Content-Type: application/json' https://x.example/j", "POST", "/j", None),
    ],
)
def test_what_commands_become(text: str, method: str, path: str | None, body: object) -> None:
    document, _ = converted(text)
    resource = next(iter(document["capability"]["consumes"][0]["resources"].values()))
    operation = next(iter(resource["operations"].values()))
    assert operation["method"] == method
    assert path is None or resource["path"] == path
    if isinstance(body, dict):
        assert operation["body"]["data"] == body
    elif isinstance(body, str):
        assert operation["body"]["type"] == body


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        ("-u me:hunter22", {"type": "basic", "username": "{{env.X_USERNAME}}", "password": "{{env.X_PASSWORD}}"}),
        (
            "--digest -u me:hunter22",
            {"type": "digest", "username": "{{env.X_USERNAME}}", "password": "{{env.X_PASSWORD}}"},
        ),
        ("--oauth2-bearer hunter22", {"type": "bearer", "token": "{{env.X_TOKEN}}"}),
        ("-H 'Authorization: token hunter22'", {"key": "Authorization", "placement": "header"}),
        ("-H 'X-Api-Key: hunter22'", {"key": "X-Api-Key", "placement": "header"}),
        ("-H 'X-Odd: ghp_hunter22hunter22'", {"key": "X-Odd", "placement": "header"}),
        ("-H 'X-Session: hunter22'", {"key": "X-Session", "placement": "header"}),
        ("-H 'X-CSRFToken: hunter22'", {"key": "X-CSRFToken", "placement": "header"}),
    ],
)
def test_credentials_become_variables(option: str, expected: dict) -> None:
    written, _ = convert_command(f"curl {option} https://x.example/a", Options(DIALECTS["ikanos"]))
    assert "hunter22" not in written.text
    found = read_yaml(written.text)["capability"]["consumes"][0]["authentication"]
    assert expected.items() <= found.items()
    assert "hunter22" not in convert_command("curl https://me:hunter22@x.example/", Options(DIALECTS["ikanos"]))[0].text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "there is no command"),
        ("wget https://x.example", "this is no curl command: it begins with `wget`"),
        ("curl", "the command has no URL"),
        ("curl 'https://x.example", "the quote that begins at character 6 is not closed"),
        ("curl https://a.example https://b.example", "the command has 2 URLs"),
        ("curl file:///etc/passwd", "is no URL of http or https"),
        ("curl https://$HOST/a", "is no URL of http or https"),
        ("curl -I https://x.example/", "HEAD is no request that a capability consumes"),
        ("curl https://[::1", "is no URL"),
    ],
)
def test_what_is_no_command(text: str, told: str) -> None:
    with pytest.raises(SetupError) as caught:
        converted(text)
    assert told in str(caught.value)


def test_no_text_of_a_command_becomes_a_template() -> None:
    document, _ = converted(
        "curl 'https://x.example/a/{{env.HOME}}?b={{env.HOME}}' -H 'X-A: {{env.HOME}}' -d '{{env.HOME}}=1'"
    )
    assert "binds" not in document
    assert "env.HOME}}" not in str(document["capability"]["consumes"][0]["resources"]).replace("`", "")


@pytest.mark.parametrize(
    "text",
    [
        "curl 'https://x.example/a?authToken=hunter22'",
        "curl 'https://x.example/a?clientSecret=hunter22&pin=hunter22&sid=hunter22&jwt=hunter22'",
        "curl https://x.example/a -d pwd=hunter22 -d userPass=hunter22 -d otp=hunter22",
        'curl https://x.example/a --json \'{"x": {"accessKey": "hunter22", "privateKey": "hunter22"}}\'',
        "curl https://x.example/a -H 'Proxy-Authorization: Basic hunter22'",
        "curl https://x.example/a -F secretKey=hunter22",
        "curl https://x.example/botT0k3n.hunter22.aXbYcZ19/send",
        "curl 'https://x.example/bot123456:SEKRIThunter22FGH123456/sendMessage'",
        "curl https://x.example/services/T01ABCDEF/hunter22aBcDeFgHiJk",
    ],
)
def test_no_secret_is_an_example(text: str) -> None:
    written, notes = convert_command(text, Options(DIALECTS["ikanos"]))
    assert "hunter22" not in written.text + "".join(notes)


def test_characters_in_halves() -> None:
    """As browsers copy them."""
    document, _ = converted(r"curl https://x.example/a --data-raw $'{\"a\":\"\ud83d\ude00 \ud83d\"}'")
    assert "\U0001f600 \ufffd" in str(document)


def test_what_is_said_of_a_command() -> None:
    assert converted("curl localhost:8080/a")[0]["capability"]["consumes"][0]["baseUri"] == "http://localhost:8080"
    assert any("no scheme" in note for note in converted("curl localhost:8080/a")[1])
    assert any("a GET is sent without" in note for note in converted("curl -X GET -d a=1 https://x.example/q")[1])
    document, _ = converted("curl 'https://x.example/a?pageToken=abc&sortKey=name'")
    assert "authentication" not in document["capability"]["consumes"][0], "these are no credentials"
    tool = next(
        iter(converted("curl -d t=1 -d t=2 https://x.example/f")[0]["capability"]["exposes"][1]["tools"].values())
    )
    assert tool["inputParameters"]["t"]["type"] == "array"


def test_words_as_a_shell_reads_them() -> None:
    assert words("a 'b c' \"d \\\" $e\" f\\ g $'h\\n\\u00e5' i'j'k") == ["a", "b c", 'd " $e', "f g", "h\nå", "ijk"]
    assert words("a \\\n  b \\\r\n c ; d") == ["a", "b", "c"]
    with pytest.raises(SetupError, match="longer than"):
        words("x" * 1_000_001)
