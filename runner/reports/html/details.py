"""What `report.js` shows of a row that is opened: a block of JSON for each run, without a character that HTML reads.

Lists stand for records, of which there may be 10,000. Holes of secrets stay in calls; the script writes `***`.
"""

from datetime import datetime
from typing import Final

import msgspec
from markupsafe import Markup

from runner.foundation.values import Json, JsonObject, compact
from runner.reports import curl
from runner.reports.html.texts import LONG, SHORT, as_text, cut, shown_lines
from runner.reports.reported import ReportValues
from runner.reports.safe import clean, safe_json
from runner.reports.spans import RowSpan, SpanKind, TimedRow, TimedRun
from runner.reports.words import given_by
from runner.runs.events import Check, Trouble, Waited
from runner.runs.evidence import SentRequest
from runner.runs.result import StepResult
from runner.runs.status import RED
from runner.secrets.shown import hide

_LARGEST_CALL: Final = 8192  # bytes of a call that is embedded: a longer call is too long for the line of a shell
_MOST_LOG_ROWS: Final = 3


def block(run: TimedRun, values: ReportValues) -> Markup:
    texts: dict[str, int] = {}
    rows: JsonObject = {clean(row.step.key): _row(row, values, texts) for row in run.rows if _has_inside(row)}
    shared = curl.run_curl(run.result.target, run.access)
    whole: JsonObject = {
        "curl": [shared.setup, shared.sign_in, shared.begin, shared.end],
        "texts": [*texts],
        "rows": rows,
    }
    text = safe_json(compact(whole))
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))  # noqa: S704  as above


def has_curl(span: RowSpan) -> bool:
    """Whether the page can copy this call as a command."""
    return span.kind is SpanKind.CALL and span.request is not None and not span.request.left_out and _is_small(span)


def _is_small(span: RowSpan) -> bool:
    return len(msgspec.json.encode((span.call, span.request))) <= 2 * _LARGEST_CALL


def _has_inside(row: TimedRow) -> bool:
    step = row.step
    return bool(
        row.spans or _job_texts(step) or step.checks or step.warnings or step.result is not None or step.outputs
    )


def _row(row: TimedRow, values: ReportValues, texts: dict[str, int]) -> JsonObject:
    """`e` spans, `c` calls, `f` texts, `p` process, `r` result, `o` outputs, `k` checks, `n` attempts, `w` warnings."""
    step, is_red = row.step, row.step.status in RED
    shows, limit = values.shows(is_red=is_red), LONG if is_red else SHORT
    calls: list[JsonObject] = []
    parts: dict[str, Json] = {
        "e": [_span(span, row, calls, shows=shows) for span in row.spans],
        "c": [_shared(call, texts) for call in calls] or None,
        "n": [step.attempts, max(step.max_attempts or 0, step.attempts)] if step.attempts > 1 else None,
        "f": _job_texts(step) or None,
        "p": clean(step.process_id) if step.process_id else None,
        "r": as_text(step.result, limit) if shows and step.result is not None else None,
        "o": as_text(step.outputs, limit) if shows and step.outputs else None,
        "k": [_check(check, limit, shows=shows) for check in step.checks] or None,
        "w": [clean(warning) for warning in step.warnings] or None if shows else None,
    }
    return {key: part for key, part in parts.items() if part is not None}


def _check(check: Check, limit: int, *, shows: bool) -> list[Json]:
    message: list[Json] = [cut(shown_lines(check.message), limit)] if shows and check.message else []
    return [clean(check.that), int(check.passed), *message]


def _job_texts(step: StepResult) -> list[Json]:
    """What the job says of this row, without what is true of all rows."""
    texts = [f"if: {clean(step.condition)}"] if step.condition is not None else []
    if step.on_failure not in (None, "stop"):
        texts.append(f"on_failure: {clean(step.on_failure)}")
    return [*texts]


def _call(span: RowSpan, *, shows: bool) -> JsonObject:
    """What was sent: the request if known, else the call; its name alone where values are left out or too large."""
    call, request = span.call, span.request
    names = {name: hide(call[name]) for name in ("kind", "process", "entity", "uid") if name in call}
    if not shows:
        return names | {"hidden": 1}
    if not _is_small(span):
        return names | {"large": len(compact(call))}
    if request is None:
        return call
    copied: JsonObject = {} if request.left_out else {"curl": _curl(request, span)}
    return names | {"request": msgspec.to_builtins(request)} | copied


