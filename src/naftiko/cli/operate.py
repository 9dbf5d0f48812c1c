"""`naftiko status|health|logs|reload|scripting`: asks the control port of a process that serves."""

from __future__ import annotations

import json
import os
import ssl
import sys
from typing import Annotated, Any

import httpx
import typer

from naftiko.cli.loading import fail
from naftiko.validation.render.text import printable

URL = "http://127.0.0.1:9090"
CA, CERT, KEY = "NAFTIKO_CONTROL_CA", "NAFTIKO_CONTROL_CERT", "NAFTIKO_CONTROL_KEY"
"""Variables that name files in PEM: whom to trust, and what to show where callers must show a certificate."""

Url = Annotated[str, typer.Argument(metavar="[URL]", help="The control port.")]
Token = Annotated[
    str | None,
    typer.Option("--token", metavar="TOKEN", envvar="NAFTIKO_CONTROL_TOKEN", help="The port's bearer token."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the answer as it came.")]


def asked(method: str, url: str, path: str, token: str | None, *, least: int = 400, **named: Any) -> httpx.Response:
    """The control port's answer; exits with 2 where there is none, or one that is no answer to the question."""
    if "://" not in url:
        url = f"http://{url}"
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        answer = httpx.request(
            method, f"{url.rstrip('/')}{path}", headers=headers, timeout=30, verify=_trusted(), **named
        )
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            fail(f"the certificate of {url} is not trusted; {CA} names a file with those that are")
        if isinstance(error, httpx.RemoteProtocolError) and url.startswith("http://"):
            fail(f"{url} answers no HTTP; if it serves https, write https://")
        fail(f"{url} does not answer ({type(error).__name__}); is a control port there? (`naftiko run --control PORT`)")
    if answer.status_code == 401:
        fail(f"{url} asks for credentials: give a token with --token, or in NAFTIKO_CONTROL_TOKEN")
    if answer.status_code == 404 and not _says_why(answer):
        fail(f"{url}{path} is not there: the control adapter does not offer it, or this is another port")
    if answer.status_code >= least and answer.status_code not in (409, 503):
        fail(f"{url}{path} answered {answer.status_code}: {printable(answer.text[:300])}")
    return answer


def _says_why(answer: httpx.Response) -> bool:
    """Whether an answer is a control port's own word for what is not there."""
    return answer.headers.get("content-type", "").startswith("application/json") and b'"error"' in answer.content


def _trusted() -> ssl.SSLContext:
    """What certificates are held against, and the one that is shown where callers must show one."""
    context = ssl.create_default_context()
    try:
        if os.environ.get(CA):
            context.load_verify_locations(os.environ[CA])
        if os.environ.get(CERT):
            context.load_cert_chain(os.environ[CERT], os.environ.get(KEY) or None)
    except (OSError, ValueError) as error:
        fail(f"{CA}, {CERT} and {KEY} name no certificates that can be used: {error}")
    return context


def printed(answer: httpx.Response, *, as_json: bool) -> Any:
    """The answer's object; printed already where it is to be as it came."""
    try:
        found = answer.json()
    except ValueError:
        fail(f"{answer.url} answered no JSON; this is no control port")
    if as_json:
        indent = 2 if sys.stdout.isatty() else None
        typer.echo(json.dumps(found, indent=indent, ensure_ascii=False))
    return found


def _app() -> typer.Typer:
    settings = {"help_option_names": ["-h", "--help"]}
    return typer.Typer(rich_markup_mode=None, add_completion=False, context_settings=settings)


health, status, logs, reload = _app(), _app(), _app(), _app()
metrics, traces, scripting = _app(), _app(), _app()


@health.command()
def health_(url: Url = URL, token: Token = None, as_json: AsJson = False) -> None:
    """Ask whether everything that is to be served answers.

    Exit status: 0 it does, 1 something does not, 2 nobody answers.

    Example: naftiko health http://127.0.0.1:9990
    """
    answer = asked("GET", url, "/health/ready", token)
    found = printed(answer, as_json=as_json)
    if not as_json:
        typer.echo(found.get("status", "UP"))
        for item in found.get("adapters", []):
            if item.get("state") != "started":
                typer.echo(f"  {item.get('type')} {printable(str(item.get('namespace')))}: {item.get('state')}")
        for item in found.get("aside", []):
            typer.echo(f"  set aside: {printable(str(item.get('file')))}: {printable(str(item.get('reason')))}")
    raise typer.Exit(0 if answer.status_code == 200 else 1)


@status.command()
def status_(url: Url = URL, token: Token = None, as_json: AsJson = False) -> None:
    """Show what is served, by which version, and since when.

    Example: naftiko status http://127.0.0.1:9990
    """
    found = printed(asked("GET", url, "/status", token), as_json=as_json)
    if as_json:
        return
    capability, engine = found.get("capability", {}), found.get("engine", {})
    title = capability.get("display") or capability.get("label") or "(no title)"
    typer.echo(f"{printable(str(title))}, engine {engine.get('version')}, up for {found.get('uptime')}")
    for item in found.get("adapters", []):
        port = f":{item['port']}" if "port" in item else ""
        kind, name = str(item.get("type")).ljust(7), printable(str(item.get("namespace")))
        typer.echo(f"  {kind} {name}{port} {item.get('state')}")


@logs.command()
def logs_(
    url: Url = URL,
    token: Token = None,
    count: Annotated[int, typer.Option("--count", "-n", min=1, max=10_000, help="How many lines.")] = 100,
    level: Annotated[str, typer.Option("--level", help="The least level.")] = "debug",
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with each line as it is written.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show the last lines of the log.

    Example: naftiko logs http://127.0.0.1:9990 --level warning
    """
    query = f"/logs?count={count}&level={level}"
    for item in printed(asked("GET", url, query, token), as_json=False).get("logs", []):
        _line(item, as_json=as_json)
    if not follow:
        return
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    base = url if "://" in url else f"http://{url}"
    try:
        place = f"{base.rstrip('/')}/logs/stream"
        with httpx.stream("GET", place, headers=headers, timeout=None, verify=_trusted()) as answer:  # noqa: S113 - no end
            if answer.status_code != 200:
                fail(f"{base}/logs/stream answered {answer.status_code}")
            for line in answer.iter_lines():
                if line.startswith("data: "):
                    _line(json.loads(line[6:]), as_json=as_json)
    except httpx.HTTPError:
        fail(f"{base} has gone away", 1)
    except KeyboardInterrupt:
        os._exit(0)


def _line(item: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(item, ensure_ascii=False))
    else:
        typer.echo(printable(f"{item.get('timestamp')} {item.get('level')} {item.get('logger')} {item.get('message')}"))


@reload.command()
def reload_(url: Url = URL, token: Token = None, as_json: AsJson = False) -> None:
    """Bring what is served up to date with the files.

    Exit status: 0, or 1 where a file is held back or set aside, or 2 where nobody answers.

    Example: naftiko reload http://127.0.0.1:9990
    """
    answer = asked("POST", url, "/config/reload", token)
    found = printed(answer, as_json=as_json)
    trouble = [item for item in found.get("capabilities", []) if item.get("heldBack")]
    aside = found.get("aside", [])
    if not as_json:
        typer.echo(f"changed: {', '.join(map(printable, found.get('changed', []))) or 'nothing'}")
        for item in trouble:
            typer.echo(f"held back: {printable(str(item['file']))}: {printable(str(item['heldBack']))}")
        for item in aside:
            typer.echo(f"set aside: {printable(str(item['file']))}: {printable(str(item['reason']))}")
    raise typer.Exit(1 if trouble or aside else 0)


@metrics.command()
def metrics_(
    url: Url = URL,
    token: Token = None,
    filter_: Annotated[str, typer.Option("--filter", metavar="TEXT", help="Only lines that hold this.")] = "",
) -> None:
    """Show what is measured, in the text format of Prometheus.

    Example: naftiko metrics http://127.0.0.1:9990 --filter ikanos_request_total
    """
    answer = asked("GET", url, "/metrics", token)
    if answer.status_code != 200:
        fail(f"{url} measures nothing")
    for line in answer.text.splitlines():
        if filter_ in line:
            typer.echo(printable(line))


@traces.command()
def traces_(
    url: Url = URL,
    trace_id: Annotated[str | None, typer.Argument(metavar="[TRACE]", help="One of them, with its spans.")] = None,
    token: Token = None,
    operation: Annotated[str, typer.Option("--operation", metavar="TEXT", help="Only operations that hold this.")] = "",
    status: Annotated[str, typer.Option("--status", metavar="OK|ERROR", help="Only those that ended so.")] = "",
    as_json: AsJson = False,
) -> None:
    """Show the last traces, the newest first; or one, with its spans.

    Example: naftiko traces http://127.0.0.1:9990 --status ERROR
    """
    path = f"/traces/{trace_id}" if trace_id is not None else "/traces"
    answer = asked("GET", url, path, token, params={"operation": operation, "status": status})
    found = printed(answer, as_json=as_json)
    if answer.status_code != 200:
        fail(printable(str(found.get("error"))))
    if as_json:
        return
    for item in found.get("traces", [found]):
        head = f"{item['traceId']} {item['timestamp']} {item['status']} {item['durationMs']} ms {item['operation']}"
        typer.echo(printable(head))
        for span in item.get("spans", []):
            typer.echo(printable(f"  {span['status']} {str(span['durationMs']).rjust(9)} ms  {span['name']}"))


@scripting.command()
def scripting_(
    url: Url = URL,
    token: Token = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change a setting until the process ends.")
    ] = None,
) -> None:
    """Show how scripts are run and how often they were, or change it.

    Example: naftiko scripting http://127.0.0.1:9990 --set timeout=5000
    """
    changes: dict[str, object] = {}
    for pair in set_ or ():
        key, separator, value = pair.partition("=")
        if not separator:
            fail(f"--set takes KEY=VALUE, and got {pair[:60]!r}")
        try:
            changes[key] = json.loads(value)
        except ValueError:
            changes[key] = value
    answer = asked("PUT", url, "/scripting", token, json=changes) if changes else asked("GET", url, "/scripting", token)
    typer.echo(json.dumps(printed(answer, as_json=False), indent=2, ensure_ascii=False))
