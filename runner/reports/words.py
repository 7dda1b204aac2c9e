"""What reports word alike: the name of a run, why a row did not pass, an exit code. All is safe to print."""

from collections.abc import Iterator, Sequence

from runner.foundation.lazy import lazy_pattern
from runner.foundation.problems import STOPPED, ExitCode
from runner.foundation.sentences import first_few, job_and_case, shortened
from runner.foundation.values import Json, compact
from runner.reports.safe import clean, moment, safe
from runner.runs.events import Row, RunStatus, Section, Trouble
from runner.runs.evidence import Confirmation, Person, Starter, Unverified, VerdictBy, VerdictSource
from runner.runs.result import Judged, RunResult, StepResult, tally
from runner.runs.status import RED, Status
from runner.secrets.shown import hide

LONGEST_VALUE = 200  # characters of a value that are printed where a person reads; files hold it whole

MOST_KEYS = 5
NOTHING_DONE = "no step was carried out"  # what a run is warned of that may have passed, and has done nothing
STARTS = frozenset({"execute", "run", "signal"})  # kinds of steps that start a process, which the site's log shows
_TO_THE_END = frozenset({"wait", "cancel"})
_UNPROVED = frozenset({Unverified.UNREADABLE, Unverified.NOT_SHOWN})

_MEANING = {
    ExitCode.PASSED: "everything selected passed",
    ExitCode.FAILED: "an expectation or a process failed",
    ExitCode.INVALID: "a mistake in a file or on the command line; nothing was sent",
    ExitCode.NO_ANSWER: "no usable answer",
    ExitCode.UNKNOWN: "an outcome is unknown: the process log or a person must settle it",
    ExitCode.NOTHING_SELECTED: "nothing was selected, so nothing ran",
    ExitCode.REFUSED: "refused by a guard",
    ExitCode.FAULT: "a fault of this program",
    ExitCode.HUNG_UP: "stopped by a hang-up",
    ExitCode.INTERRUPTED: "interrupted",
    ExitCode.TERMINATED: "terminated",
}
_SKIPPED_BECAUSE = {
    "condition": "its `if` is false",
    "stopped": "the run was stopped",
    "nothing": "`for_each` gave no item",
}

TRACE_LEFT_OUT = "(its stack trace: -v)"
_BEFORE = r"(?:^|(?<!\s)\s++)"  # at the start of blanks only, so that many of them cost no more than their number
_FRAME = lazy_pattern(
    _BEFORE + r"(?:at|bei|à|en|в) "
    r"[\w<][\w<>`|$&*,+\[\]=-]*(?:\.{1,2}[\w<>`|$&*,+\[\]=-]+)+\([^()\n]*\)"
    r"(?: \w+ [^\n]{1,300}?:\w+ [0-9]+)?"
)
"""A frame of a .NET stack trace, `at Namespace.Type.Method(…)`, also within a line, and in the server's language."""
_SEPARATOR = lazy_pattern(_BEFORE + r"-{3} [^\n]{1,200}? -{3}(?!\S)")
"""`--- End of inner exception stack trace ---`, also in other words."""


def meaning(code: ExitCode) -> str:
    return _MEANING[code]


def meaning_of(result: RunResult) -> str:
    """The meaning of this run's exit code: where nothing of it went wrong, but it is not whole, that."""
    if waits_for_answer(result):
        return "a question is not answered yet"
    if result.exit_code is ExitCode.NO_ANSWER and not result.finished:
        return "the run has not come to its end"
    if result.exit_code is ExitCode.FAILED and result.error is not None and result.error.code == "E312":
        return "the job was not carried out whole"
    if result.exit_code in STOPPED.values() and result.stop_ordered_by is not None:
        return f"stopped by {person_name(result.stop_ordered_by)}"
    return meaning(result.exit_code)


def waits_for_answer(result: RunResult) -> bool:
    """Whether the run was left at a question: a person put it off, or was not there."""
    questions = (step for step in result.steps if step.kind == "confirm" and step.reason is None)  # not stopped
    return not result.finished and any(step.error is not None and step.error.code == "E312" for step in questions)


