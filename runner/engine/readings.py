"""Readings of a site: calls that change nothing, tried again where they were not answered.

A reading is journaled and replayed as any call. A log that was never read, and refuses it, is not asked again in a run.
"""

import math
from http import HTTPStatus

from msgspec import Struct
from msgspec.structs import replace

from runner.engine.effects import Done, Failed, Running, Send
from runner.engine.perform import note, pause, perform
from runner.engine.state import OpenRow
from runner.engine.versions import REFUSED_AGAIN
from runner.foundation.values import Json, JsonObject, items
from runner.job.actions import Cancel, Wait
from runner.job.model import StepEffect
from runner.runs.events import LogUnreadable
from runner.runs.evidence import PauseReason
from runner.service import calls
from runner.service.odata import Pages

READING_SECONDS = 30.0
EXPLAINING_SECONDS = 10.0
READING_TRIES = 3
BETWEEN_TRIES = 0.5
AFTER_SILENCE = 5.0
"""Seconds for another try where the others have had all the time: this machine may have slept, or its line was lost.
"""

_AWAY = frozenset({"E305", "E309"})
_LOG_REFUSED = frozenset({200, 301, 308, 401, 403, 404})
"""Refusals that mean that the log cannot be read at all: 200 is a reply with `Message` in place of rows [M], and 301
and 308 lead elsewhere for good."""


class Unread(Struct, frozen=True):
    """The log could not be read: for good (`log.refusal` is set then), or this once."""

    failure: calls.CallFailed


def elements_in(row: OpenRow, call: calls.ReadElements | calls.ReadElementData) -> Running["list[JsonObject] | Unread"]:
    """The elements of a process, by their log or the engine's own store."""
    value = yield from read(row, call)
    return value if isinstance(value, Unread) else _records(value)


def elements_once(row: OpenRow, process_id: str) -> Running[list[JsonObject]]:
    """What the log of elements shows, only to explain a failure: asked once, and waited for a little."""
    call = calls.ReadElements(process_id=process_id)
    outcome = yield from perform(row, _reading(row, call, seconds=EXPLAINING_SECONDS))
    return _records(outcome.value) if isinstance(outcome, Done) else []


def read_records(row: OpenRow, call: calls.QueryCall) -> Running[list[JsonObject] | calls.CallFailed]:
    """The records that `call` asks for on all pages, no more than its `top`; or why they cannot be read."""
    pages, ends = Pages(call=call, most=call.top), row.t + READING_SECONDS
    while pages.call is not None:
        answer = yield from read(row, pages.call)
        if isinstance(answer, Unread):
            return answer.failure
        pages.take(answer, is_late=row.t >= ends)
    if pages.trouble is not None:
        return calls.CallFailed(kind=calls.FailureKind.UNANSWERED, trouble=pages.trouble)
    return pages.records[: call.top]


def _records(value: Json) -> list[JsonObject]:
    return [record for record in items(value) if isinstance(record, dict)]


def ask_owner(row: OpenRow) -> Running[None]:
    """Learn our own contact id. Where it cannot be read, rows of all owners are candidates."""
    for call in (calls.WhoAmI(), calls.WhoIsUser()):
        outcome = yield from perform(row, _reading(row, call))
        if isinstance(outcome, Done):
            row.log.owner_due = math.inf
        elif is_for_good(outcome.failure):
            row.log.owner_due = row.t + REFUSED_AGAIN
        value = outcome.value if isinstance(outcome, Done) else None
        since, owner = (row.log.breaks, value.get(calls.NOW)) if isinstance(value, dict) else (0, value)
        if isinstance(owner, str):
            row.log.owner, row.log.owner_since = owner, since
            break


def is_shut_out(row: OpenRow, unread: Unread) -> Running[bool]:
    """Whether the site accepts our session nowhere: for no reading of the log, nor to say who we are."""
    if unread.failure.trouble.code != calls.SESSION_REFUSED or row.log.marks:
        return False
    outcome = yield from perform(row, _reading(row, calls.WhoAmI()))
    return isinstance(outcome, Failed) and outcome.failure.trouble.code == calls.SESSION_REFUSED


