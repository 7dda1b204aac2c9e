"""The JUnit report: a suite a run, a case a row, as Jenkins, GitLab and GitHub's actions read it.

What they do with it decides its shape: GitLab identifies cases by class and name, leaves out a repeated case, and shows
the text inside `failure`, never its `message`; Jenkins takes a class up to its last dot for a package. So of several
runs of one name the newest is written. The machine's name is left out.
"""

import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import assert_never

from msgspec import Struct, field

from runner.foundation.lazy import lazy_pattern
from runner.foundation.problems import Problem
from runner.foundation.sentences import job_and_case
from runner.reports.attempts import earlier_failures, failures_by_row
from runner.reports.causes import uncounted
from runner.reports.mistakes import named_in_ci, text
from runner.reports.reported import ReportedCommand, ReportedRun, newest_by_name
from runner.reports.safe import clean
from runner.reports.words import because, in_doubt, name_in_ci, reasons, remarks, run_trouble, title, trouble_lines
from runner.runs.events import AttemptFailed, RunStatus
from runner.runs.result import RunResult, StepResult
from runner.runs.status import Status

MARK = lazy_pattern(rb'(?:<\?xml[^>]*\?>\s*)?<testsuites name="creatio-runner"')
"""How such a report begins, and no other file."""
_PROLOG = '<?xml version="1.0" encoding="UTF-8"?>\n'
_COUNTED = {"failure": "failures", "error": "errors", "skipped": "skipped"}
"""What may be in a case, and the attribute of its suite that counts it."""
_AT_ONCE = 100
"""Cases that are elements at one time."""
_FORBIDDEN = lazy_pattern("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""What XML 1.0 does not allow; to compile what it does allow takes 19 ms."""


class _Suite(Struct, kw_only=True):
    """A suite with its cases written: elements of ten thousand take 9 MB. `counts` are by the names of attributes."""

    name: str
    seconds: float
    timestamp: str | None = None
    counts: Counter[str] = field(default_factory=Counter)
    pieces: list[bytes] = field(default_factory=list)

    def add(self, cases: Sequence[ET.Element]) -> None:
        tags = [(tag, case.find(tag)) for case in cases for tag in _COUNTED]
        self.counts.update(_COUNTED[tag] for tag, found in tags if found is not None)
        self.counts["tests"] += len(cases)
        self.write(cases)

    def write(self, elements: Iterable[ET.Element]) -> None:
        around = ET.Element("_")
        around.extend(elements)
        ET.indent(around, level=1)
        whole = ET.tostring(around, encoding="unicode").removeprefix("<_>").removesuffix("\n  </_>")
        self.pieces.append(whole.encode())

    def written(self) -> Iterator[bytes]:
        counts = {name: str(self.counts[name]) for name in ("tests", *_COUNTED.values())}
        head = ET.Element("testsuite", {"name": _xml(self.name), **counts, "time": _seconds(self.seconds)})
        if self.timestamp is not None:
            head.set("timestamp", self.timestamp)
        yield f"\n  {_opening(head)}".encode()
        yield from self.pieces
        yield b"\n  </testsuite>"


def report(command: ReportedCommand) -> Iterator[bytes]:
    """One XML document, indented, ending in a line end, in pieces."""
    runs = newest_by_name(command.runs)
    suites = [_suite(run) for run in runs]
    if command.errors:  # why the command, or a run of it, did not begin: a red case for each problem
        suites.append(_Suite(name="creatio-runner", seconds=0.0))
        suites[-1].add([_problem(name, problem) for name, problem in named_in_ci(command.errors)])
    root = ET.Element("testsuites", name="creatio-runner", time=_seconds(sum(run.result.seconds for run in runs)))
    for name in ("tests", "failures", "errors"):
        root.set(name, str(sum(suite.counts[name] for suite in suites)))
    if not suites:
        yield f"{_PROLOG}{ET.tostring(root, encoding='unicode')}\n".encode()
        return
    yield f"{_PROLOG}{_opening(root)}".encode()
    for suite in suites:
        yield from suite.written()
    yield b"\n</testsuites>\n"


def _opening(element: ET.Element) -> str:
    """The tag that begins an element which has parts."""
    return ET.tostring(element, encoding="unicode", short_empty_elements=False).removesuffix(f"</{element.tag}>")


def _suite(run: ReportedRun) -> _Suite:
    result, failures = run.result, failures_by_row(run.lines)
    does_not_count = uncounted(result)
    suite = _Suite(name=title(result), seconds=result.seconds)
    if result.started_at:
        suite.timestamp = _xml(clean(result.started_at))[: len("2026-01-31T09:00:00")]
    suite.write([_properties(result)])
    for start in range(0, len(result.steps), _AT_ONCE):
        steps = result.steps[start : start + _AT_ONCE]
        suite.add(
            [
                _case(result, step, earlier_failures(step, failures), counts=step.key not in does_not_count)
                for step in steps
            ]
        )
    is_red = bool(suite.counts["failures"] or suite.counts["errors"])
    if result.status is not RunStatus.PASSED and (result.error or not is_red):
        suite.add([_run_itself(result)])
    return suite


def _problem(name: str, problem: Problem) -> ET.Element:
    class_name = "creatio-runner" if problem.run is None else _class_name(*problem.run)
    case = ET.Element("testcase", classname=class_name, name=_xml(name), time=_seconds(0.0))
    if problem.file is not None:
        case.set("file", _xml(clean(problem.file)))
        case.set("line", str(problem.span.line if problem.span else 1))
    message = _xml(f"{problem.code}: {clean(problem.message)}")
    ET.SubElement(case, "error", message=message, type=problem.code).text = _xml(text([problem]).rstrip("\n"))
    return case


def _properties(result: RunResult) -> ET.Element:
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
    properties = ET.Element("properties")
    for name, value in facts.items():
        ET.SubElement(properties, "property", name=name, value=_xml(clean(value)))
    return properties


class _Verdict(Struct, frozen=True, kw_only=True):
    """`tag` is None for a case that passed; `lines` are safe, the first of them says it in short."""

    tag: str | None
    kind: str = ""
    lines: list[str]


def _case(result: RunResult, step: StepResult, earlier: Sequence[AttemptFailed], *, counts: bool) -> ET.Element:
    case = _element(result, name_in_ci(step), step.seconds, _verdict(step, counts=counts))
    case.set("line", str(step.line))
    for position, failed in enumerate(earlier if step.status is Status.PASSED else ()):
        lines = trouble_lines(failed.error)
        flaky = ET.Element("flakyFailure", message=_xml(lines[0]), type=_xml(clean(failed.error.code)))
        flaky.text = _xml("\n".join(lines))
        case.insert(position, flaky)
    return case


def _verdict(step: StepResult, *, counts: bool) -> _Verdict:
    """`counts`: whether a failure of this row counts for its run; where it does not, no build must turn red, and no
    reader take it for passed: that leaves `skipped`, as pytest writes a failure that was expected.
    """
    if step.status is Status.PASSED:
        return _Verdict(tag=None, lines=remarks(step))
    kind = clean(step.error.code) if step.error else str(step.status)
    details = [*reasons(step), *remarks(step)]
    match step.status:
        case Status.SKIPPED:
            return _Verdict(tag="skipped", kind=kind, lines=[f"skipped: {because(step)}"])
        case Status.UNKNOWN:
            return _Verdict(tag="error", kind="unknown", lines=[in_doubt([step]), *details])
        case Status.FAILED | Status.ERROR if not counts:
            return _Verdict(tag="skipped", kind=kind, lines=[f"{step.status}, which does not count here", *details])
        case Status.FAILED:
            return _Verdict(tag="failure", kind=kind, lines=details or ["failed"])
        case Status.ERROR:
            return _Verdict(tag="error", kind=kind, lines=details or ["error"])
        case _:
            assert_never(step.status)


def _run_itself(result: RunResult) -> ET.Element:
    """The case that is red where no row says why the run did not pass: it was refused, stopped, or broke off."""
    tag = "failure" if result.status is RunStatus.FAILED else "error"
    verdict = _Verdict(tag=tag, kind=str(result.status), lines=run_trouble(result))
    return _element(result, "run", result.seconds, verdict)


def _element(result: RunResult, name: str, seconds: float, verdict: _Verdict) -> ET.Element:
    element = ET.Element(
        "testcase",
        classname=_class_name(job_and_case(result.job, result.case), result.target.name),
        name=_xml(clean(name)),
        time=_seconds(seconds),
        file=_xml(clean(result.file)),
    )
    details = _xml("\n".join(verdict.lines))
    if verdict.tag:
        ET.SubElement(element, verdict.tag, message=_xml(verdict.lines[0]), type=_xml(verdict.kind)).text = details
    elif details:
        ET.SubElement(element, "system-out").text = details
    return element


def _class_name(run: str, target: str) -> str:
    return _xml(clean(f"{target}.{run}"))


def _seconds(seconds: float) -> str:
    return f"{seconds:.3f}"


def _xml(text: str) -> str:
    """A safe text without what XML 1.0 forbids."""
    return text if text.isprintable() else _FORBIDDEN.sub("\ufffd", text)