def brief(value: Json) -> str:
    """A value as a safe line of JSON, cut where it grows long."""
    return shortened(safe(compact(hide(value))), LONGEST_VALUE)


def run_title(result: RunResult) -> str:
    """`job[case]@target`, the name of a run in reports; its id where the first line is lost."""
    if not result.job:
        return clean(result.id) or "a run without a name"
    return f"{clean(job_and_case(result.job, result.case))}@{clean(result.target.name)}"


def name_in_ci(step: StepResult) -> str:
    """What a CI calls the test that a row is to it."""
    return step.key if step.name == step.key else f"{step.key}: {step.name}"


def key_and_name(row: Row | StepResult) -> str:
    """A row where there is room for its name, too."""
    return clean(row.key) if row.name == row.key else f"{clean(row.key)}  {clean(row.name)}"


def counted(steps: Sequence[StepResult]) -> str:
    """`5 passed (2 not verified), 1 failed`; statuses that no row has are left out."""
    unproved = sum(map(is_unproved, steps))
    beside = {Status.PASSED: f" ({unproved} not verified)"} if unproved else {}
    counts = tally(steps).items()
    return ", ".join(f"{count} {status}{beside.get(status, '')}" for status, count in counts if count) or "no step"


def is_unproved(step: StepResult) -> bool:
    """Whether a row passed although the process log was asked, and proves nothing."""
    return step.status is Status.PASSED and step.unverified in _UNPROVED


def has_done_nothing(result: RunResult) -> bool:
    """Whether no step of a run was carried out, not counting `finally`, and a `job` without its steps."""
    return result.finished and not any(
        step.section is Section.STEPS and step.kind != "job" and step.status is not Status.SKIPPED
        for step in result.steps
    )


def because(step: StepResult) -> str:
    """Why a row was skipped, and of a turn its item."""
    reason = step.reason or ""
    why = _SKIPPED_BECAUSE.get(reason) or clean(reason) or "no reason is known"
    if step.skipped_by is not None:
        why = f"`{clean(step.skipped_by)}` stopped {'the run' if step.index is None else 'its step'}"
    return why if step.item is None else f"{why}; item: {brief(step.item)}"


def doubtful(steps: Sequence[StepResult]) -> tuple[StepResult, ...]:
    """The rows whose outcome nobody knows; parts in place of their whole row."""
    unknown = [step for step in steps if step.status is Status.UNKNOWN]
    wholes = [(f"{step.key}/", f"{step.key}[") for step in unknown]
    return tuple(
        step for step, parts in zip(unknown, wholes, strict=True) if not any(k.key.startswith(parts) for k in unknown)
    )


def failing_step(result: RunResult) -> StepResult | None:
    """The row that speaks for a run that did not pass: the first red row that counts, or its red part."""
    if result.status is RunStatus.PASSED:
        return None
    ignored = tuple(f"{step.key}/" for step in result.steps if _is_ignored(step))
    red = (step for step in result.steps if step.status in RED and not _is_ignored(step))
    return next((step for step in red if not step.key.startswith(ignored)), None)


def _is_ignored(step: StepResult) -> bool:
    return step.on_failure == "ignore" and step.status is not Status.UNKNOWN


def own_error(result: RunResult) -> Trouble | None:
    """Why a run that has ended did not pass, where no step says so."""
    return result.error if result.finished and all(step.error != result.error for step in result.steps) else None


def is_lost(step: StepResult) -> bool:
    """Whether it is known that the row passed, and only its result is not."""
    return step.error is not None and step.error.code == "E402"


def is_by_hand(step: StepResult) -> bool:
    """Whether only a person can say how a row in doubt ended: nothing is known by which the log could be searched."""
    is_off = step.unverified is Unverified.OFF and step.kind in STARTS and step.process_id is None
    return is_off or step.unverified is Unverified.BY_HAND


def has_begun(step: StepResult) -> bool:
    """Whether it is known of a row in doubt that its process began, and only its end is not."""
    may_be_queued = step.kind == "run"
    by_error = not may_be_queued and step.error is not None and step.error.code in ("E208", "E214")
    return (step.process_id is not None or by_error) and step.kind in STARTS


