"""Trying again: which failures a step's `retry` covers, how long to wait in between, and a person's word on a doubt."""

from collections.abc import Callable
from itertools import count
from typing import TypeAlias

from msgspec.structs import replace

from runner.engine import doubt, start_bounds, starts
from runner.engine.answer import broken, with_failed_element
from runner.engine.attempt import MAY_HAVE_HAPPENED, Attempt, not_passed
from runner.engine.effects import Running, Sleep
from runner.engine.perform import ask_verdict, note, perform
from runner.engine.readings import Unread
from runner.engine.state import OpenRow
from runner.expressions.evaluate import EvaluationError
from runner.job.model import Retry, RetryOn
from runner.runs.events import AttemptFailed, Trouble
from runner.runs.evidence import PauseReason
from runner.runs.status import Status

_LEAST_SECONDS = 0.001  # what a host's rounding may leave of a time that is over
_MAKES_FLAKY = frozenset({RetryOn.REFUSED, RetryOn.UNANSWERED})

AttemptAction: TypeAlias = Callable[[OpenRow], Running[Attempt]]
"""An attempt of an action. It may raise `EvaluationError` of a template before it sends anything."""


def try_until_done(row: OpenRow, attempt: AttemptAction) -> Running[tuple[Attempt, bool]]:
    """Attempt until it passes, the step's `retry` does not cover the failure, or the attempts are used up.

    Gives the last attempt, and whether it is flaky: passed after the service had refused or not answered. Where nobody
    knows how it ended, a person may say so, or that it is to be repeated; nothing else repeats it.
    """
    retry = row.step.retry
    stumbled = False
    for number in count(1):
        row.attempts, row.answer = number, ()
        last = yield from _attempted(row, attempt)
        if last.status is Status.UNKNOWN:
            verdict = yield from judged_by_person(row, last)
            if verdict is None:
                continue
            last = verdict
        is_time_over = row.attempt_seconds <= _LEAST_SECONDS  # all tries that never left have it together
        if last.again not in retry.on or number >= retry.max_attempts or is_time_over:
            break
        if last.again is not RetryOn.NOT_SENT:
            row.not_sent_seconds = 0.0
        stumbled = stumbled or last.again in _MAKES_FLAKY
        if last.again is RetryOn.EXPECTATION and last.trouble is not None:
            yield from note(AttemptFailed(key=row.key, t=row.t, kind="expectation", error=last.trouble))
        seconds = backoff(retry, last, number=number)
        wait = Sleep(key=row.key, seconds=seconds, jitter=retry.jitter, frees_turn=True, why=PauseReason.RETRY)
        yield from perform(row, wait)
    last = yield from with_failed_element(row, last)
    return last, stumbled and last.status is Status.PASSED


def _attempted(row: OpenRow, attempt: AttemptAction) -> Running[Attempt]:
    try:
        return (yield from attempt(row))
    except EvaluationError as error:
        return broken(error)


def backoff(retry: Retry, failed: Attempt, *, number: int) -> float:
    """Seconds before the attempt after the `number`th. What the service asks for wins, up to the step's own `max`."""
    if failed.retry_after is not None:
        return min(failed.retry_after, retry.max)
    seconds = retry.initial
    for _ in range(number - 1):
        if seconds >= retry.max:
            break
        seconds *= retry.factor
    return min(seconds, retry.max)


_NAMED = 5
_HAS_STARTED = frozenset({"E208", "E402"})


def judged_by_person(row: OpenRow, unknown: Attempt) -> Running[Attempt | None]:
    """Ask for a verdict on a row in doubt; None to repeat the call. A run that is being closed asks at its end."""
    last = unknown
    row.process_id = row.process_id or unknown.process_id
    if row.state.run.cleanup_ends is not None:
        return last
    noted: Trouble | None = None
    refused = False
    while last.status is Status.UNKNOWN:
        if noted != (trouble := last.trouble or doubt.NOBODY_KNOWS):
            noted = trouble
            by_hand = last.by_hand
            yield from note(AttemptFailed(key=row.key, t=row.t, kind="in_doubt", error=trouble, by_hand=by_hand))
        answer = yield from ask_verdict(row.state, (row,), ended=False, refused=refused)
        refused = False
        match answer.get("as"):
            case "retry" if answer.get("even_though") is not True and _is_certain(last):
                noted, refused = None, True
            case "retry" if answer.get("even_though") is not True and (why := (yield from _why_not_repeated(row))):
                last, refused = _not_repeated(doubt.cause_of(last), why), True
            case "retry":
                _forget_call(row)
                return None
            case "passed" | "failed":
                last = doubt.by_verdict(row, answer, known=last.trouble)
            case "log":
                last = yield from doubt.settle_again(row, last)
            case _:
                return last
    row.in_doubt = False
    return last


def _is_certain(unknown: Attempt) -> bool:
    """Whether it is known which process the call has started, and only its result or its end is not."""
    trouble = unknown.trouble
    return unknown.process_id is not None and trouble is not None and trouble.code in _HAS_STARTED


def _forget_call(row: OpenRow) -> None:
    start_bounds.never_began(row.log, row.key)
    row.in_doubt = row.unanswered = False
    row.process_id = row.turned_away = row.look_again = None
    row.shown = ()


def _not_repeated(cause: Trouble, why: str) -> Attempt:
    message = f"{MAY_HAVE_HAPPENED}: {cause.message}; the process log {why}, so that it was not sent again"
    hint = "let `runner reconcile` take it for the call where it can; add `--even-though` to send it again all the same"
    return replace(not_passed("E403", message, hint, status=Status.UNKNOWN), cause=cause)


def _why_not_repeated(row: OpenRow) -> Running[str | None]:
    """What the log shows of a call that a person wants to be repeated; None where it shows nothing, or is not read."""
    known = (row.process_id,) if row.process_id is not None else row.shown
    start = row.sought or row.start
    if not known and start is not None and row.log.refusal is None:
        found = yield from doubt.search_log(row, start, last=True, at_any_time=start.marked)
        if isinstance(found, Unread):
            return None if found.failure is doubt.UNBOUNDED or row.log.refusal else "could not be read"
        known = tuple(
            each.id
            for each in found.rows
            if starts.may_be_of(row.log, start, each)
            or starts.is_of_another_clock(row, start, each)
            or (start.mark is not None and str(each.started) < start.mark)
        )
    if not known:
        return None
    what = "a start" if len(known) == 1 else f"{len(known)} starts"
    return f"shows {what} that may be it: {', '.join(known[:_NAMED])}"
