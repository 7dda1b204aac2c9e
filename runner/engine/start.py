"""Sending the start of a process, with what it can be found by in the log.

A `once` call is not made again before the log was read: the refusal may be a proxy's answer to its own repetition of a
call that did happen.
"""

from functools import partial
from http import HTTPStatus
from itertools import chain

from msgspec.structs import replace

from runner.engine import doubt, process_log, readings, start_bounds, starts
from runner.engine.attempt import Attempt, call_failed, in_doubt, is_in_doubt
from runner.engine.effects import Done, Failed, QueryPeers, Running
from runner.engine.perform import SLOW, pause, query_peers, send
from runner.engine.process_log import watermark
from runner.engine.readings import Unread, is_shut_out
from runner.engine.state import OpenRow, Start
from runner.engine.verdict import NO_ROW_YET, marked, settling
from runner.engine.versions import CHECK_CODE
from runner.foundation import server_time
from runner.foundation.durations import format_duration
from runner.foundation.values import Json, record
from runner.job.model import Verify
from runner.runs.events import Trouble
from runner.runs.evidence import PauseReason
from runner.runs.refused_starts import RefusedStart, is_of_service
from runner.runs.status import Status
from runner.service.calls import SESSION_REFUSED, CallFailed, ExecuteCall, FailureKind, LogRow, ReadRows, RunProcessCall

_LOOKS = (*NO_ROW_YET, 2.0)
"""Seconds before each further look for a call that may have happened: later starts are not taken for it, nor where the
log's clock is a little behind."""
assert sum(_LOOKS) >= start_bounds.LATER + start_bounds.EARLIER


def start(
    row: OpenRow, call: ExecuteCall | RunProcessCall, *, needs_mark: bool, in_turn: bool
) -> Running[Attempt | Done]:
    """The answer, or how the attempt ended without an answer.

    `needs_mark`: the log is read before the call. `in_turn`: starts of the process take turns, so that each finds its
    row.
    """
    process, step = call.process, row.step
    if found := (yield from _began_before(row, process)):
        return found
    if needs_mark and (reason := (yield from marked(row, process, turn=in_turn))):
        return reason
    _warn_of_version(row, call)
    ended = yield from _sent(row, call, turn=process if in_turn else None)
    if isinstance(ended, Attempt):
        return ended
    outcome, sent = ended
    if isinstance(outcome, Failed):
        return (yield from _without_answer(row, sent, outcome.failure))
    if step.secret:
        _keep_secret(row, call, outcome.value)
    row.turned_away = None
    row.start = start_bounds.begun(row, sent)
    row.sought = row.start if step.verify is not Verify.NONE else None
    row.in_doubt = row.is_once  # from here to the verdict, should the run be stopped
    return outcome


def _warn_of_version(row: OpenRow, call: ExecuteCall | RunProcessCall) -> None:
    """The service drops a parameter that the version does not have which runs now, and says nothing [M]."""
    process, target = call.process, row.state.run.plan.target.name
    checked, known = row.state.run.plan.versions.get(process), row.log.versions.get(process)
    if not call.parameters or checked is None or known is None or getattr(call, "version", None) is not None:
        return
    if (active := known.other_than(checked)) is not None:
        why = (
            f"the parameters were not checked against `{active}`, which is the active version of `{process}` now: the "
            f"catalogue has those of `{checked}`; `runner catalog pull -t {target}` reads it anew"
        )
        row.warnings = (*row.warnings, why)


def _began_before(row: OpenRow, process: str) -> Running[Attempt | None]:
    """How the attempt ends where an earlier call may have started the process; None where it may be made."""
    if row.turned_away is not None and (found := (yield from _already_began(row, pauses=()))):
        return found
    return (yield from began_in_earlier_run(row, process)) if row.is_once else None


def _keep_secret(row: OpenRow, call: ExecuteCall | RunProcessCall, answer: Json) -> None:
    """Hide the result before the log is read, which may repeat it in the text of an error."""
    result = record(answer).get("results") if isinstance(call, RunProcessCall) else answer
    row.state.names.keep_secret(result, f"{row.key}.result")


