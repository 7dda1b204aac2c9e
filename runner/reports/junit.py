"""The JUnit report: a suite a run, a case a row, shaped for those who read it.

GitLab identifies cases by class and name, and shows the text of `failure`, never its `message`; Jenkins takes a class
up to its last dot for a package. So of several runs of a name the newest is written.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import assert_never

from msgspec import Struct, field

from runner.foundation.lazy import lazy_pattern
from runner.foundation.problems import Problem
from runner.foundation.sentences import job_and_case
from runner.reports.attempts import earlier_failures
from runner.reports.causes import uncounted
from runner.reports.mistakes import named_in_ci, text
from runner.reports.reported import ReportedCommand, ReportedRun, newest_by_name
from runner.reports.run_again import to_settle_or_rerun
from runner.reports.safe import clean
from runner.reports.spans import timed
from runner.reports.words import (
    because,
    doubt_sentence,
    failing_step,
    name_in_ci,
    reasons,
    remarks,
    run_title,
    run_trouble,
    trouble_lines,
)
from runner.runs import StoreName
from runner.runs.events import RunStatus, Trouble
from runner.runs.result import RunResult, StepResult
from runner.runs.status import Status

_FORBIDDEN = lazy_pattern("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""What XML 1.0 does not allow; to compile what it does allow takes 19 ms."""


class XmlElement(Struct, frozen=True):
    """It has a `text`, or `parts`. What XML 1.0 forbids is replaced when it is written."""

    tag: str
    attributes: dict[str, str]
    text: str = ""
    parts: list["XmlElement"] = field(default_factory=list)

    def written(self, depth: int) -> str:
        """The element on lines of its own, after the end of the line before."""
        line = "\n" + "  " * depth
        if self.parts:
            inside = "".join([part.written(depth + 1) for part in self.parts])
            return f"{line}{self.opening()}{inside}{line}</{self.tag}>"
        if self.text:
            return f"{line}{self.opening()}{_in_text(self.text)}</{self.tag}>"
        return f"{line}{self.opening(end=' />')}"

    def opening(self, *, end: str = ">") -> str:
        """The tag that begins it."""
        attributes = [f' {name}="{_in_attribute(value)}"' for name, value in self.attributes.items()]
        return f"<{self.tag}{''.join(attributes)}{end}"


def _in_text(text: str) -> str:
    """A short text, escaped: to look for each character takes a quarter of the time of `translate`."""
    allowed = text if text.replace("\n", "").isprintable() else _FORBIDDEN.sub("\ufffd", text)
    return allowed.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _in_attribute(text: str) -> str:
    quoted = _in_text(text).replace('"', "&quot;")
    return (
        quoted if quoted.isprintable() else quoted.replace("\r", "&#13;").replace("\n", "&#10;").replace("\t", "&#09;")
    )


MARK = lazy_pattern(rb'(?:<\?xml[^>]*\?>\s*)?<testsuites name="creatio-runner"')
"""How such a report begins, and no other file."""
_PROLOG = '<?xml version="1.0" encoding="UTF-8"?>\n'
_COUNTED = {"failure": "failures", "error": "errors", "skipped": "skipped"}
"""What may be in a case, and the attribute of its suite that counts it."""
_AT_ONCE = 100  # cases that are elements at the same time


class _Suite(Struct, kw_only=True):
    """A suite with its cases written: elements of ten thousand take 9 MB. `counts` are by the names of attributes."""

    name: str
    seconds: float
    timestamp: str | None = None
    counts: Counter[str] = field(default_factory=Counter)
    pieces: list[bytes] = field(default_factory=list)

    def add(self, cases: Sequence[XmlElement]) -> None:
        self.counts.update(_COUNTED[part.tag] for case in cases for part in case.parts if part.tag in _COUNTED)
        self.counts["tests"] += len(cases)
        self.write(cases)

    def write(self, elements: Iterable[XmlElement]) -> None:
        self.pieces.append("".join([element.written(2) for element in elements]).encode())

    def written(self) -> Iterator[bytes]:
        counts = {name: str(self.counts[name]) for name in ("tests", *_COUNTED.values())}
        attributes = {"name": self.name, **counts, "time": _seconds(self.seconds)}
        if self.timestamp is not None:
            attributes["timestamp"] = self.timestamp
        yield f"\n  {XmlElement('testsuite', attributes).opening()}".encode()
        yield from self.pieces
        yield b"\n  </testsuite>"


def report(command: ReportedCommand) -> Iterator[bytes]:
    """An XML document, indented, ending in a line end, in pieces."""
    runs = newest_by_name(command.runs)
    suites = [_suite(run, command.store) for run in runs]
    if command.errors:  # why the command, or a run of it, did not begin: a red case for each problem
        suites.append(_Suite(name="creatio-runner", seconds=0.0))
        suites[-1].add([_problem(name, problem) for name, problem in named_in_ci(command.errors)])
    attributes = {"name": "creatio-runner", "time": _seconds(sum(run.result.seconds for run in runs))}
    for name in ("tests", "failures", "errors"):
        attributes[name] = str(sum(suite.counts[name] for suite in suites))
    root = XmlElement("testsuites", attributes)
    if not suites:
        yield f"{_PROLOG}{root.opening(end=' />')}\n".encode()
        return
    yield f"{_PROLOG}{root.opening()}".encode()
    for suite in suites:
        yield from suite.written()
    yield b"\n</testsuites>\n"


class _Notes(Struct, frozen=True, kw_only=True):
    """What is known of the rows of a run beside their results, by their keys."""

    earlier: Mapping[str, Sequence[Trouble]]
    uncounted: AbstractSet[str]
    speaks: StepResult | None  # for the run
    to_go_on: Sequence[str]  # the last lines of its case


