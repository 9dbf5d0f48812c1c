"""Script steps: what scripts see and give, where their files may be, and that they end whatever they try."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import textwrap
import threading
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

import naftiko
from naftiko.exposers.rest.app import RestApp
from naftiko.steps.scripting import ScriptError, Task, languages
from support import TLS, Stage, answering, on_stage, write

LANGUAGES = languages()
ORDERS = '[{"id": 1, "price": 2.5, "open": true}, {"id": 2, "price": 4, "open": false}]'


def run(language: str, source: str, seconds: float = 2, **names: object) -> object:
    return carried_out(language, Task([("it", textwrap.dedent(source))], names, seconds))


def carried_out(language: str, task: Task) -> object:
    loop = asyncio.new_event_loop()  # `asyncio.run` would take the loop of the tests after this one away
    try:
        return loop.run_until_complete(LANGUAGES[language].call(task, asyncio.to_thread))
    finally:
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()


def scripted(step: str, more: str = "", exposes: str = "") -> str:
    """A capability whose tool `do` and route GET /do call `api.orders` and run a script on what comes."""
    unit = textwrap.indent(
        textwrap.dedent(f"""
        steps:
          get-orders: {{type: call, call: api.orders}}
          total: {step}
        mappings: [{{target: total, value: $.total}}]
        """).strip(),
        " " * 12,
    )
    return f"""