def _sent(
    row: OpenRow, call: ExecuteCall | RunProcessCall, *, turn: str | None
) -> Running[tuple[Done | Failed, Start] | Attempt]:
    """Send it, and once more in a fresh session where the first was not accepted."""
    process, is_sought, seconds = call.process, row.step.verify is not Verify.NONE, row.attempt_seconds
    mark = watermark(row, process) if is_sought else None
    for is_last in (False, True):
        begun_at = row.t
        sent = start_bounds.prepared(row, process, seconds=seconds, marked=is_sought and process in row.log.marks)
        row.sought = sent if is_sought else None
        outcome = yield from send(row, call, seconds=seconds, watermark=mark, turn=turn)
        sent = start_bounds.with_first(row, start_bounds.left(sent, outcome.delay))
        row.sought = sent if row.sought is not None else None
        if isinstance(outcome, Failed):
            outcome = replace(outcome, failure=unanswered_if_late(row, sent.sent, outcome.failure))
        if not (isinstance(outcome, Failed) and outcome.failure.kind is FailureKind.TURNED_AWAY):
            return outcome, sent
        failure, seconds = outcome.failure, seconds - (row.t - begun_at)  # to read the log has a time of its own
        if row.is_once:
            row.turned_away = (start_bounds.bounded(row, sent), failure)
            if found := (yield from _already_began(row, _looks(row))):
                return found
        else:
            yield from _set_aside(row, start_bounds.bounded(row, sent))
        if is_last or failure.final or failure.trouble.code != SESSION_REFUSED or seconds <= 0:
            break
    return Failed(t=outcome.t, failure=replace(failure, final=failure.final or is_last)), sent


def _looks(row: OpenRow) -> tuple[float, ...]:
    """Pauses between looks at the log before a call is sent again: with `verify: log` as long as after no answer."""
    is_certain = row.step.verify is Verify.LOG
    return (*_LOOKS, max(0.0, row.state.run.plan.times.settle - sum(_LOOKS))) if is_certain else _LOOKS


def unanswered_if_late(row: OpenRow, sent: float, failure: CallFailed) -> CallFailed:
    """The failure; unanswered, if a gateway refused seconds after the call was `sent`: the process may run [S]."""
    is_session = failure.trouble.code == SESSION_REFUSED
    is_at_the_door = is_session or row.t - sent <= SLOW or _is_fault(failure)
    is_proof = not failure.unproved and failure.kind is not FailureKind.TURNED_AWAY
    if is_at_the_door or is_proof or not row.is_once:
        return failure
    after = format_duration(row.t - sent)
    message = f"{failure.trouble.message}, {after} after the call had left, so that it may have happened all the same"
    trouble = replace(failure.trouble, message=message)
    return replace(failure, kind=FailureKind.UNANSWERED, unproved=False, trouble=trouble)


def _set_aside(row: OpenRow, sent: Start) -> Running[None]:
    """A repeatable call was turned away or ended in a fault: keep its row, if any, apart from the next call's."""
    start = start_bounds.counted(row.log, sent)
    if row.sought is None or not start.marked:
        return
    rows = yield from _rows_of(row, start, _LOOKS)
    if rows == []:
        row.log.missing[start.process].remove(start)
        yield from start_bounds.set_aside(row, start)
    elif isinstance(rows, list):
        yield from starts.settle_missing(row, start.process, rows, among=(start,))


