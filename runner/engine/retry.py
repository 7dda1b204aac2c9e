"""Trying again: which failures a step's `retry` covers, and how long to wait in between."""

from collections.abc import Callable
from itertools import count
from typing import TypeAlias

from runner.engine.answer import broken, with_failed_element
from runner.engine.attempt import Attempt
from runner.engine.by_person import judged_by_person
from runner.engine.effects import Running, Sleep
from runner.engine.perform import note, perform
from runner.engine.state import OpenRow
from runner.expressions.evaluate import EvaluationError
from runner.job.model import Retry, RetryOn
from runner.runs.events import AttemptFailed
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
        row.attempts = number
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