ikanos: 1.0.0-beta5
capability:
  consumes:
  - namespace: api
    type: http
    baseUri: http://api.invalid
    resources: {{orders: {{path: /orders, operations: {{orders: {{method: GET}}}}}}}}
  exposes:
  - type: rest
    namespace: web
    port: 8080
    resources:
      do:
        path: /do
        operations:
          do:
            method: GET
            inputParameters: {{currency: {{in: query, type: string, description: In what}}}}
{unit}
{textwrap.indent(textwrap.dedent(exposes).strip(), "  ")}
{more}
"""


JS = """
const wanted = context['get-orders'].filter(order => order.open);
const sum = wanted.reduce((sum, order) => sum + order.price, 0);
result = {sum, of: getOrders.length, in: context.currency, by: context.rate};
"""
PY = """
wanted = [order for order in context['get-orders'] if order['open']]
total = sum([order['price'] for order in wanted])
result = {'sum': total, 'of': len(getOrders), 'in': context['currency'], 'by': context['rate']}
"""


@pytest.mark.parametrize(("name", "text"), [("total.js", JS), ("total.py", PY)])
async def test_what_a_script_sees_and_gives(tmp_path: Path, stage: Stage, name: str, text: str) -> None:
    stage.recorder.respond = answering(200, ORDERS, "application/json")
    write(tmp_path, text, name)
    step = f"{{type: script, file: {name}, with: {{rate: '{{{{currency}}}}-rate'}}}}"
    async with on_stage(tmp_path, stage, scripted(step)) as client:
        answer = await client.rest("GET", "/do?currency=EUR")
        assert answer.json() == {"total": {"sum": 2.5, "of": 2, "in": "EUR", "by": "EUR-rate"}}
        write(tmp_path, text.replace("'sum': total", "'all': total").replace("{sum,", "{all: sum,"), name)
        assert "all" in (await client.rest("GET", "/do?currency=EUR")).json()["total"]


async def test_dependencies_and_source(tmp_path: Path, stage: Stage) -> None:
    stage.recorder.respond = answering(200, ORDERS, "application/json")
    (tmp_path / "scripts" / "lib").mkdir(parents=True)
    write(tmp_path / "scripts" / "lib", "const twice = x => 2 * x;", "maths.js")
    write(tmp_path / "scripts", "result = twice(getOrders.length)", "total.js")
    step = "{type: script, file: total.js, location: 'file:///./scripts', dependencies: [lib/maths.js]}"
    async with on_stage(tmp_path, stage, scripted(step)) as client:
        assert (await client.rest("GET", "/do")).json() == {"total": 4}
    step = "{type: script, language: python, source: 'result = [order[\"id\"] for order in get_orders]'}"
    async with on_stage(tmp_path, stage, scripted(step)) as client:
        assert (await client.rest("GET", "/do")).json() == {"total": [1, 2]}
    for given, result in (("let x = 1", None), ("result = null", None), ("var result", None), ("result = 0", 0)):
        step = f"{{type: script, language: javascript, source: '{given}'}}"
        async with on_stage(tmp_path, stage, scripted(step)) as client:
            assert (await client.rest("GET", "/do")).json() == {"total": result}


async def test_a_script_that_fails_is_the_callers_error(tmp_path: Path, stage: Stage) -> None:
    stage.recorder.respond = answering(200, ORDERS, "application/json")
    step = "{type: script, language: javascript, source: 'throw new Error(`no ${context.currency}`)'}"
    async with on_stage(tmp_path, stage, scripted(step)) as client:
        answer = await client.rest("GET", "/do?currency=EUR")
        assert answer.status_code == 400
        assert answer.json()["detail"] == "the step `total`: `source` failed: Error: no EUR"


async def test_where_scripts_may_be(tmp_path: Path) -> None:
    (tmp_path / "scripts").mkdir()
    write(tmp_path, "result = 1", "outside.js")
    os.symlink(tmp_path / "outside.js", tmp_path / "scripts" / "link.js")
    for name, message in (("link.js", "leads out"), ("../outside.js", "no plain path"), ("none.js", "is not in")):
        step = f"{{type: script, file: {name}, location: ./scripts}}"
        found = naftiko.load(write(tmp_path, scripted(step))).diagnostics
        assert [item.code for item in found if item.severity.name == "ERROR"] == ["script-missing"]
        assert message in found[0].message
        assert found[0].path[-3:] == ("steps", "total", "file")


async def test_what_the_control_adapter_says(tmp_path: Path) -> None:
    step = "{type: script, source: 'result = 1'}"
    for said, message in (
        ("{enabled: false}", "turned off"),
        ("{allowedLanguages: [python], defaultLanguage: javascript}", "not among"),
        ("{defaultLanguage: groovy}", "JVM"),
        ("{timeout: 1}", "does not say its `language`"),
    ):
        control = f"- {{type: control, port: 9091, management: {{scripting: {said}}}}}"
        found = naftiko.load(write(tmp_path, scripted(step, exposes=control))).diagnostics
        assert message in next(item.message for item in found if item.severity.name == "ERROR")


ESCAPES = {
    "javascript": [
        "while (true) {}",
        "result = 'x'.repeat(1e9)",
        "const all = []; while (true) all.push(new Array(1000).fill('y'))",
        "(function deep() { deep() })()",
        "result = /(a+)+$/.test('a'.repeat(40) + 'b')",
        "result = 10n ** 10000000n",
        "result = require('fs')",
        "result = import('os').then(x => x); undefined.x",
        "result = Date.now()",
        "result = new Date()",
        "result = new (new Date(0)).constructor()",
        "result = process.env",
        "const loop = {}; loop.loop = loop; result = loop",
        "({}).constructor.constructor('return this')().std.open('/etc/passwd')",
        "result = (",
    ],
    "python": [
        "while True: pass",
        "result = 'x' * 10**10",
        "all = []\nwhile True: all.append('yyyyyyyyyyyyyyyyyyyyyyy' * 100)",
        "def deep(): return deep()\ndeep()",
        "result = 10 ** 100000000",
        "import os\nresult = os.listdir('/')",
        "result = open('/etc/passwd').read()",
        "import socket",
        "import subprocess",
        "import time\nresult = time.time()",
        "from datetime import datetime\nresult = datetime.now()",
        "result = ().__class__.__bases__[0].__subclasses__()",
        "result = __import__('os').environ",
        "import os\nresult = os.environ['PATH']",
        "result = (",
    ],
}


@pytest.mark.parametrize(("language", "source"), [(name, text) for name, texts in ESCAPES.items() for text in texts])
def test_what_scripts_cannot(language: str, source: str) -> None:
    """Each ends within its limits in an error of its own, and the sandbox serves the next."""
    with pytest.raises(ScriptError):
        run(language, source, 0.3)
    assert run(language, "result = 1") == 1


async def test_others_are_answered_meanwhile(tmp_path: Path, stage: Stage) -> None:
    """Five scripts that never end: another call is answered before any of them has."""
    stage.recorder.respond = answering(200, ORDERS, "application/json")
    step = "{type: script, language: javascript, source: 'if (context.currency) while (true) {}'}"
    control = "- {type: control, port: 9091, management: {scripting: {timeout: 3000}}}"
    async with on_stage(tmp_path, stage, scripted(step, exposes=control)) as client:
        stage.app = client.app(RestApp)
        ended: list[str] = []

        async def call(path: str) -> httpx.Response:
            async with httpx.AsyncClient(base_url=stage.url, timeout=30, verify=TLS) as http:
                answer = await http.get(path)
            ended.append(path)
            return answer

        forever = [asyncio.create_task(call("/do?currency=EUR")) for _ in range(3)]
        while len(stage.recorder.requests) < 3:
            await asyncio.sleep(0.01)
        assert (await call("/do")).status_code == 200
        answers = await asyncio.gather(*forever)
        assert ended[0] == "/do"
        assert {answer.status_code for answer in answers} == {400}
        assert "exceeded the timeout limit (3000 ms)" in answers[0].json()["detail"]


def test_values_keep_their_kind() -> None:
    value = {"a": [1, 2.5, "x", None, True, {"b": "ü\u2028"}], "n": {}}
    assert run("javascript", "result = given", given=value) == value
    assert run("python", "result = given", given=value) == value
    assert run("python", "result = (given + 1, float('nan'))", given=2**70) == [2**70 + 1, None]
    assert run("javascript", "result = [undefined, NaN, 12n]") == [None, None, 12]


NO_VALUES = {
    "python": [
        ("result = 2**100000", "a whole number is too long"),
        ("result = {'a': [10**5000]}", "a whole number is too long"),
        ("x = 1\nfor _ in range(300):\n    x = [x]\nresult = x", "nests more than"),
        ("x = 1\nfor _ in range(300):\n    x = {'a': x}\nresult = x", "nests more than"),
        ("result = []\nresult.append(result)", "Circular reference"),
        ("result = {}\nresult['a'] = [result]", "Circular reference"),
        ("result = lambda: 1", "not JSON serializable"),
        ("result = [{'a': range(3)}]", "not JSON serializable"),
        ("result = {'a': 1}.keys()", "not JSON serializable"),
        ("result = {1, 2}", "it holds a set"),
        ("result = b'abc'", "it holds a bytes"),
        ("def f():\n    pass\nresult = {f: 1}", "no plain value"),
        ("result = {range(2): 1}", "no plain value"),
        ("result = {(1, 2): 'a'}", "a tuple for a key"),
        ("class A:\n    pass\nresult = A()", "no plain value"),
    ],
    "javascript": [
        ("let x = 1; for (let i = 0; i < 100000; i++) x = [x]; result = x", "stack"),
        ("result = {}; result.a = result", "circular"),
        ("JSON.stringify = () => '1'.repeat(5000); result = 1", "no plain value"),
        ("JSON.stringify = () => '['; result = 1", "no plain value"),
    ],
}


@pytest.mark.parametrize(
    ("language", "source", "message"), [(name, *each) for name, found in NO_VALUES.items() for each in found]
)
async def test_a_result_that_is_no_plain_value(
    tmp_path: Path, stage: Stage, language: str, source: str, message: str
) -> None:
    """It is refused as the script's error, and nothing is put in its place."""
    stage.recorder.respond = answering(200, ORDERS, "application/json")
    step = f"{{type: script, language: {language}, source: {json.dumps(source)}}}"
    async with on_stage(tmp_path, stage, scripted(step)) as client:
        answer = await client.rest("GET", "/do")
    assert answer.status_code == 400, answer.text
    assert message in answer.json()["detail"]
    assert "int_max" not in answer.text