def _suite(run: ReportedRun, store: StoreName | None) -> _Suite:
    result, notes = run.result, _notes(run, store)
    suite = _Suite(name=run_title(result), seconds=result.seconds)
    if result.started_at:
        suite.timestamp = clean(result.started_at)[: len("2026-01-31T09:00:00")]
    suite.write([_properties(result)])
    for start in range(0, len(result.steps), _AT_ONCE):
        steps = result.steps[start : start + _AT_ONCE]
        suite.add([_case(result, step, notes) for step in steps])
    if result.status is not RunStatus.PASSED and (result.error or notes.speaks is None):
        suite.add([_run_itself(result, notes)])
    return suite


def _notes(run: ReportedRun, store: StoreName | None) -> _Notes:
    result = run.result
    is_repeated = any(step.attempts > 1 for step in result.steps)
    whole = timed(run.lines, result=result) if is_repeated or result.status is not RunStatus.PASSED else None
    return _Notes(
        earlier=earlier_failures(whole) if whole is not None and is_repeated else {},
        uncounted=uncounted(result),
        speaks=failing_step(result),
        to_go_on=to_settle_or_rerun(whole, store=store) if whole is not None else (),
    )


def _problem(name: str, problem: Problem) -> XmlElement:
    class_name = "creatio-runner" if problem.run is None else _class_name(*problem.run)
    attributes = {"classname": class_name, "name": name, "time": _seconds(0.0)}
    if problem.file is not None:
        attributes |= {"file": clean(problem.file), "line": str(problem.span.line if problem.span else 1)}
    about = {"message": f"{problem.code}: {clean(problem.message)}", "type": problem.code}
    return XmlElement("testcase", attributes, parts=[XmlElement("error", about, text([problem]).rstrip("\n"))])


def _properties(result: RunResult) -> XmlElement:
    """What sets this run apart from every other; `events` is the hash that a later edit of its journal would change."""
    facts = {
        "run": result.id,
        "status": result.status,
        "exit_code": str(int(result.exit_code)),
        "url": result.target.url,
        "sandbox": str(result.target.sandbox).lower(),
        "commit": result.commit or "",
        "digest": result.digest,
        "events": result.events,
    }
    properties = [XmlElement("property", {"name": name, "value": clean(value)}) for name, value in facts.items()]
    return XmlElement("properties", {}, parts=properties)


class _Verdict(Struct, frozen=True, kw_only=True):
    """How a case ended. `tag` is None if it passed; the first of the safe `lines` is a summary."""

    tag: str | None
    kind: str = ""
    lines: list[str]


def _case(result: RunResult, step: StepResult, notes: _Notes) -> XmlElement:
    verdict = _verdict(step, counts=step.key not in notes.uncounted)
    if step is notes.speaks:
        verdict.lines.extend(notes.to_go_on)
    failed_before = notes.earlier.get(step.key, ()) if step.status is Status.PASSED else ()
    before = [_flaky(failed) for failed in failed_before]
    return _element(result, name_in_ci(step), step.seconds, verdict, line=step.line, before=before)


def _flaky(failed: Trouble) -> XmlElement:
    lines = trouble_lines(failed)
    return XmlElement("flakyFailure", {"message": lines[0], "type": clean(failed.code)}, "\n".join(lines))


def _verdict(step: StepResult, *, counts: bool) -> _Verdict:
    """A failure that does not count (`counts`) is `skipped`: no build turns red, and nobody takes it for passed."""
    if step.status is Status.PASSED:
        return _Verdict(tag=None, lines=remarks(step))
    kind = clean(step.error.code) if step.error else str(step.status)
    details = [*reasons(step), *remarks(step)]
    match step.status:
        case Status.SKIPPED:
            return _Verdict(tag="skipped", kind=kind, lines=[f"skipped: {because(step)}"])
        case Status.UNKNOWN:
            return _Verdict(tag="error", kind="unknown", lines=[doubt_sentence([step]), *details])
        case Status.FAILED | Status.ERROR if not counts:
            return _Verdict(tag="skipped", kind=kind, lines=[f"{step.status}, which does not count here", *details])
        case Status.FAILED:
            return _Verdict(tag="failure", kind=kind, lines=details or ["failed"])
        case Status.ERROR:
            return _Verdict(tag="error", kind=kind, lines=details or ["error"])
        case _:
            assert_never(step.status)


def _run_itself(result: RunResult, notes: _Notes) -> XmlElement:
    """The case that is red where no row says why the run did not pass: it was refused, stopped, or broke off."""
    tag = "failure" if result.status is RunStatus.FAILED else "error"
    lines = [*run_trouble(result), *(notes.to_go_on if notes.speaks is None else ())]
    verdict = _Verdict(tag=tag, kind=str(result.status), lines=lines)
    return _element(result, "run", result.seconds, verdict)


def _element(
    result: RunResult,
    name: str,
    seconds: float,
    verdict: _Verdict,
    *,
    line: int | None = None,
    before: Sequence[XmlElement] = (),
) -> XmlElement:
    attributes = {
        "classname": _class_name(job_and_case(result.job, result.case), result.target.name),
        "name": clean(name),
        "time": _seconds(seconds),
        "file": clean(result.file),
    }
    if line is not None:
        attributes["line"] = str(line)
    details, parts = "\n".join(verdict.lines), [*before]
    if verdict.tag:
        parts.append(XmlElement(verdict.tag, {"message": verdict.lines[0], "type": verdict.kind}, details))
    elif details:
        parts.append(XmlElement("system-out", {}, details))
    return XmlElement("testcase", attributes, parts=parts)


def _class_name(run: str, target: str) -> str:
    return clean(f"{target}.{run}")


def _seconds(seconds: float) -> str:
    return f"{seconds:.3f}"
