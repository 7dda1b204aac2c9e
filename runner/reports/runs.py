"""The table that `runs` prints: a line a run, in the caller's order, and below it what the open runs need next."""

from collections.abc import Iterator, Sequence

from msgspec import Struct

from runner.foundation.durations import format_duration
from runner.foundation.sentences import plural
from runner.reports.next_steps import NextStep, confirmed, has_not_begun, next_steps
from runner.reports.run_again import RunAgain
from runner.reports.safe import aligned, clean, moment
from runner.reports.words import cleanup_left, doubt_sentence, failing_step, own_error, run_title, waits_for_answer
from runner.runs.events import Section
from runner.runs.result import RunResult, StepResult
from runner.runs.status import RUNNING

_HEAD = ("STATUS", "RUN", "STARTED (UTC)", "JOB", "TOOK", "")
_CHANGED = ("its events were changed", "another version of the program wrote its events")
_MOST_OPEN = 10  # runs whose commands are printed


class Listed(Struct, frozen=True, kw_only=True):
    """A run, and what its events do not hold."""

    result: RunResult
    is_running: bool = False
    changed: bool = False  # somebody has changed its events
    is_foreign: bool = False  # of another version of the program
    again: RunAgain | None = None  # how it is carried out once more, if it did not pass
    planned: str = ""  # the title by its plan, where its first event is missing
    lacking: tuple[NextStep, ...] = ()  # carries out what its command never began


def table(runs: Sequence[Listed], *, nothing: str = "no runs yet") -> str:
    """Aligned lines with a head; times are UTC. Of no runs, the sentence `nothing`."""
    if not runs:
        return f"{nothing}\n"
    lines = (f"{line}\n" for line in aligned([_HEAD, *map(_cells, runs)]))
    return "".join((*lines, *_commands(runs)))


def _cells(listed: Listed) -> tuple[str, ...]:
    """Our own word comes first: no line begins with a text from outside."""
    result = listed.result
    job = run_title(result) if result.job else clean(listed.planned)
    status = RUNNING if listed.is_running else str(result.status)
    took = "" if listed.is_running else format_duration(result.seconds)
    return status, clean(result.id), moment(result.started_at), job, took, _note(listed)


def _note(listed: Listed) -> str:
    """What a person must know before trusting the line."""
    if listed.is_running:
        return ""
    notes = [
        f"repeats {clean(listed.result.rerun_of)}" if listed.result.rerun_of is not None else "",
        _CHANGED[listed.is_foreign] if listed.changed else _unfinished(listed.result),
        doubt_sentence(listed.result.steps) or _failing(listed.result),
    ]
    return "; ".join(filter(None, notes))


def _unfinished(result: RunResult) -> str:
    if result.finished:
        return ""
    if has_not_begun(result):
        return "broke off before it began: nothing was sent; give its command once more"
    sections = set(Section) - ({Section.STEPS} if result.closing else set())
    cut_off = (step for step in result.steps if step.section in sections and _is_cut_off(step))
    where = next((f" at {clean(step.key)}" for step in cut_off), "")
    return "is held" if result.held else f"{'waits for an answer' if waits_for_answer(result) else 'broke off'}{where}"


def _is_cut_off(step: StepResult) -> bool:
    """Whether nothing failed in the step: the run broke off in it."""
    return step.error is not None and step.error.code == "E312"


def _failing(result: RunResult) -> str:
    step = failing_step(result)
    if step is None:
        error = own_error(result)
        return f"{result.status}: {clean(error.code)}" if error is not None else ""
    if _is_cut_off(step) and not (result.finished or result.held):
        return ""
    code = f": {clean(step.error.code)}" if step.error is not None else ""
    left = cleanup_left(result) if result.finished else ""  # else `resume` carries out the rest of it
    return f"{step.status} at {clean(step.key)}{code}{f'; {left}' if left else ''}"


def _commands(runs: Sequence[Listed]) -> Iterator[str]:
    """The commands of the first open runs. A run that is running, or was changed, is not for a command to settle."""
    settled = [run for run in runs if not (run.is_running or run.changed)]
    found = [(run, [*next_steps(run.result), *run.lacking]) for run in settled]
    waiting = [(run, steps) for run, steps in found if steps]
    waiting.sort(key=lambda each: "--confirm" not in confirmed(each[0].result))  # those of protected targets first
    for listed, steps in waiting[:_MOST_OPEN]:
        began = f" of {moment(listed.result.started_at)}" if listed.result.started_at else ""
        yield f"\nwhat {listed.planned or run_title(listed.result)}{began} needs next:\n"
        for step in steps:
            yield f"  {step.command}\n      {step.does}\n"
    if more := len(waiting[_MOST_OPEN:]):
        together = "`runner resume RUN --together --hold` goes on with all of a killed command"
        yield f"\n{plural(more, 'more is', 'more are')} open; `runner show RUN` says what each needs next; {together}\n"