@pytest.mark.parametrize("text", ["<deeply nested>", "[...]", "{...}", "<p>é</p>", "range(3)", "<function f at 0x1>"])
def test_a_text_that_looks_like_no_plain_value(text: str) -> None:
    assert run("python", f"result = [{{'a': {text!r}}}, {text!r}]") == [{"a": text}, text]


def test_values_that_are_just_plain_enough() -> None:
    deep = run("python", "x = 1\nfor _ in range(198):\n    x = [x]\nresult = x")
    for _ in range(198):
        assert isinstance(deep, list)
        (deep,) = deep
    assert deep == 1
    assert run("python", "result = 10**4000") == 10**4000
    assert run("python", "result = {7: 2, None: 3, True: 4, 2.5: 5}") == {"7": 2, "null": 3, "true": 4, "2.5": 5}


def test_nothing_is_kept_between_runs() -> None:
    for language, first, second in (
        ("javascript", "globalThis.kept = 1; result = Object.prototype.x = 1", "result = typeof kept + typeof ({}).x"),
        ("python", "kept = 1\nresult = 1", "result = kept"),
    ):
        run(language, first)
        with suppress(ScriptError):
            assert run(language, second) == "undefinedundefined"


def test_one_time_for_all_pieces() -> None:
    """Two thousand pieces, each of them within the time that all of them together have."""
    for language, source in (
        ("javascript", "for (let i = 0; i < 300000; i++) {}"),
        ("python", "i = 0\nwhile i < 30000: i = i + 1"),
    ):
        pieces = [(str(number), source) for number in range(2000)]
        with pytest.raises(ScriptError, match="exceeded the timeout limit"):
            carried_out(language, Task(pieces, {}, 0.5))