def _already_began(row: OpenRow, pauses: tuple[float, ...]) -> Running[Attempt | None]:
    """How the attempt ends where a call that was turned away may have happened; None where it may be made again.

    The log is read after each of the `pauses`, also with `verify: none`: no process is started twice. A log that cannot
    be read leaves the call in doubt, unless the service itself failed, or accepts our session nowhere.
    """
    assert row.turned_away is not None
    sent, failure = row.turned_away
    row.in_doubt = True
    row.sought = sent  # by which it is searched for, should the run be stopped here
    open_end = sent if sent.marked else replace(sent, span=replace(sent.span, until=None))  # the log may be ahead
    rows = yield from _rows_of(row, open_end, pauses)
    if (isinstance(rows, Unread) and _is_fault(failure)) or rows == []:
        row.in_doubt = False
        yield from start_bounds.set_aside(row, sent)
        return None
    is_refused = failure.trouble.code == SESSION_REFUSED
    if is_refused and isinstance(rows, Unread) and (yield from is_shut_out(row, rows)):
        row.in_doubt = False
        yield from start_bounds.nothing_began(row)
        return call_failed(replace(failure, final=True), row.step.effect)
    row.start = row.sought = start_bounds.counted(row.log, sent)
    if not sent.marked and isinstance(rows, list):
        row.sought = None
        why = f"the process log, which was not read before the call, shows {starts.named(rows[0])}"
        return in_doubt(failure.trouble, why=why, by_log=False)
    settled = yield from doubt.settled(row, failure.trouble, shown=rows if isinstance(rows, list) else ())
    row.look_again = partial(_look_again, sent=sent, failure=failure) if settled.status is Status.UNKNOWN else None
    return settled


def _look_again(row: OpenRow, unknown: Attempt, *, sent: Start, failure: CallFailed) -> Running[Attempt]:
    """Settle a call in doubt that was turned away: the log may show by now that its candidates belong to other runs."""
    lacks_row = any(start is row.sought for start in starts.missing(row.log, sent.process))
    if not lacks_row or (yield from _rows_of(row, sent, _LOOKS)) != []:
        return (yield from doubt.look_in_log(row, unknown))
    row.in_doubt = False
    start_bounds.never_began(row.log, row.key)
    yield from start_bounds.nothing_began(row)
    return call_failed(failure, row.step.effect)


def _rows_of(row: OpenRow, sent: Start, pauses: tuple[float, ...]) -> Running[list[LogRow] | Unread]:
    """The rows that may be the call's: they come within a second. Any new row counts, whatever its time."""
    if row.log.refusal is not None:
        return Unread(row.log.refusal)
    rows: list[LogRow] | Unread = []
    shown: dict[str, LogRow] = {}
    for number, seconds in enumerate(chain(pauses, settling(row), (None,))):
        is_enough = number >= len(pauses)
        found = yield from doubt.search_log(row, sent, last=is_enough, at_any_time=sent.marked)
        rows = found if isinstance(found, Unread) else found.rows
        rival = None if isinstance(found, Unread) else found.rival
        shown |= {} if isinstance(rows, Unread) else {each.id: each for each in rows}
        is_decided = is_enough or (rows and (sent.marked or not starts.missing(row.log, sent.process, besides=sent)))
        if seconds is None or isinstance(rows, Unread) or (is_decided and not (rows and rival and row.is_once)):
            break
        yield from pause(row, seconds, why=PauseReason.SETTLE)
    if rows == [] and (gone := [each for key, each in shown.items() if key not in row.log.seen]):
        return gone  # a node that is late, or the archive, shows them no more
    if rows == [] and not _is_nowhere(row) and (why := starts.weak_absence(row.log, sent)) is not None:
        return Unread(CallFailed(kind=FailureKind.UNANSWERED, trouble=Trouble(code="E208", message=why)))
    return rows


def _is_nowhere(row: OpenRow) -> bool:
    """Whether the call was answered 404, and so was the library: a site that has none has no versions of a process."""
    failures = row.turned_away and row.turned_away[1], row.log.library_refusal
    return all(failure is not None and failure.status == HTTPStatus.NOT_FOUND for failure in failures)


def _refused_on_the_way(row: OpenRow, sent: Start, failure: CallFailed) -> Running[Attempt]:
    """A refusal that may be a proxy's: it counts where the log shows no start, or is not at its address either, or
    where the site lists no such process.

    A fault counts where the log is not read: the service itself said no.
    """
    if failure.status == HTTPStatus.NOT_FOUND:
        if why := starts.why_unknown(row.log, sent.process):
            trouble = replace(failure.trouble, message=f"{why}: {failure.trouble.message}", hint=CHECK_CODE)
            return call_failed(replace(failure, trouble=trouble), row.step.effect)
        if row.log.refusal is not None and row.log.refusal.status == HTTPStatus.NOT_FOUND:
            return call_failed(failure, row.step.effect)
    if _is_fault(failure) and not row.reads_log:
        yield from _set_aside(row, start_bounds.bounded(row, sent))
        return call_failed(failure, row.step.effect)
    row.turned_away = (start_bounds.bounded(row, sent), failure)
    found = yield from _already_began(row, _LOOKS)
    row.turned_away = None
    return found or call_failed(failure, row.step.effect)


