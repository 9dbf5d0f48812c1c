"""Diagnostics as a JUnit report: a suite for each file, a failure for each error, warnings in its output."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from xml.etree import ElementTree

from naftiko.diagnostics import Diagnostic, Severity
from naftiko.validation.render.text import printable


def render(diagnostics: Iterable[Diagnostic], files: Sequence[str]) -> str:
    """An XML document. A file without errors is one test that passed."""
    by_file: dict[str, list[Diagnostic]] = {file: [] for file in files}
    for found in diagnostics:
        by_file.setdefault(found.file, []).append(found)
    root = ElementTree.Element("testsuites", name="naftiko validate")
    for file, found_here in by_file.items():
        _suite(root, file, found_here)
    failures = sum(int(suite.attrib["failures"]) for suite in root)
    root.set("tests", str(sum(int(suite.attrib["tests"]) for suite in root)))
    root.set("failures", str(failures))
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode")


def _suite(root: ElementTree.Element, file: str, found: Sequence[Diagnostic]) -> None:
    errors = [item for item in found if item.severity is Severity.ERROR]
    suite = ElementTree.SubElement(
        root, "testsuite", name=file, tests=str(len(errors) or 1), failures=str(len(errors)), errors="0"
    )
    if not errors:
        ElementTree.SubElement(suite, "testcase", classname=file, name="runnable")
    for item in errors:
        name = f"{item.code} at {item.span.line}:{item.span.column}"
        case = ElementTree.SubElement(suite, "testcase", classname=file, name=name, file=file, line=str(item.span.line))
        failure = ElementTree.SubElement(case, "failure", type=item.code, message=printable(item.message))
        failure.text = _text(item)
    others = [item for item in found if item.severity is not Severity.ERROR]
    if others:
        output = ElementTree.SubElement(suite, "system-out")
        output.text = "\n".join(_text(item) for item in others)


def _text(found: Diagnostic) -> str:
    text = f"{found.where}: {found.severity.label}[{found.code}]: {found.message}"
    return printable(text + (f" ({found.help})" if found.help else ""))
