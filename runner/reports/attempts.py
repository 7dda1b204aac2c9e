"""The attempts of a row with their calls: what was sent, how that ended, and what it waited for, by the row's spans.

Readings of the process log and further pages are only counted; a row that only reads has its last reading as the call.
"""

from collections.abc import Mapping, Sequence

import msgspec
from msgspec import UNSET, Struct, field

from runner.foundation.values import Json, JsonObject
from runner.reports.safe import clean, moment
from runner.reports.spans import NO_ANSWER, RowSpan, SpanKind, TimedRow, TimedRun
from runner.reports.words import brief
from runner.runs.events import SignedIn, Trouble, Waited
from runner.runs.evidence import PauseReason, SentRequest

_OWN_KEYS = frozenset({"kind", "process", "parameters"})


class _Attempt(Struct, kw_only=True, gc=False):
    """`before` are the sign-ins and waits that its calls needed."""

    calls: list[RowSpan] = field(default_factory=list)
    before: list[SignedIn | Waited] = field(default_factory=list)
    error: Trouble | None = None
    is_over: bool = False

    @property
    def own(self) -> RowSpan:
        """The call that it is about: the first that is no reading, else the last reading."""
        return next((call for call in self.calls if call.kind is SpanKind.CALL), self.calls[-1])


def _attempts(row: TimedRow) -> list[_Attempt]:
    """Those since the row began, or began anew."""
    found: list[_Attempt] = []
    before: list[SignedIn | Waited] = []
    for span in row.spans[row.begun :]:
        is_own = span.kind is SpanKind.CALL
        if is_own or span.kind is SpanKind.LOG:
            if not found or (found[-1].is_over and is_own):
                found.append(_Attempt())
            found[-1].calls.append(span)
            found[-1].before += before
            before = []
        elif span.waited is not None:
            before.append(span.waited)
        if found and span.trouble is not None and (is_own or span.why == "expectation"):
            found[-1].error, found[-1].is_over = span.trouble, True
        elif found and _asks_for_another(span):
            found[-1].is_over = True
    return found


def _asks_for_another(span: RowSpan) -> bool:
    is_verdict = isinstance(span.value, dict) and span.value.get("as") == "retry"
    return is_verdict if span.kind is SpanKind.ASK else span.kind is SpanKind.WAIT and span.why == PauseReason.RETRY


def records(row: TimedRow) -> list[Json]:
    """The attempts as records for programs."""
    return [_record(attempt, number) for number, attempt in enumerate(_attempts(row), 1)]


def earlier_failures(run: TimedRun) -> Mapping[str, Sequence[Trouble]]:
    """By row, why its attempts before the last failed. A reading that failed within an attempt is none."""
    return {
        row.step.key: [attempt.error for attempt in _attempts(row)[: row.step.attempts - 1] if attempt.error]
        for row in run.rows
        if row.step.attempts > 1
    }


def last_act(row: TimedRow, *, with_values: bool) -> str:
    """What was sent last that may have changed the site, as a person searches for it there; empty if nothing was."""
    acts = [span for span in row.spans if span.kind is SpanKind.CALL and span.effect not in ("", "read")]
    if not acts:
        return ""
    call, at = acts[-1].call, acts[-1].at
    name = next((call[key] for key in ("process", "entity", "uid", "process_id") if call.get(key)), call.get("kind"))
    values = call.get("parameters") or call.get("values") if with_values else None
    when = f" at {moment(at)} UTC" if at else ""
    return f"{clean(str(name))}{when}{f', with {brief(values)}' if values else ''}"


def _record(attempt: _Attempt, number: int) -> JsonObject:
    return {
        "number": number,
        "error": msgspec.to_builtins(attempt.error),
        "call": _call(attempt.own, attempt.before),
        "calls": len(attempt.calls),
        "readings": sum(call.kind is SpanKind.LOG for call in attempt.calls),
    }


def _call(span: RowSpan, before: Sequence[SignedIn | Waited]) -> JsonObject:
    """The call with all that the attempt has waited for, also before a reading of the process log."""
    call, has_ended = span.call, span.why != NO_ANSWER
    return {
        "kind": call.get("kind"),
        "process": call.get("process"),
        "parameters": call.get("parameters"),
        "arguments": {name: value for name, value in call.items() if name not in _OWN_KEYS},
        "effect": span.effect,
        "request": None if span.request is None else _request(span.request),
        "at": span.at,
        "t": span.start,
        "seconds": round(span.seconds, 6) if has_ended else None,
        "ended": "answered" if span.is_ok else span.why if has_ended else None,
        "status": span.status,
        "bytes": span.size,
        "date": span.date,
        "words": span.body,
        "retry_after": span.retry_after,
        "sign_ins": [{"kind": event.kind, "seconds": event.seconds} for event in before if isinstance(event, SignedIn)],
        "waits": [wait(event) for event in before if isinstance(event, Waited)],
    }


def _request(request: SentRequest) -> JsonObject:
    """A request with every key, but for `body`, as null is an empty body."""
    shown: JsonObject = {
        "method": request.method,
        "path": request.path,
        "query": [[name, value] for name, value in request.query],
        "left_out": request.left_out,
    }
    if request.body is not UNSET:
        shown["body"] = request.body
    return shown


def wait(event: Waited) -> JsonObject:
    return {
        "for": event.what,
        "seconds": event.seconds,
        "name": event.name,
        "held_by": None if event.held_by is None else msgspec.to_builtins(event.held_by),
    }
