"""`script`: what earlier steps gave, worked on by JavaScript or Python in a sandbox."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

from naftiko.compile.steps import StepContext
from naftiko.document.locations import local_file
from naftiko.errors import InputError, NotRunnable
from naftiko.plan import StepPlan
from naftiko.spec.models.control import Scripting
from naftiko.spec.models.operations import ScriptStep
from naftiko.steps.kind import StepKind
from naftiko.steps.scripting import ScriptError, Task, languages
from naftiko.steps.scripting.running import RUNS
from naftiko.values.expressions import Expression
from naftiko.values.missing import MISSING

if TYPE_CHECKING:
    from naftiko.engine.orchestration import Running

_SUFFIXES = {".js": "javascript", ".mjs": "javascript", ".py": "python", ".groovy": "groovy"}
_SEGMENT = re.compile(r"[A-Za-z0-9._-]+")
_LARGEST = 1024 * 1024
"""The most bytes of one script."""

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LANGUAGES = languages()


@dataclass(frozen=True, slots=True)
class Script:
    """A script: the files that are run in order, below `folder`, then `source`.

    `earlier` are the steps it sees; `variables` has, for each name in its code, the step or value of `with`
    that it means. `defaults` are those of its keys that were taken from the control adapter, where an operator may
    say otherwise; `directory` is the capability's.
    """

    language: str
    folder: str
    files: tuple[str, ...]
    source: str | None
    given: tuple[tuple[str, Expression], ...]
    earlier: tuple[str, ...]
    variables: tuple[tuple[str, str], ...]
    seconds: float
    directory: str
    defaults: frozenset[str]

    def now(self) -> tuple[str, Path]:
        """The language and the folder, by what an operator has set.

        Raises:
            NotRunnable: what was set cannot be used.
        """
        language, folder = self.language, Path(self.folder)
        if "defaultLanguage" in self.defaults:
            language = RUNS.settings.get("defaultLanguage", language)
        if "defaultLocation" in self.defaults and "defaultLocation" in RUNS.settings:
            found = local_file(RUNS.settings["defaultLocation"], Path(self.directory))
            if found is None:
                raise NotRunnable("the `defaultLocation` that was set is not a folder of files")
            folder = found
        if language not in _LANGUAGES or not _LANGUAGES[language].is_there:
            raise NotRunnable(f"{language} scripts are not run here")
        return language, folder


class _Script(StepKind):
    name = "script"

    def compile(self, context: StepContext) -> StepPlan:
        step = cast("ScriptStep", context.step)
        settings = context.scripting
        language = step.language or _SUFFIXES.get(Path(step.file or "").suffix) or settings.defaultLanguage
        if not settings.enabled:
            raise context.broken("not-supported", "scripts are turned off by the control adapter", "type")
        if language is None:
            raise context.broken(
                "missing-key", "the script does not say its `language`", "type", help="add `language:`"
            )
        if settings.allowedLanguages is not None and language not in settings.allowedLanguages:
            message = f"`{language}` is not among the languages that the control adapter allows"
            raise context.broken("not-supported", message, "language")
        if language not in _LANGUAGES:
            message = "Groovy scripts need the JVM, and are not run here"
            raise context.broken("not-supported", message, "language", help="write it in JavaScript or Python")
        if not _LANGUAGES[language].is_there:
            message = f"what runs {language} is not installed"
            raise context.broken("not-supported", message, "type", help="install it: `pip install 'naftiko[scripts]'`")
        if (step.file is None) == (step.source is None):
            raise context.broken("missing-key", "a script has either `file` or `source`", "type", help="add `file:`")
        folder = self._folder(context, step)
        for name in (*(step.dependencies or ()), *((step.file,) if step.file else ())):
            problem = _problem(folder, name)
            if problem is not None:
                raise context.broken("script-missing", f"the script `{name}` {problem}", "file")
        given = tuple((name, context.value(value, "with", name)) for name, value in (step.with_ or {}).items())
        for draft in context.scope.inputs.drafts():
            draft.goes_to.append("script")  # it may read any of them
        detail = Script(
            language,
            str(folder),
            (*(step.dependencies or ()), *((step.file,) if step.file else ())),
            step.source,
            given,
            tuple(context.earlier),
            _variables((*context.earlier, *(name for name, _ in given))),
            settings.timeout / 1000,
            context.scope.variables.directory,
            frozenset(name for name, is_one in _defaults(step, language, settings) if is_one),
        )
        return StepPlan(self.name, step.name, detail, expressions=tuple(value for _, value in given), follows_all=True)

    def _folder(self, context: StepContext, step: ScriptStep) -> Path:
        directory = Path(context.scope.variables.directory)
        location = step.location or context.scripting.defaultLocation
        folder = local_file(location, directory) if location is not None else directory
        if folder is None:
            raise context.broken("script-missing", f"`{location}` is not a folder of files", "location")
        return folder

    async def run(self, step: StepPlan, running: Running) -> object:
        script = cast("Script", step.detail)
        language, folder = script.now()
        refused = RUNS.refusal(language)
        if refused is not None:
            raise NotRunnable(refused)
        scope = running.scope
        given = {name: value.resolve(scope) for name, value in script.given}
        given = {name: value for name, value in given.items() if value is not MISSING}
        steps = {name: scope.steps[name] for name in script.earlier if name in scope.steps}
        seen = {**steps, **given}
        names = {variable: seen[name] for variable, name in script.variables if name in seen}
        names["context"] = {**scope.inputs, **seen}
        seconds = min(RUNS.seconds(script.seconds), running.left)
        read = partial(_pieces, script, folder)
        try:
            pieces = read() if not script.files else await running.aside(read)
            with RUNS.counted():
                return await _LANGUAGES[language].call(Task(pieces, names, seconds), running.aside)
        except ScriptError as error:
            raise InputError(str(error)) from error


def _defaults(step: ScriptStep, language: str, settings: Scripting) -> Iterable[tuple[str, bool]]:
    """Which keys of a step the control adapter fills in."""
    yield "defaultLocation", step.location is None and settings.defaultLocation is not None
    by_name = _SUFFIXES.get(Path(step.file or "").suffix)
    yield "defaultLanguage", step.language is None and by_name is None and language == settings.defaultLanguage


def _pieces(script: Script, folder: Path) -> list[tuple[str, str]]:
    """The pieces of a script.

    Raises:
        NotRunnable: one of its files is not there any more.
    """
    pieces = []
    for name in script.files:
        problem = _problem(folder, name)
        if problem is not None:
            raise NotRunnable(f"the script `{name}` {problem}")
        pieces.append((name, (folder / name).read_text(encoding="utf-8")))
    if script.source is not None:
        pieces.append(("source", script.source))
    return pieces


def _problem(folder: Path, name: str) -> str | None:
    """Why a file below a folder cannot be run, where it cannot: links do not lead out of it."""
    segments = name.split("/")
    if any(_SEGMENT.fullmatch(segment) is None or segment in (".", "..") for segment in segments):
        return "is no plain path below its folder"
    file = folder / name
    try:
        if not file.resolve(strict=True).is_relative_to(folder.resolve(strict=True)):
            return "leads out of its folder"
        if not file.is_file():
            return "is no file"
        return f"is larger than {_LARGEST // 1024} KiB" if file.stat().st_size > _LARGEST else None
    except (OSError, RuntimeError):
        return f"is not in the folder `{folder.name}`"


def _variables(names: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Names as they can stand in code: `get-orders` is `getOrders` and `get_orders`; the first has them."""
    found: dict[str, str] = {}
    for name in names:
        words = [word for word in re.split(r"[^A-Za-z0-9_]+", name) if word]
        camel = "".join([*words[:1], *(word[:1].upper() + word[1:] for word in words[1:])])
        for spelled in (name, "_".join(words), camel):
            if _IDENTIFIER.fullmatch(spelled) is not None and spelled not in ("result", "context"):
                found.setdefault(spelled, name)
    return tuple(found.items())


SCRIPT = _Script()
