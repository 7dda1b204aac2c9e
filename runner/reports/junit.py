"""The JUnit report: a suite a run, a case a row, shaped for those who read it.

GitLab identifies cases by class and name, and shows the text of `failure`, never its `message`; Jenkins takes a class
up to its last dot for a package. So of several runs of a name the newest is written.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, assert_never

from msgspec import Struct

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
from runner.runs.events import RunStatus, Trouble
from runner.runs.result import RunResult, StepResult
from runner.runs.status import Status

MARK = lazy_pattern(rb'(?:<\?xml[^>]*\?>\s*)?<testsuites name="creatio-runner"')
"""How such a report begins, and no other file."""
_FORBIDDEN = lazy_pattern("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""What XML 1.0 does not allow; to compile what it does allow takes 19 ms."""
_DEPTHS = {"testsuites": 0, "testsuite": 1, "properties": 2, "testcase": 2}  # of all others 3
_COUNTED = {"failure": "failures", "error": "errors", "skipped": "skipped"}
"""How a case may end, and the attribute of its suite that counts it."""


def report(command: ReportedCommand) -> str:
    """An XML document, indented, ending in a line end."""
    runs = newest_by_name(command.runs)
    suites = [_suite(run) for run in runs]
    if command.errors:  # why the command, or a run of it, did not begin: a red case for each problem
        cases = [_problem(name, problem) for name, problem in named_in_ci(command.errors)]
        suites.append(_Suite(name="creatio-runner", cases=cases))
    attributes = {"name": "creatio-runner", "time": _seconds(sum(run.result.seconds for run in runs))}
    for name in ("tests", "failures", "errors"):
        attributes[name] = str(sum(suite.counts[name] for suite in suites))
    whole = _element("testsuites", attributes, parts=[suite.written() for suite in suites])
    return f'<?xml version="1.0" encoding="UTF-8"?>{whole}\n'


def _element(tag: str, attributes: Mapping[str, str], text: str = "", *, parts: Sequence[str] = ()) -> str:
    """An element with a text, or with parts, on lines of its own, after the end of the line before."""
    line = "\n" + "  " * _DEPTHS.get(tag, 3)
    begin = f"{line}<{tag}" + "".join([f' {name}="{_in_attribute(value)}"' for name, value in attributes.items()])
    if parts:
        return f"{begin}>{''.join(parts)}{line}</{tag}>"
    return f"{begin}>{_in_text(text)}</{tag}>" if text else f"{begin} />"


def _in_text(text: str) -> str:
    """A short text, escaped: to look for each character takes a quarter of the time of `translate`."""
    allowed = text if text.replace("\n", "").isprintable() else _FORBIDDEN.sub("\ufffd", text)
    return allowed.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _in_attribute(text: str) -> str:
    quoted = _in_text(text).replace('"', "&quot;")
    if quoted.isprintable():
        return quoted
    return quoted.replace("\r", "&#13;").replace("\n", "&#10;").replace("\t", "&#09;")


class _Case(NamedTuple):
    """A test: the tag of how it ended, empty if it passed, and its element."""

    tag: str
    element: str


class _Suite(Struct, kw_only=True):
    name: str
    seconds: float = 0.0
    timestamp: str = ""
    properties: str = ""
    cases: Sequence[_Case]

    @property
    def counts(self) -> dict[str, int]:
        found = Counter(case.tag for case in self.cases)
        return {"tests": len(self.cases), **{name: found[tag] for tag, name in _COUNTED.items()}}

    def written(self) -> str:
        counts = {name: str(count) for name, count in self.counts.items()}
        began = {"timestamp": self.timestamp} if self.timestamp else {}
        attributes = {"name": self.name, **counts, "time": _seconds(self.seconds), **began}
        return _element("testsuite", attributes, parts=[self.properties, *(case.element for case in self.cases)])


def _suite(run: ReportedRun) -> _Suite:
    result = run.result
    return _Suite(
        name=run_title(result),
        seconds=result.seconds,
        timestamp=clean(result.started_at)[: len("2026-01-31T09:00:00")],
        properties=_properties(result),
        cases=[*_cases(run)],
    )


