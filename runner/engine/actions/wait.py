"""A `wait`: follows a process until what is waited for has happened, or cannot happen any more."""

from msgspec import to_builtins
from msgspec.structs import replace

from runner.engine import process_log, readings
from runner.engine.actions.cancel import judge_log_row
from runner.engine.answer import process_failed
from runner.engine.attempt import Attempt, not_passed
from runner.engine.effects import Running
from runner.engine.elements import no_process_id
from runner.engine.perform import Backoff
from runner.engine.process_log import GONE, has_ended
from runner.engine.readings import Unread
from runner.engine.state import OpenRow
from runner.engine.verdict import strange_status
from runner.foundation.durations import format_duration
from runner.foundation.values import Json, is_guid
from runner.job.actions import Wait, WaitFor
from runner.runs.process_status import ENDED_BADLY, KNOWN
from runner.runs.status import Status
from runner.service.calls import LogRow, ReadElementData, ReadElements

_WORKS_BY_ITSELF = ("ScriptTask", "Gateway")
"""Parts of the kinds of elements that take time of their own and wait for nobody [C]."""
_SUB_PROCESS = "SubProcess"
_MAY_WORK = "not verified: its sub-process runs, and may work by itself or wait for a person"


def attempt_wait(row: OpenRow) -> Running[Attempt]:
    """Look at the process, more and more seldom, until it is where it should be."""
    action, follow = row.step.action, row.step.follow
    assert isinstance(action, Wait)
    process_id = row.text(action.process_id, "process_id")
    if not is_guid(process_id):
        return no_process_id(action.process_id, process_id)
    looks = Backoff(next=action.every, longest=action.max_every, deadline=row.t + follow)
    last: LogRow | None = None
    settle = row.state.run.plan.times.settle
    appears_by = row.t + settle
    while True:
        with row.reading_until(row.t + follow):
            read = yield from process_log.row_of(row, process_id)
        if isinstance(read, Unread) and (looks.is_over(row) or _stays_unread(row, read, never_read=last is None)):
            return _unread("the process log", read)
        unread: Unread | None = None
        if isinstance(read, LogRow):
            last, appears_by = read, appears_by if read.status is None else row.t + settle
            shown = yield from _shown(row, action, read)
            if isinstance(shown, Attempt):
                return shown
            unread = shown
        if isinstance(read, LogRow) and (looks.is_over(row) or (read.status is None and row.t >= appears_by)):
            return _too_late(row, action, read, unread=unread)
        if read is None and (looks.is_over(row) or row.t >= appears_by):
            return _not_shown(row, process_id) if last is None else _missed(action, replace(last, status=GONE))
        yield from looks.wait(row)


def _stays_unread(row: OpenRow, read: Unread, *, never_read: bool) -> bool:
    return row.log.refusal is not None or readings.is_hopeless(read.failure, never_read=never_read)


def _shown(row: OpenRow, action: Wait, found: LogRow) -> Running[Attempt | Unread | None]:
    """How the wait ends by the log; None where it goes on, or which elements cannot be read."""
    if found.status not in KNOWN:
        return None if found.status is None else _missed(action, found)
    if has_ended(found):
        is_wanted = action.wanted is WaitFor.ENDED or (action.wanted is WaitFor.COMPLETED and found.status == "done")
        return judge_log_row(row, found) if is_wanted else _missed(action, found)
    return (yield from _parked(row, found)) if action.wanted is WaitFor.PARKED else None


def _parked(row: OpenRow, found: LogRow) -> Running[Attempt | Unread | None]:
    """The same of a process that runs: the engine's store has what waits, the log of elements their kinds."""
    kinds: dict[Json, Json] = {design.uid: design.kind for design in row.state.run.plan.elements}
    unread: list[Unread] = []
    running: list[Json] = []
    calls = (ReadElementData(process_id=found.id), ReadElements(process_id=found.id))
    for call in calls:
        elements = yield from readings.elements_in(row, call)
        if isinstance(elements, Unread):
            unread.append(elements)
            continue
        kinds |= {each.get("uid"): kind for each in elements if (kind := each.get("kind"))}
        running += [each.get("uid") for each in elements if each.get("status") == "running"]
        if any(uid in kinds and _waits(kinds[uid]) for uid in running):
            return judge_log_row(row, found)
    if any(uid not in kinds for uid in running):  # only the log has kinds, where no catalogue knows it
        return judge_log_row(row, found)
    if any(_SUB_PROCESS in str(kinds[uid]) for uid in running):
        return judge_log_row(row, found).warned(_MAY_WORK)
    if len(unread) == len(calls) and all(readings.is_for_good(each.failure) for each in unread):
        return _unread("the elements of the process", unread[0])
    return unread[0] if unread else None


def _waits(kind: Json) -> bool:
    """Whether an element of this kind waits for somebody. A task of the system has the kind of a person's task [?]."""
    return not any(name in str(kind) for name in (*_WORKS_BY_ITSELF, _SUB_PROCESS))


def _unread(what: str, unread: Unread) -> Attempt:
    trouble = unread.failure.trouble
    message = f"`wait` reads {what}, which cannot be read: {trouble.message}"
    return not_passed("E208", message, trouble.hint, status=Status.ERROR)


def _missed(action: Wait, found: LogRow) -> Attempt:
    if found.status in ENDED_BADLY:
        return replace(process_failed(found), result=to_builtins(found), verified=None, process_status=None)
    if found.status not in KNOWN:
        return replace(not_passed("E208", strange_status(found.status)), result=to_builtins(found))
    message = f"the process has ended as `{found.status}`, and cannot be {action.wanted} any more"
    return replace(not_passed("E208", message), result=to_builtins(found), process_id=found.id)


def _not_shown(row: OpenRow, process_id: str) -> Attempt:
    check = "the service gave this id, so that its row may come later" if process_id in row.log.called_at else ""
    hint = f"{check or 'check the id'}; a process that is not written into the log cannot be waited for"
    return not_passed("E208", f"the process log shows no process of this id {_settled(row)}", hint)


def _settled(row: OpenRow) -> str:
    return f"after {format_duration(min(row.step.follow, row.state.run.plan.times.settle))}"


def _too_late(row: OpenRow, action: Wait, found: LogRow, *, unread: Unread | None) -> Attempt:
    waited = f"after {format_duration(row.step.follow)}"
    if found.status is None:
        message = f"{strange_status(None)} {_settled(row)}"
        hint = "check that the user may read all columns of SysProcessLog"
        return replace(not_passed("E208", message, hint), result=to_builtins(found), process_id=found.id)
    message = f"the process still runs {waited}"
    hint = f"`wait: {{process_id: {found.id}}}` in another job waits on, `cancel` ends it; a new run starts another"
    if action.wanted is WaitFor.PARKED:
        message += ", and none of its elements waits for a person"
    else:
        hint += "; a process that waits for a person needs its element executed"
    if unread is not None:
        trouble = unread.failure.trouble
        message = f"{message}, as far as they can be read: {trouble.message}"
        hint = trouble.hint or hint
    return replace(not_passed("E208", message, hint), result=to_builtins(found), process_id=found.id)