def read(row: OpenRow, call: calls.Call, *, turn: str | None = None) -> Running["Json | Unread"]:
    """A reading, tried again where it was not answered: reads just after a rebuild may fail [M].

    All its tries together have the time of a single try, before a call no more than the call's own: a site that accepts
    nobody would otherwise hold a step up for many times its `timeout`. After a call, whose verdict depends on it, a
    short try follows that time. The first has no longer than a call of the step: a reading may hang.
    """
    is_last_time = row.ready_by is not None
    ready_by = math.inf if row.ready_by is None else max(row.ready_by, row.t + BETWEEN_TRIES)
    ends = row.t + min(READING_SECONDS, ready_by - row.t)
    for number in range(1, READING_TRIES + 1):
        longest = max(row.attempt_seconds, AFTER_SILENCE) if number == 1 else READING_SECONDS
        outcome = yield from perform(row, _reading(row, call, turn=turn, seconds=min(ends - row.t, longest)))
        if isinstance(outcome, Done):
            return outcome.value
        failure = outcome.failure
        if failure.trouble.code == calls.SESSION_REFUSED and row.log.marks:
            failure = replace(
                failure, final=False
            )  # another sign-in of the account, or another node: it was read before
        is_of_log = isinstance(call, calls.ReadRows | calls.ReadRow)
        if is_of_log and is_for_good(failure) and not row.log.marks and row.log.refusal is None:
            row.log.refusal = failure
            yield from note(LogUnreadable(error=failure.trouble))
        is_over = row.t + BETWEEN_TRIES >= ends
        if number == READING_TRIES or not _may_pass(call, failure) or (is_over and is_last_time):
            break
        if is_over:
            is_last_time, ends = True, row.t + BETWEEN_TRIES + AFTER_SILENCE
        yield from pause(row, BETWEEN_TRIES, why=PauseReason.RETRY)
    return Unread(failure)


def _reading(row: OpenRow, call: calls.Call, *, turn: str | None = None, seconds: float = READING_SECONDS) -> Send:
    action = row.step.action  # of these steps the result is what is read
    is_result = isinstance(call, calls.QueryCall) or (
        isinstance(call, calls.ReadRow) and isinstance(action, Wait | Cancel)
    )
    secret = row.step.secret and is_result
    return Send(key=row.key, call=call, effect=StepEffect.READ, seconds=seconds, turn=turn, secret=secret)


def is_for_good(failure: calls.CallFailed) -> bool:
    """A refusal, or a session that was never accepted for the log. A refused sign-in is not the log's doing."""
    if failure.trouble.code == calls.SESSION_REFUSED:
        return failure.final
    return failure.kind is calls.FailureKind.REFUSED and failure.status in _LOG_REFUSED


def is_hopeless(failure: calls.CallFailed, *, never_read: bool) -> bool:
    """Whether a later reading is no help, as where the log lacks a column, and was `never_read`.

    After a sign-in that was not answered it may be: the site is away then.
    """
    is_not_taken = failure.kind is calls.FailureKind.REFUSED and failure.status == HTTPStatus.BAD_REQUEST
    return (failure.final and failure.trouble.code not in _AWAY) or (never_read and is_not_taken)


def is_refused_now(failure: calls.CallFailed) -> bool:
    """Whether a reading is refused, and not because nothing is at its address, as while a site restarts."""
    return is_for_good(failure) and failure.status != HTTPStatus.NOT_FOUND


def _may_pass(call: calls.Call, failure: calls.CallFailed) -> bool:
    """Whether the same reading may be answered a moment later; a 500 may be `Collection was modified` [M].

    A 400 may be a gateway's: it ends a wait. Of other readings it refuses the filter, which has another form.
    """
    if failure.final or is_for_good(failure):
        return False
    is_gateways = failure.status == HTTPStatus.BAD_REQUEST and isinstance(call, calls.ReadRow)
    is_refused = failure.kind is calls.FailureKind.REFUSED
    return not is_refused or is_gateways or failure.status == HTTPStatus.INTERNAL_SERVER_ERROR