_UNSETTLED = "may or may not have happened"
_BEGUN = "has begun, and nobody knows how it ended"
_LOST = "happened, but the result is lost"


def doubt_sentence(steps: Sequence[StepResult]) -> str:
    """The sentence on rows in doubt, or with a lost result; empty without any."""
    found: dict[str, list[StepResult]] = {_UNSETTLED: [], _BEGUN: [], _LOST: []}
    for step in doubtful(steps):
        found[_LOST if is_lost(step) else _BEGUN if has_begun(step) else _UNSETTLED].append(step)
    parts = [f"{first_few([clean(row.key) for row in rows], MOST_KEYS)} {what}" for what, rows in found.items() if rows]
    return f"in doubt: {'; '.join(parts)}" if parts else ""


def labelled(label: str, text: str) -> list[str]:
    """`label: text` as safe lines; where the text has several, those after the first come after a bar."""
    if clean(text) is text:
        return [f"{label}: {text}"]
    whole = safe(str(hide(text)).replace("\r\n", "\n").strip("\n"), keep_lines=True)
    return f"{label}: {whole}".replace("\n", "\n  | ").split("\n")


def trouble_lines(trouble: Trouble) -> list[str]:
    """`E305: no answer in time`, and its hint on a line of its own."""
    hint = labelled("hint", trouble.hint) if trouble.hint else []
    return labelled(clean(trouble.code), trouble.message) + hint


def run_trouble(result: RunResult) -> list[str]:
    """Why a run did not pass, if no row says it."""
    return [f"the run ended as {result.status}", *(trouble_lines(result.error) if result.error else ())]


_HOW = {
    VerdictSource.OPTION: "with `--as`",
    VerdictSource.QUESTION: "at the terminal",
    VerdictSource.YES: "with `--yes`",
}


def given_by(by: VerdictBy) -> str:
    """Who gave a verdict or an answer, and how: `ada (octocat in CI), with `--as``."""
    return f"{person_name(by)}, {_HOW[by.how]}"


_CONFIRMED = {
    Confirmation.OPTION: ", confirmed with `--confirm %s`",
    Confirmation.QUESTION: ", confirmed at the terminal",
}


def begun_by(result: RunResult) -> str:
    """Who began a run, or put it into the queue of a fleet, and how that was confirmed; empty where nobody knows."""
    by = result.begun_by
    if by is None:
        return ""
    confirmed = "" if by.confirmed is None else _CONFIRMED[by.confirmed].replace("%s", clean(result.target.name))
    return f"{person_name(by)}{confirmed}"


def is_of_fleet(result: RunResult) -> bool:
    return result.applied is not None and result.applied.fleet is not None


def person_name(person: Person | VerdictBy | Starter) -> str:
    """The name of a person: `ada (octocat in CI)`."""
    in_ci = f" ({clean(person.ci_user)} in CI)" if person.ci_user else ""
    return f"{clean(person.user or 'somebody')}{in_ci}"


def verdict_line(answer: Judged) -> str:
    """A person's answer about a row, who gave it, and when."""
    label = "answer" if answer.verdict in ("yes", "no") else "verdict"
    return f"{label}: {clean(answer.verdict)}, by {given_by(answer.by)}, {moment(answer.at)} UTC"


def reasons(step: StepResult, *, traces: bool = True) -> list[str]:
    """Why a row did not pass: its error, then other failed expectations; without `traces` no stack trace."""
    error = step.error
    if error and not traces:
        error = Trouble(code=error.code, message=without_trace(error.message), hint=error.hint)
    lines = trouble_lines(error) if error else []
    known = step.error.message if step.error else ""
    for check in step.checks:
        message = check.message or f"`{check.that}`"
        if not check.passed and message not in known:
            lines += labelled("not met", message)
    return lines


def without_trace(text: str) -> str:
    """`text` without the frames of a stack trace, but with how to see them: a trace is for who runs the site."""
    rest, frames = _FRAME.subn("", text)
    return f"{_SEPARATOR.sub('', rest).strip()} {TRACE_LEFT_OUT}".lstrip() if frames else text