async def test_work_of_others_is_not_a_scripts_time(tmp_path: Path) -> None:
    """Four at once, while a thread of the gateway is busy: each has the time that is its own."""
    source = "let sum = 0; for (let i = 0; i < 2e6; i++) sum += i; result = 1"
    busy = True

    def work() -> None:
        while busy:
            sum(range(1000))

    others = threading.Thread(target=work)
    others.start()
    try:
        tasks = [asyncio.to_thread(run, "javascript", source, 20) for _ in range(4)]
        assert await asyncio.gather(*tasks) == [1, 1, 1, 1]
    finally:
        busy = False
        others.join()


def test_a_worker_that_dies_is_replaced() -> None:
    assert run("javascript", "result = 1") == 1
    LANGUAGES["javascript"].close()
    assert run("javascript", "result = 2") == 2


def test_a_process_with_many_open_files() -> None:
    """A gateway has a descriptor for each connection, and scripts run beside them."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 2048:
        pytest.skip("the machine does not allow so many open files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2048), hard))
    opened = [os.open(os.devnull, os.O_RDONLY) for _ in range(1100)]
    try:
        LANGUAGES["javascript"].close()
        assert run("javascript", "result = 1") == 1
        assert run("python", "result = 1") == 1
    finally:
        LANGUAGES["javascript"].close()
        for descriptor in opened:
            os.close(descriptor)


def test_a_worker_has_nothing_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """No environment, so that no way out of the sandbox leads to a secret."""
    monkeypatch.setenv("TOKEN_OF_OURS", "secret")
    LANGUAGES["javascript"].close()
    names = run("javascript", "result = Object.getOwnPropertyNames(globalThis).filter(n => /given|env|proc/i.test(n))")
    assert names == []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (
                b"javascript_worker.py" in (folder / "cmdline").read_bytes()
                and f"{os.getpid()}" in (folder / "status").read_text().partition("PPid:")[2].split("\n")[0]
            ):
                assert (folder / "environ").read_bytes() == b""
