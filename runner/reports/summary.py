"""The end of a transcript: how a run ended, where it is stored, and the meaning of its exit code."""

from collections.abc import Iterable, Iterator, Sequence

from runner.foundation.durations import written
from runner.foundation.problems import ExitCode
from runner.foundation.sentences import many
from runner.reports.next_steps import NextStep, next_steps, unfinished
from runner.reports.safe import clean
from runner.reports.sentences import Detail, Sentence, Tone
from runner.reports.words import (
    NOTHING_DONE,
    RED,
    brief,
    counted,
    has_done_nothing,
    in_doubt,
    labelled,
    meaning_of,
    title,
    trouble_lines,
    undo_left,
    warnings,
)
from runner.runs.events import RunStatus
from runner.runs.result import RunResult, StepResult, tally
from runner.runs.status import Status

_TONE = {RunStatus.PASSED: Tone.GOOD, RunStatus.UNKNOWN: Tone.DOUBT}
_MOST_UNVERIFIED = 5
LOG_UNREADABLE = "the process log cannot be read"
_IN_THE_LOG = frozenset({"execute", "signal"})
"""Kinds of steps whose starts are searched for in the process log."""


def summary(result: RunResult, options: Detail) -> list[Sentence]:
    """How the run ended, its outputs, where it is stored, and the meaning of its exit code.

    Where little is printed of several runs, the table of all has what passed, and the end the exit code.
    """
    is_in_table = options.quiet and options.several
    if is_in_table and result.status is RunStatus.PASSED:
        return []
    counts = counted(tally(result.steps))
    tone = _TONE.get(result.status, Tone.BAD)
    verdict = Sentence(text=f"{result.status}: {title(result)}: {counts} in {written(result.seconds)}", tone=tone)
    outputs = () if options.quiet else result.outputs.items()
    sentences = [
        verdict,
        *_indented(_troubles(result, options), tone),
        *_indented(() if options.several else _warnings(result, options), Tone.WARNING),
        *(Sentence(text=f"outputs.{clean(name)}: {brief(value)}", indent=2) for name, value in outputs),
        *_indented(_where(result, options), Tone.FAINT),
    ]
    if result.status is not RunStatus.PASSED and not is_in_table:
        sentences.append(exit_sentence(result.exit_code, meaning_of(result), tone))
    return sentences + (advice(result, options) if options.advice else [])


def advice(result: RunResult, options: Detail) -> list[Sentence]:
    """The commands that the run needs next, each on a line of its own, so that it can be copied whole."""
    return what_next(next_steps(result, store=options.store, held=options.held))


def what_next(found: Sequence[NextStep]) -> list[Sentence]:
    sentences = [Sentence(text="what next:", indent=2, tone=Tone.TITLE)] if found else []
    for step in found:
        sentences += [Sentence(text=step.command, indent=4), Sentence(text=step.does, indent=6, tone=Tone.FAINT)]
    return sentences


def _indented(lines: Iterable[str], tone: Tone) -> list[Sentence]:
    return [Sentence(text=line, indent=2, tone=tone) for line in lines]


def exit_sentence(code: ExitCode, words: str, tone: Tone) -> Sentence:
    return Sentence(text=f"exit {code:d}: {words}", indent=2, tone=tone)


def _where(result: RunResult, options: Detail) -> Iterator[str]:
    """Where the run is stored. Of a run that passed nobody needs it to go on."""
    place = clean(options.place) if options.place else ""
    if options.ids:
        yield f"events: {f'{place}, ' if place else ''}{clean(result.events)}"
    elif place and result.status is not RunStatus.PASSED:
        yield f"events: {place}"


def _troubles(result: RunResult, options: Detail) -> Iterator[str]:
    if result.error and result.finished:
        yield from trouble_lines(result.error)
    yield from filter(None, (unfinished(result, held=options.held), in_doubt(result.steps)))
    if result.undo != "none":  # whether what had passed was undone, and what was not
        yield f"undo: {clean(result.undo)}" + (f": {left}" if (left := undo_left(result)) else "")
    if result.help and result.status is not RunStatus.PASSED:
        yield from labelled("help", result.help)


def _warnings(result: RunResult, options: Detail) -> Iterator[str]:
    """What a run that looks well did not do, and warnings of rows that passed: all of them where these rows are not
    printed, else those of calls that a readable process log does not verify.
    """
    yield from (line for text in about_rows(result) for line in labelled("warning", text))
    passed = [step for step in result.steps if step.status is Status.PASSED and step.warnings]
    unverified = [step for step in passed if _is_unverified(step)] if result.log_unreadable is None else []
    for step in passed if options.quiet else unverified[:_MOST_UNVERIFIED]:
        yield from (f"{clean(step.key)}: {line}" for line in warnings(step))
    if not options.quiet and len(unverified) > _MOST_UNVERIFIED:
        yield f"warning: {many(len(unverified) - _MOST_UNVERIFIED, 'more step is', 'more steps are')} not verified"
    if result.log_unreadable:
        yield from labelled(f"warning: {LOG_UNREADABLE}", result.log_unreadable.message)
        yield from labelled("hint", result.log_unreadable.hint) if result.log_unreadable.hint else ()


def run_warnings(result: RunResult) -> Iterator[str]:
    """What a run as a whole is warned of, without a label."""
    yield from about_rows(result)
    if trouble := result.log_unreadable:
        hint = f"\nhint: {trouble.hint}" if trouble.hint else ""
        yield f"{LOG_UNREADABLE}: {trouble.message}{hint}"


def about_rows(result: RunResult) -> Iterator[str]:
    """What a run that looks well did not do."""
    if has_done_nothing(result):
        yield NOTHING_DONE
    ignored = [clean(step.key) for step in result.steps if step.status in RED]
    if result.status is RunStatus.PASSED and ignored:
        yield f"did not pass, and does not count: {', '.join(ignored)}"


def _is_unverified(step: StepResult) -> bool:
    """A gateway may have repeated the call: then the log shows several starts of it, and no process is its own."""
    return step.kind in _IN_THE_LOG and not step.verified and step.process_id is None