def _properties(result: RunResult) -> str:
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
    properties = [_element("property", {"name": name, "value": clean(value)}) for name, value in facts.items()]
    return _element("properties", {}, parts=properties)


def _problem(name: str, problem: Problem) -> _Case:
    attributes = {"classname": "creatio-runner" if problem.run is None else _class_name(*problem.run), "name": name}
    attributes["time"] = _seconds(0.0)
    if problem.file is not None:
        attributes |= {"file": clean(problem.file), "line": str(problem.span.line if problem.span else 1)}
    about = {"message": f"{problem.code}: {clean(problem.message)}", "type": problem.code}
    error = _element("error", about, text([problem]).rstrip("\n"))
    return _Case("error", _element("testcase", attributes, parts=[error]))


def _cases(run: ReportedRun) -> Iterator[_Case]:
    """The rows, and the run itself where no row says why it did not pass: it was refused, stopped, or broke off."""
    result = run.result
    has_passed, is_repeated = result.status is RunStatus.PASSED, any(step.attempts > 1 for step in result.steps)
    whole = None if has_passed and not is_repeated else timed(run.lines, result=result)
    earlier = {} if whole is None else earlier_failures(whole)
    to_go_on = [] if whole is None else to_settle_or_rerun(whole)
    ignored, speaks = uncounted(result), failing_step(result)
    for step in result.steps:
        tag, kind, lines = _verdict(step, counts=step.key not in ignored)
        lines += to_go_on if step is speaks else []
        before = map(_flaky, earlier.get(step.key, ()) if step.status is Status.PASSED else ())
        place = _place(result, name_in_ci(step), step.seconds) | {"line": str(step.line)}
        yield _case(place, tag, kind, lines, before=before)
    if not has_passed and (result.error or speaks is None):
        tag = "failure" if result.status is RunStatus.FAILED else "error"
        lines = [*run_trouble(result), *(to_go_on if speaks is None else ())]
        yield _case(_place(result, "run", result.seconds), tag, str(result.status), lines)


def _case(
    attributes: Mapping[str, str], tag: str, kind: str, lines: Sequence[str], *, before: Iterable[str] = ()
) -> _Case:
    """The first of the safe `lines` is a summary."""
    parts, details = [*before], "\n".join(lines)
    if tag:
        parts.append(_element(tag, {"message": lines[0], "type": kind}, details))
    elif details:
        parts.append(_element("system-out", {}, details))
    return _Case(tag, _element("testcase", attributes, parts=parts))


def _flaky(failed: Trouble) -> str:
    lines = trouble_lines(failed)
    return _element("flakyFailure", {"message": lines[0], "type": clean(failed.code)}, "\n".join(lines))


def _place(result: RunResult, name: str, seconds: float) -> dict[str, str]:
    class_name = _class_name(job_and_case(result.job, result.case), result.target.name)
    return {"classname": class_name, "name": clean(name), "time": _seconds(seconds), "file": clean(result.file)}


def _class_name(run: str, target: str) -> str:
    return clean(f"{target}.{run}")


def _verdict(step: StepResult, *, counts: bool) -> tuple[str, str, list[str]]:
    """Tag, kind and lines. What does not count is `skipped`: no build turns red, and nobody takes it for passed."""
    kind = clean(step.error.code) if step.error else str(step.status)
    details = [*reasons(step), *remarks(step)]
    match step.status:
        case Status.PASSED:
            return "", kind, remarks(step)
        case Status.SKIPPED:
            return "skipped", kind, [f"skipped: {because(step)}"]
        case Status.UNKNOWN:
            return "error", "unknown", [doubt_sentence([step]), *details]
        case Status.FAILED | Status.ERROR if not counts:
            return "skipped", kind, [f"{step.status}, which does not count here", *details]
        case Status.FAILED:
            return "failure", kind, details or ["failed"]
        case Status.ERROR:
            return "error", kind, details or ["error"]
        case _:
            assert_never(step.status)


def _seconds(seconds: float) -> str:
    return f"{seconds:.3f}"