def _curl(request: SentRequest, span: RowSpan) -> list[Json]:
    """What is the call's own: the variables it needs, lines before the command, its arguments, its values."""
    command = curl.call_curl(request, span.call, effect=span.effect)
    head, mark, values = command.rest.partition("?" if request.query else "--data-raw ")
    before = "".join(f"{line}\n" for line in command.before)
    return [curl.checked(command.needs), before, head + mark, values]


def _shared(call: JsonObject, texts: dict[str, int]) -> JsonObject:
    """The call with numbers in place of texts that many calls of a loop share."""

    def number(text: Json) -> int:
        return texts.setdefault(str(text), len(texts))

    match call:
        case {"request": dict(request), "curl": [needs, before, head, values]}:
            shared: JsonObject = {"curl": [number(needs), number(before), number(head), values]}
            return call | {"request": request | {"path": number(request["path"])}} | shared
        case _:
            return call


def _span(span: RowSpan, row: TimedRow, calls: list[JsonObject], *, shows: bool) -> list[Json]:
    """`[kind, ms after the row began, ms]`, then what it was and how it ended."""
    when: list[Json] = [round((span.start - row.start) * 1000), round(span.seconds * 1000)]
    why = [span.why.replace("_", " "), _message(span.trouble, shows=shows) if span.trouble else ""]
    match span.kind:
        case SpanKind.CALL:
            if (call := _call(span, shows=shows)) not in calls:
                calls.append(call)
            facts: Json = None if span.status is None else [span.status, span.size]
            end: list[Json] = [1, facts] if span.is_ok else [0, *why, span.status]
            return ["c", *when, calls.index(call), span.effect, *end]
        case SpanKind.LOG:
            answer: Json = _log_answer(span.value, shows=shows) if span.is_ok else ": ".join(filter(None, why))
            return ["l", *when, str(span.call.get("kind")), answer]
        case SpanKind.WAIT:
            holder = span.waited.held_by if isinstance(span.waited, Waited) else None
            held_by: list[Json] = [clean(holder.job)] if holder else []
            return ["w", *when, span.why, span.value, *held_by]
        case SpanKind.SIGN_IN:
            return ["s", *when, why[0]]
        case SpanKind.ASK:
            by = f"by {given_by(span.given_by)}" if span.given_by is not None else ""
            return ["a", *when, ", ".join(filter(None, (as_text(span.value, SHORT) if shows else "", by)))]
        case SpanKind.FAILURE:
            return ["x", *when, *why]


def _message(trouble: Trouble, *, shows: bool) -> str:
    """Without values: the code alone, since a message may hold some."""
    return cut(shown_lines(trouble.message), SHORT) if shows else clean(trouble.code)


def _log_answer(value: Json, *, shows: bool) -> list[Json]:
    """Rows of the process log: `[id, status, ms that the process took, its error]`; the last may be a count of all."""
    rows = value if isinstance(value, list) else [value]
    short: list[Json] = [_log_row(row, shows=shows) for row in rows[:_MOST_LOG_ROWS] if row is not None]
    return [*short, len(rows)] if len(rows) > _MOST_LOG_ROWS else short


def _log_row(row: Json, *, shows: bool) -> list[Json]:
    if not isinstance(row, dict):
        return [as_text(row, SHORT) if shows else "", None, None, ""]
    status, words = row.get("status"), row.get("error") or row.get("caption")
    return [
        clean(str(row.get("id") or row.get("uid") or "")),
        clean(str(status)) if status is not None else None,
        _lasted(row),
        cut(clean(str(words)), SHORT) if shows and words else "",
    ]


def _lasted(row: JsonObject) -> int | None:
    """Milliseconds that the process took by its own log."""
    try:
        begun, ended = (datetime.fromisoformat(str(row[name])) for name in ("started", "completed"))
        return round((ended - begun).total_seconds() * 1000)
    except (KeyError, ValueError, TypeError):
        return None
