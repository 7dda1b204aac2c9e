"""What `apply` prints of versions, a line each, and of those that it does not carry out, as problems."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from types import MappingProxyType

from msgspec.structs import replace

from runner.foundation.problems import Problem, Severity
from runner.ledger.decisions import BEGINS, DONE, NOT_REPEATED, OPEN, SENT, Decision, VersionState, holds_up
from runner.ledger.model import DIRTY, LedgerEntry
from runner.ledger.observing import ObservedEntry, Whereabouts
from runner.ledger.repeats import NOTHING_REPEATED, RepeatedSteps, warnings_of
from runner.ledger.versions import key_in_words
from runner.reports.next_steps import beyond_resume, next_steps, verb_command
from runner.reports.safe import aligned, clean
from runner.runs import StoreName
from runner.runs.result import RunResult

_SHOWN = 12  # digits of a digest that a person sees
_COMMIT = 7
_MOST_FAILED = 3
_MOST_ALIKE = 3
GONE = "gone"
_MAY_WAIT = BEGINS | {VersionState.WAITING, VersionState.BLOCKED}
_TO_BE_SHOWN = frozenset({"unknown", "failed", "error"})  # ends that a person wants to see the run of
_ENDED_AS = {
    VersionState.FAILED: "failed",
    VersionState.ERROR: "got no usable answer",
    VersionState.CANCELLED: "was cancelled",
}

_NOT_ENDED = {
    Whereabouts.UNDER_WAY: "is under way",
    Whereabouts.BROKE_OFF: "broke off",
    Whereabouts.LOST: "is lost: nobody knows how it ended",
    Whereabouts.NEVER_BEGAN: "broke off before it began",
    Whereabouts.QUEUED: "is queued",
    Whereabouts.WAITING: "waits for others",
    Whereabouts.HELD: "is held",
}
"""The words for a run that has not ended."""
_NOT_OVER = OPEN | {VersionState.HELD, VersionState.RESUMED}
OLDER = "are older versions again, and are not carried out"
LACKING = "wait for a job that has not passed"


def held_back(decisions: Sequence[Decision], blocked: Collection[str], *, queues: bool) -> list[Decision]:
    """The decisions, with those of `blocked`, digests, as versions that wait in vain: with a fleet they are blocked."""
    state = VersionState.BLOCKED if queues else VersionState.WAITING
    return [replace(each, state=state, before=None) if each.digest in blocked else each for each in decisions]


def table(
    decisions: Sequence[Decision],
    gone: Sequence[LedgerEntry] = (),
    *,
    after: Mapping[str, Collection[str]] = MappingProxyType({}),
    repeated: Mapping[str, RepeatedSteps] = MappingProxyType({}),
    all_read: bool = True,
) -> list[str]:
    """A line for each version: its state, title, digest, and what is known of it. `all_read`: no folder below was not.

    By its digest `after` has the jobs that it waits for, `repeated` the `once` steps that it starts again.
    """
    rows = [_row(each, after.get(each.digest, ()), repeated.get(each.digest, NOTHING_REPEATED)) for each in decisions]
    rows += [
        (GONE, clean(entry.version.title), entry.version.digest[:_SHOWN], _gone(entry, all_read=all_read))
        for entry in gone
    ]
    return aligned(rows)


def _row(decision: Decision, after: Collection[str], repeated: RepeatedSteps) -> tuple[str, ...]:
    version = decision.version
    waits = f"after {', '.join(map(clean, after))}" if after and decision.state in _MAY_WAIT else ""
    notes = "; ".join(filter(None, (_note(decision), waits, *repeated.warnings())))
    return decision.state.value, clean(version.title), version.digest[:_SHOWN], notes


def summary_of_plan(decisions: Sequence[Decision]) -> str:
    begin = sum(each.state in BEGINS for each in decisions)
    resumed = sum(each.state is VersionState.RESUMED for each in decisions)
    goes_on = f", {resumed} would go on" if resumed else ""
    return f"{begin} would begin{goes_on}, {_others(each for each in decisions if each.state not in SENT)}"


def summary(results: Sequence[RunResult], others: Sequence[Decision]) -> str:
    """What an `apply` came to, in a line: its runs, and the versions that it did not carry out."""
    statuses = Counter(str(result.status) for result in results)
    counted = ", ".join(f"{number} {status}" for status, number in statuses.items())
    return f"applied: {counted or 'nothing new'}; {_others(others)}"


def summary_of_queue(decisions: Sequence[Decision], queued: Collection[str], blocked: Collection[str]) -> str:
    """What an `apply` to a fleet came to. `queued` and `blocked` are digests; the latter need what does not pass."""
    states = Counter(
        VersionState.BLOCKED if each.digest in blocked else each.state for each in decisions if each.digest in queued
    )
    is_open = sum(number for state, number in states.items() if state in OPEN)
    ended = [f"{number} {state.value}" for state, number in states.items() if state not in OPEN]
    counted = ", ".join([*([f"{is_open} queued"] if is_open else []), *ended])
    blocked_ones = sum(each.digest in blocked and each.digest not in queued for each in decisions)
    rest = [each for each in decisions if each.digest not in {*queued, *blocked}]
    more = f", {blocked_ones} blocked" if blocked_ones else ""
    return f"applied: {counted or 'nothing new'}; {_others(rest)}{more}"


def _others(decisions: Iterable[Decision]) -> str:
    states = Counter(_counted_as(each.state) for each in decisions)
    before = f"{states.pop('passed', 0)} passed before"
    return ", ".join([before, *(f"{number} {state}" for state, number in sorted(states.items()))])


def _counted_as(state: VersionState) -> str:
    if state in DONE:
        return "passed"
    return "waiting" if state in BEGINS else "broke off" if state is VersionState.RESUMED else state.value


def _note(decision: Decision) -> str:
    known, before, state = decision.known, decision.before, decision.state
    match state:
        case VersionState.NEW if decision.version.key is not None or before is not None:
            return _note_of_key(decision)
        case VersionState.CHANGED if before is not None:
            return f"was {before.entry.version.digest[:_SHOWN]}, {_ending(before)}"
        case VersionState.MOVED if before is not None:
            return f"was at {clean(before.entry.version.url) or 'a sandbox'}, {_ending(before)}"
        case VersionState.BLOCKED if before is not None:
            return f"by run {clean(before.entry.last.run or '')} of the version before, {_ending(before)}"
        case _:
            return "" if known is None else _ending(known)


def _note_of_key(decision: Decision) -> str:
    """Which key makes the version new, and how the version with another key ended."""
    key, before = decision.version.key, decision.before
    now = f"for {clean(key_in_words(key))}" if key is not None else ""
    if before is None:
        return now
    other = before.entry.version.key
    of_key = "" if other is None else f", for {clean(key_in_words(other))}"
    earlier = f"before{of_key}: {_ending(before)}"
    return "; ".join(filter(None, (now, earlier)))


def problem(
    decision: Decision,
    *,
    command: str,
    repeated: RepeatedSteps = NOTHING_REPEATED,
    has_needs: bool = False,
) -> Problem | None:
    """Why a version is not carried out, or is older, and what to do; None where no word is needed.

    `command` is the `apply` of this version alone; `has_needs`: the job needs others, with the same key.
    """
    observed = decision.before if decision.state is VersionState.BLOCKED else decision.known
    if decision.is_older and observed is not None:
        return _older(decision, observed, command=command, has_needs=has_needs)
    if observed is None or decision.state in {*BEGINS, VersionState.PASSED, VersionState.ADOPTED}:
        return None
    message = f"`{clean(decision.title)}` is not carried out: {_why(decision, observed)}"
    if decision.state in NOT_REPEATED and decision.state is not VersionState.REFUSED:
        hint = _hint_of_ended(command, repeated, has_cases=decision.version.case is not None)
    else:
        hint = _hint(decision, observed, command)
    return Problem(code="E183", message=message, hint=hint, run=decision.version.run)


def _older(decision: Decision, observed: ObservedEntry, *, command: str, has_needs: bool) -> Problem:
    version, later = decision.version, decision.before
    assert later is not None
    digest = later.entry.version.digest[:_SHOWN]
    message = (
        f"`{clean(version.title)}` is an older version again, and is not carried out: it {_ending(observed)}, "
        f"and after it came {digest}: {_ending(later)}"
    )
    if holds_up(later):
        hint = _hint(decision, later, command)
    else:
        once_more = "with `runner run`, or with another key of `--for`"
        if not has_needs and version.key is None:
            once_more = f"with `{command} --for after-{digest}`"
        hint = (
            f"carry it out once more {once_more}; if the site is as it says, `{command} --adopt` marks it as the newest"
        )
    return Problem(code="E183", message=message, hint=hint, severity=Severity.WARNING, run=version.run)


def kind_of(decision: Decision) -> str:
    """Words for a kind of versions, of which only the first are printed."""
    return OLDER if decision.is_older else f"have the state `{decision.state}`"


def shortened(problems: Mapping[str, Sequence[Problem]], *, command: str) -> list[Problem]:
    """The first problems of each kind, and how many there are more. `command` is the `apply`, to be typed again."""
    found: list[Problem] = []
    for kind, alike in problems.items():
        shown = alike if len(alike) <= _MOST_ALIKE + 1 else alike[:_MOST_ALIKE]
        found += shown
        if left := len(alike) - len(shown):
            hint = f"`{command} --dry-run` lists all"
            message = f"{left} more versions {kind}"
            found.append(Problem(code=alike[0].code, message=message, hint=hint, severity=alike[0].severity))
    return found


def _hint_of_ended(command: str, repeated: RepeatedSteps, *, has_cases: bool) -> str:
    what = "the job (change only its case: else all cases begin again)" if has_cases else "the job"
    again = f"change {what}, or carry it out again with `--retry failed`"
    if careful := "; ".join(repeated.warnings()):
        rest = f"if the rest was done by hand, `{command} --adopt` marks it as done without running"
        return f"{again}; {careful}; {rest}"
    return f"{again}; mark it as applied with `--adopt` if somebody did the work by hand"


def _why(decision: Decision, observed: ObservedEntry) -> str:
    run = clean(observed.entry.last.run or "")
    match decision.state:
        case VersionState.BLOCKED:
            return _why_blocked(run, observed)
        case state if state in _NOT_OVER:
            return f"run {run} of this version {_NOT_ENDED.get(observed.where, 'waits')}{_cause(observed)}"
        case VersionState.LOST:
            return f"run {run} of this version began on {_day(observed)}, and {_why_lost(observed)}"
        case VersionState.UNKNOWN:
            return f"nobody knows yet how run {run} of this version ended"
        case VersionState.REFUSED:
            unsent = ", and nothing was sent" if observed.is_unbegun else ""
            return f"this version was refused on {_day(observed)}{unsent}{_cause(observed)}"
        case VersionState.CANCELLED if observed.is_unbegun:
            return f"this version was cancelled on {_day(observed)} before it began{_cause(observed)}"
        case _:
            return f"this version was carried out on {_day(observed)}, and {_ENDED_AS[decision.state]}"


def _cause(observed: ObservedEntry) -> str:
    return f": {clean(observed.note)}" if observed.note else ""


def _hint(decision: Decision, observed: ObservedEntry, command: str) -> str:
    run, store = observed.entry.last.run or "", observed.store
    if decision.state is VersionState.REFUSED:
        return "remove the cause, then carry it out with `--retry refused`"
    if observed.where in (Whereabouts.UNDER_WAY, Whereabouts.QUEUED, Whereabouts.WAITING):
        shown = f"; `{verb_command('status', run, store)}` shows it" if store is not None and store.is_fleet else ""
        return f"wait for it with `--wait 10m`{shown}"
    if observed.where is Whereabouts.LOST and observed.note:
        return f"`{observed.note}` shows what it did, and how it goes on"
    if observed.where is Whereabouts.LOST and decision.state is VersionState.BLOCKED and not observed.is_in_doubt:
        return (
            f"look at the site for what it did; `{command} --retry failed` carries the changed job out all the same, "
            f"`{command} --adopt` marks it as done without running"
        )
    if observed.where is Whereabouts.LOST:
        return (
            f"look at the site: if it happened, `{command} --adopt` takes the version for "
            "applied; if not, carry the job out with `runner run` first"
        )
    steps = next_steps(observed.run.result) if observed.run is not None else ()
    shown = verb_command("show", run, store)
    if not steps:
        return f"`{shown}` shows it; {clean(observed.entry.last.place)}".removesuffix("; ")
    more = f"; `{shown}` has what else there is to do" if len(steps) > 1 else ""
    return f"`{steps[0].command}` {steps[0].does}{more}"


def after_failures(
    failed: Mapping[str, str], repeated: Sequence[RepeatedSteps], *, command: str, store: StoreName
) -> list[str]:
    """What comes next when versions did not pass: `failed` are runs by titles, `repeated` what would start again."""
    lines = [
        f"{clean(title)} did not pass: `{verb_command('show', run, store)}`"
        for title, run in list(failed.items())[:_MOST_FAILED]
    ]
    if len(failed) > _MOST_FAILED:
        lines.append(f"{len(failed) - _MOST_FAILED} more did not pass")
    careful = "".join(f"; {warning}" for warning in warnings_of(repeated))
    again = f"when the cause on the site is mended: `{command} --retry failed`; a changed job runs by itself{careful}"
    return [*lines, again] if lines else []


def _why_blocked(run: str, observed: ObservedEntry) -> str:
    if observed.where is Whereabouts.ENDED:
        return f"nobody knows yet how run {run} of the version before ended"
    if observed.where is Whereabouts.LOST:
        return f"run {run} of the version before is lost: {_why_lost(observed)}"
    cause = _cause(observed) if observed.where is Whereabouts.HELD else ""
    return f"run {run} of the version before has to end first, and {_NOT_ENDED.get(observed.where, 'broke off')}{cause}"


def _why_lost(observed: ObservedEntry) -> str:
    if observed.run is not None and observed.is_in_doubt:
        return beyond_resume(observed.run.result) or "its events are an older copy: later it has sent more"
    there = clean(observed.entry.last.place) or "the store of runs"
    return f"its events are {'in' if observed.note else 'not in'} {there}"


def _ending(observed: ObservedEntry) -> str:
    """How the last attempt ended, when, and from which commit."""
    last = observed.entry.last
    if observed.where in _NOT_ENDED:
        cause = _cause(observed) if observed.where in (Whereabouts.HELD, Whereabouts.LOST) else ""
        return f"run {clean(last.run or '')} {_NOT_ENDED[observed.where]}{cause}"
    word = "adopted" if last.run is None else str(last.end.status if last.end else "")
    if observed.where is Whereabouts.SENT_NOTHING:
        return f"{word} {_day(observed)}{_commit(last.commit)} before anything but readings was sent"
    doubt = f": `{verb_command('show', last.run or '', observed.store)}`" if word in _TO_BE_SHOWN else ""
    by = f" by {clean(last.adopted_by)}" if last.adopted_by is not None else ""
    return f"{word} {_day(observed)}{by}{_commit(last.commit)}{doubt}"


def _commit(commit: str | None) -> str:
    """The commit that a person sees. A commit that does not hold the version is not shown as its source."""
    if not commit:
        return ""
    more = " with uncommitted changes" if commit.endswith(DIRTY) else ""
    return f" ({commit[:_COMMIT]}{more})"


def _gone(entry: LedgerEntry, *, all_read: bool) -> str:
    last = entry.last
    ended = (
        f"run {clean(last.run or '')} has not ended" if last.end is None else f"{last.end.status} {last.end.at[:10]}"
    )
    where = "no file holds this job any more" if all_read else "no file that was read holds this job"
    return f"{ended}; {where}, and nothing is undone"


def _day(observed: ObservedEntry) -> str:
    last = observed.entry.last
    return (last.end.at if last.end else last.began_at)[:10]