def _is_fault(failure: CallFailed) -> bool:
    """Whether the service itself refused, perhaps after the process had begun, and not a proxy."""
    return failure.unproved and is_of_service(failure.status)


def _without_answer(row: OpenRow, sent: Start, failure: CallFailed) -> Running[Attempt]:
    """How the attempt ends. The process may have been started, unless the call never left."""
    if failure.unproved and row.is_once:
        return (yield from _refused_on_the_way(row, sent, failure))
    if _is_fault(failure):
        yield from _set_aside(row, start_bounds.bounded(row, sent))
    elif start_bounds.may_have_begun(failure):
        row.start = start_bounds.begun(row, sent, failure=failure)
        row.sought = row.start if row.sought is not None else None
    if is_in_doubt(failure, row.step.effect):
        return (yield from doubt.settled(row, failure.trouble))
    return call_failed(failure, row.step.effect)


def began_in_earlier_run(row: OpenRow, process: str) -> Running[Attempt | None]:
    """How the attempt ends where an earlier run's refused start may have happened; None where the log shows none."""
    before = row.state.run.refused.pop(row.key, None)
    if before is None or before.process != process:
        return None
    sent_by = f"run {before.run} made the call, which was refused{f' with {before.status}' if before.status else ''}"
    start = start_bounds.earlier_start(row, before)
    rows = yield from _rows_of_nobody(row, start)
    if rows == [] and (seconds := _until_settled(row, before)) > 0:
        yield from pause(row, seconds, why=PauseReason.SETTLE)
        rows = yield from _rows_of_nobody(row, start)
    if isinstance(rows, Unread):
        why = f"{sent_by}; whether it started the process is not known: {rows.failure.trouble.message}"
        row.warnings = (*row.warnings, why)
        return None
    if not rows:
        return None
    row.in_doubt = True
    row.shown = tuple(each.id for each in rows)
    why = f"the process log shows a start that may be it: {starts.named(rows[0])}; so it was not made again"
    return in_doubt(Trouble(code="E401", message=sent_by), why=why, by_log=False)


def _until_settled(row: OpenRow, before: RefusedStart) -> float:
    """Seconds until the row of a short process has come: a row may appear when the process ends [S]."""
    now, settle = row.log.server_time(row.t), row.state.run.plan.times.settle
    return (
        0.0
        if is_of_service(before.status) or before.at is None or now is None
        else min(settle, before.at + settle - now)
    )


def _rows_of_nobody(row: OpenRow, start: Start) -> Running[list[LogRow] | Unread]:
    """The rows that may be made by a `start` of an earlier run, and belong to no call."""
    log, since = row.log, start.span.since
    if not start.marked and since is None:
        return Unread(doubt.UNBOUNDED)
    if log.owner_due <= row.t:
        yield from readings.ask_owner(row)
    mark = start.mark if start.marked or since is None else server_time.odata_time(since)
    rows = yield from process_log.all_rows(row, ReadRows(process=start.process, since=mark), since=since)
    if isinstance(rows, Unread):
        return rows
    own, owner = log.seen - log.there.get(start.process, frozenset()), log.owner_of(start)
    found = {
        each.id: each
        for each in rows
        if each.id not in own and each.parent is None and starts.may_be_of(log, start, each)
        if owner is None or each.owner in (None, owner)
    }
    codes = log.codes_of(start.process)
    others = yield from query_peers(row.state, QueryPeers(key=row.key, rows=tuple(found), codes=codes))
    return [each for key, each in found.items() if key not in others.taken]
