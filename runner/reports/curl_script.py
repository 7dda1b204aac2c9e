"""What a stored run has sent, as a script of curl: all of it, or what a step has sent."""

from collections.abc import Iterator
from typing import Final

from runner.foundation.durations import format_duration
from runner.foundation.lazy import lazy_pattern
from runner.foundation.problems import Problem
from runner.foundation.sentences import listed, plural
from runner.foundation.suggestions import suggest
from runner.reports import curl
from runner.reports.safe import clean
from runner.reports.spans import RowSpan, SpanKind, TimedRow, TimedRun
from runner.reports.transcript import belongs
from runner.runs.result import RunResult
from runner.runs.status import Status

_INDEX: Final = lazy_pattern(r"\[\d+\]$")


def script(run: TimedRun, *, step: str | None) -> str | Problem:
    """The calls of `step`, of its turns and of its parts, or without it those of all steps; else why there are none."""
    name = f"run {clean(run.result.id)}"
    rows = [row for row in run.rows if step is None or belongs(row.step.key, step)]
    if step is not None and not rows:
        return unknown_step(run.result, step)
    found = [(row, span, times) for row in rows for span, times in _calls(row)]
    what = name if step is None else f"step `{clean(step)}`"
    if all(span.request is None for _, span, _ in found):
        return Problem(code="E182", message=f"{what} sent nothing{_why(rows)}", hint=_hint(run.result))
    calls = [(_about(row, span, times), _command(span)) for row, span, times in found]
    if all(call is None for _, call in calls):
        message = f"what {what} sent is over 8 KiB, and of such a request the events hold method and path only"
        return Problem(code="E182", message=message, hint="the JSON report holds the parameters of each call")
    return curl.script(curl.run_curl(run.result.target, run.access), calls)


def _calls(row: TimedRow) -> Iterator[tuple[RowSpan, int]]:
    """The different calls of a row with how often each was sent; readings of the process log where it has no other."""
    spans = [span for span in row.spans if span.kind is SpanKind.CALL]
    spans = spans or [span for span in row.spans if span.kind is SpanKind.LOG]
    last: dict[str, RowSpan] = {}
    times: dict[str, int] = {}
    for span in spans:
        sent = repr(span.request if span.request is not None else span.call)
        last[sent] = span
        times[sent] = times.get(sent, 0) + 1
    yield from ((span, times[sent]) for sent, span in last.items())


def _command(span: RowSpan) -> curl.CallCurl | None:
    if span.request is None or span.request.left_out:
        return None
    return curl.call_curl(span.request, span.call, effect=span.effect)


def _about(row: TimedRow, span: RowSpan, times: int) -> str:
    """How the call ended, the last time it was sent."""
    status = f", HTTP {span.status}" if span.status else ""
    ended = "answered" if span.is_ok else span.why.replace("_", " ")
    often = f", sent {times} times" if times > 1 else ""
    if span.request is None:
        return f"{row.step.key}: it was not sent"
    if left_out := span.request.left_out:
        return f"{row.step.key}: {plural(int(left_out), 'byte')} of query and body are not in the events"
    return f"{row.step.key}: {ended}{status}, {format_duration(span.seconds)}{often}"


def _why(rows: list[TimedRow]) -> str:
    """Why a step sent nothing, as far as a word says it."""
    if rows and all(row.step.status is Status.SKIPPED for row in rows):
        return ": it was skipped"
    kinds = {row.step.kind for row in rows}
    return f": it is a `{kinds.pop()}`" if len(kinds) == 1 and kinds <= {"pause", "confirm"} else ""


def _hint(run: RunResult) -> str:
    return f"`runner show {clean(run.id)}` shows what the run did"


def unknown_step(run: RunResult, step: str) -> Problem:
    keys = [row.key for row in run.steps]
    names = dict.fromkeys([*(_INDEX.sub("", key) for key in keys), *keys])
    near = suggest(step, names)
    known = f"its steps are {listed([*map(clean, names)])}" if names else _hint(run)
    hint = f"did you mean `{clean(near)}`?" if near else known
    return Problem(code="E182", message=f"run {clean(run.id)} has no step `{clean(step)}`", hint=hint)
