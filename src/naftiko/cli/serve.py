"""What `naftiko run` does in a process that serves: read the files, tell what was found, serve until interrupted."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import uvloop

from naftiko.bindings.env_file import read_env_file
from naftiko.bindings.resolve import Sources
from naftiko.cli.console import Console, JsonConsole, KeptConsole, QuietConsole, TextConsole
from naftiko.diagnostics import Diagnostic
from naftiko.document.discovery import discover
from naftiko.engine.orchestration import StepRunner
from naftiko.errors import NaftikoError, SetupError
from naftiko.exposers.observer import Observer
from naftiko.gateway.console import GatewayConsole
from naftiko.gateway.gateway import Gateway
from naftiko.gateway.prepared import Prepared, prepare
from naftiko.gateway.serve import serve
from naftiko.gateway.watch import watch
from naftiko.gateway.workers.channel import Channel
from naftiko.gateway.workers.peers import WorkerPeers
from naftiko.log import Recent
from naftiko.log.writer import LogLevel
from naftiko.net.sockets import OwnSockets, Sockets
from naftiko.plan import ControlPlan, Plan
from naftiko.runtime.observing.activity import Activity
from naftiko.runtime.observing.series import SHARED
from naftiko.runtime.observing.wiring import Observing
from naftiko.runtime.settings import Settings

CONSOLE_PORT = 9990
"""Where the console is, unless a file declares a control port or `--control` names one."""

CONSOLE_TOKEN = "NAFTIKO_CONSOLE_TOKEN"
"""The variable that workers have the console's token from."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What to serve, and how. `watches` is None where the paths decide: folders are watched."""

    paths: Sequence[str]
    settings: Settings
    variables: Mapping[str, str]
    env_file: str | None
    port_overrides: Mapping[str, int]
    watches: bool | None
    is_json: bool
    log_level: LogLevel
    is_verbose: bool = False
    is_lenient: bool = False
    is_stdio: bool = False
    control_port: int | None = None
    has_console: bool = False
    captures: bool = False


def serve_files(asked: Asked, channel: Channel | None) -> int:
    """Serve until a signal; the exit status: 0, or 2 where it cannot be started as asked."""
    paths = asked.paths
    console: Console = (
        JsonConsole(asked.log_level) if asked.is_json else TextConsole(asked.log_level, is_verbose=asked.is_verbose)
    )
    console.settings = asked.settings
    if channel is not None and channel.index:
        console = QuietConsole(console)
    try:
        sources = Sources(
            environment=os.environ,
            settings=asked.variables,
            env_file=read_env_file(asked.env_file) if asked.env_file is not None else {},
        )
        meant = discover(paths)
        files = meant.files
        is_strict = len(paths) == 1 and not Path(paths[0]).is_dir() and len(files) == 1
        prepared = [prepare(file, sys.stdin.buffer, remote=asked.settings.remote) for file in files]
        console.findings(_told(prepared, is_strict, asked.is_verbose))
        if is_strict and prepared[0].reason is not None:
            raise SetupError(f"{files[0]} cannot be run: {prepared[0].reason}")
        if asked.is_stdio or any(_has_stdio(item) for item in prepared):
            if channel is not None:
                raise SetupError("`--workers`: standard input and output belong to one process")
            console.leave_output()
        sockets: Sockets = channel or OwnSockets()
        plans = [item.plan for item in prepared if item.plan is not None]
        recent = Recent()
        control_port = _control_port(asked, plans)
        if control_port is not None or any(_shows_logs(plan) for plan in plans):
            console = KeptConsole(console, recent)
        observer, settings = Observer(console.call, console.least), asked.settings
        observing = Observing.wanted(plans, has_control=control_port is not None)
        if observing is not None:
            observer, settings = observing.observer(observer), observing.settings(settings)
        shown: GatewayConsole | None = None
        if asked.has_console:
            shown, observer, settings = _with_console(asked, observer, settings)
        is_watched = asked.watches or (asked.watches is None and any(Path(path).is_dir() for path in paths))
        gateway = Gateway(
            paths,
            sources,
            settings,
            asked.port_overrides,
            console,
            observer,
            is_strict,
            sockets,
            is_watched=bool(is_watched),
            is_lenient=asked.is_lenient,
            is_stdio=asked.is_stdio,
            control_port=control_port,
            console=shown,
            observing=observing,
            recent=recent,
        )
        if channel is not None and SHARED in os.environ:
            gateway.peers = WorkerPeers(Path(os.environ[SHARED]))
        gateway.files.note_left_out(meant)
        logging.getLogger().addHandler(gateway.recent)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            admitted = channel.admitted if channel is not None else None
            runner.run(serve(gateway, prepared, watch if is_watched else None, admitted=admitted))
        if observing is not None:
            observing.close()
    except NaftikoError as error:
        console.error(error)
        return 2
    finally:
        console.close()
    return 0


def _control_port(asked: Asked, plans: Sequence[Plan]) -> int | None:
    """The port of a control adapter of the operator's own. A console needs one, where no file declares any."""
    declared = any(isinstance(adapter, ControlPlan) for plan in plans for adapter in plan.adapters)
    if asked.control_port is None and asked.has_console and not declared:
        return CONSOLE_PORT
    return asked.control_port


def _with_console(asked: Asked, observer: Observer, settings: Settings) -> tuple[GatewayConsole, Observer, Settings]:
    """What shows calls as they happen, with what it watches them by."""
    activity = Activity(captures=asked.captures)
    inner = settings.around_steps

    def around(runners: Mapping[str, StepRunner]) -> Mapping[str, StepRunner]:
        return activity.steps(runners if inner is None else inner(runners))

    watched = replace(settings, layers=(activity.layer, *settings.layers), around_steps=around)
    token = os.environ.get(CONSOLE_TOKEN) or secrets.token_urlsafe(24)
    return GatewayConsole(activity, token), activity.observer(observer), watched


def _shows_logs(plan: Plan) -> bool:
    """Whether a control adapter of a capability shows the log."""
    return any(isinstance(item, ControlPlan) and (item.logs or item.subscribers) for item in plan.adapters)


def _has_stdio(prepared: Prepared) -> bool:
    """Whether a file has an adapter that is served over standard input and output."""
    return prepared.plan is not None and any(adapter.transport == "stdio" for adapter in prepared.plan.mcp)


def _told(prepared: Sequence[Prepared], is_strict: bool, is_verbose: bool) -> list[Diagnostic]:
    """The findings to print at the start: of a folder only `validate` and `-v` tell them all."""
    return [found for item in prepared for found in item.diagnostics] if is_strict or is_verbose else []