def remarks(step: StepResult) -> list[str]:
    """What else a file holds of a row: expectations that were met, its process, help where it is needed, warnings."""
    lines = [line for check in step.checks if check.passed for line in labelled("met", check.that)]
    if step.flaky:
        lines.append(f"flaky: it passed at attempt {step.attempts} only")
    if step.verified == "inferred":
        lines.append("settled from the process log")
    return lines + to_go_on(step) + warnings(step)


def to_go_on(step: StepResult) -> list[str]:
    """What helps a person to go on from a row that did not pass."""
    lines = [f"item: {brief(step.item)}"] if step.item is not None else []
    lines += labelled("process", step.process_id) if step.process_id else []
    return lines + labelled("help", step.help) if step.help and step.status in RED else lines


def undo_left(result: RunResult) -> str:
    """What undo has not done, or is not known to have done, but for processes that a later row of undo has ended."""
    rows = [step for step in result.steps if step.section is Section.UNDO]
    ended = {step.process_id for step in rows if step.kind in _TO_THE_END and step.status is Status.PASSED}
    bad = [clean(step.key) for step in rows if step.status in RED]
    open_ = [clean(step.key) for step in rows if step.running and step.process_id not in ended - {None}]
    unproved = [clean(step.key) for step in rows if is_unproved(step)]
    unproved = [key for key in unproved if key not in open_]
    ways = (
        (bad, "did not pass"),
        (open_, "started, not known to be done"),
        (unproved, "not verified"),
        (_without_undo(result, rows), "passed without an `undo`: what they did stays"),
    )
    return "; ".join(f"{first_few(keys, MOST_KEYS)} {words}" for keys, words in ways if keys)


def _without_undo(result: RunResult, undoing: Sequence[StepResult]) -> list[str]:
    """The rows that have changed something and have no `undo`, nor has a step that they are a part of."""
    if result.undo != "complete":
        return []
    undone = {step.key.removeprefix("undo/") for step in undoing}
    keys = {step.key for step in result.steps}
    undone |= {key.rpartition("/")[0] for key in undone - keys}  # `undo/KEY/ID` of each step of a list
    return [
        clean(step.key)
        for step in result.steps
        if step.section is Section.STEPS and step.status is Status.PASSED and step.effect not in (None, "read")
        if not any(f"{step.key}/".startswith(f"{key}/") for key in undone - {""})
    ]


def finally_left(result: RunResult) -> str:
    """What `finally` has not done, in words; empty where there is nothing that counts."""
    return _not_passed(not_cleaned_up(result, (Section.FINALLY,)))


def cleaned_up(result: RunResult) -> Iterator[str]:
    """Whether what had passed was undone, and what of it and of `finally` was not done."""
    if result.undo != "none":
        yield "undo: " + ": ".join(filter(None, (clean(result.undo), undo_left(result))))
    if left := finally_left(result):
        yield f"finally: incomplete: {left}"


def cleanup_left(result: RunResult) -> str:
    """What a person has to do before the job is carried out once more: it would find the site as this run left it."""
    left = _not_passed(not_cleaned_up(result))
    return f"first do by hand what it left undone ({left})" if left else ""


def not_cleaned_up(result: RunResult, sections: Sequence[Section] = (Section.UNDO, Section.FINALLY)) -> tuple[str, ...]:
    """The keys of rows of the cleanup that did not do their part, or were skipped by a stop; none if the run passed."""
    rows = [step for step in result.steps if step.section in sections and _is_left(step)]
    return tuple(clean(step.key) for step in rows) if result.status is not RunStatus.PASSED else ()


def _is_left(step: StepResult) -> bool:
    if step.effect == "read":
        return False
    if step.status is Status.SKIPPED:
        return step.reason == "stopped"
    return step.status in RED and not _is_ignored(step)


def _not_passed(keys: Sequence[str]) -> str:
    return f"{first_few(keys, MOST_KEYS)} did not pass" if keys else ""


def warnings(step: StepResult) -> list[str]:
    return [line for warning in step.warnings for line in labelled("warning", warning)]
