"""The end of a transcript, of a run and of a command: how it ended, and the meaning of the exit code."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from runner.catalogue.model import unchecked
from runner.foundation.durations import format_duration
from runner.foundation.lazy import lazy_pattern
from runner.foundation.problems import ExitCode, strongest
from runner.foundation.sentences import job_and_case, listed, plural
from runner.reports.next_steps import NextStep, next_steps, unfinished
from runner.reports.safe import aligned, clean
from runner.reports.sentences import Detail, Sentence, Tone
from runner.reports.words import (
    NOTHING_DONE,
    brief,
    cleaned_up,
    counted,
    doubt_sentence,
    has_done_nothing,
    is_unproved,
    labelled,
    meaning,
    meaning_of,
    own_error,
    run_title,
    trouble_lines,
    warnings,
)
from runner.runs.events import RunStatus
from runner.runs.result import RunResult, worst
from runner.runs.status import RED, Status

_TONE = {RunStatus.PASSED: Tone.GOOD, RunStatus.UNKNOWN: Tone.DOUBT}
LOG_UNREADABLE = "the process log cannot be read"
_MARKS = {
    RunStatus.PASSED: Status.PASSED,
    RunStatus.FAILED: Status.FAILED,
    RunStatus.ERROR: Status.ERROR,
    RunStatus.CANCELLED: Status.ERROR,
    RunStatus.REFUSED: Status.ERROR,
    RunStatus.UNKNOWN: Status.UNKNOWN,
}
_NAMES_OF_RUNS = lazy_pattern(r"\([0-9a-f]{8}-[0-9a-f-]{27}[^()]*\)|[0-9a-f]{8}-[0-9a-f-]{27}")
_MOST_COLUMNS = 6  # targets side by side; of more, each run has a line of its own


def summary(result: RunResult, options: Detail) -> list[Sentence]:
    """How the run ended, its outputs, where it is stored, and its exit code, unless a table says that."""
    is_in_table = options.quiet and options.several
    if is_in_table and result.status is RunStatus.PASSED:
        return []
    counts = counted(result.steps)
    tone = _TONE.get(result.status, Tone.BAD)
    verdict = Sentence(
        text=f"{result.status}: {run_title(result)}: {counts} in {format_duration(result.seconds)}", tone=tone
    )
    outputs = () if options.quiet else result.outputs.items()
    sentences = [
        verdict,
        *_indented(_troubles(result, options), tone),
        *_indented(() if options.several else _warnings(result, options), Tone.WARNING),
        *(Sentence(text=f"outputs.{clean(name)}: {brief(value)}", indent=2) for name, value in outputs),
        *_indented(_where(result, options), Tone.FAINT),
    ]
    if result.status is not RunStatus.PASSED and not is_in_table:
        sentences.append(_exit_sentence(result.exit_code, meaning_of(result), tone))
    steps = next_steps(result, held=options.held) if options.advice else ()
    return sentences + what_next(steps)


def what_next(found: Sequence[NextStep]) -> list[Sentence]:
    """Commands, each on a line of its own, so that it can be copied whole."""
    sentences = [Sentence(text="what next:", indent=2, tone=Tone.TITLE)] if found else []
    for step in found:
        sentences += [Sentence(text=step.command, indent=4), Sentence(text=step.does, indent=6, tone=Tone.FAINT)]
    return sentences


def _indented(lines: Iterable[str], tone: Tone) -> list[Sentence]:
    return [Sentence(text=line, indent=2, tone=tone) for line in lines]


def _exit_sentence(code: ExitCode, words: str, tone: Tone) -> Sentence:
    return Sentence(text=f"exit {code:d}: {words}", indent=2, tone=tone)


def _where(result: RunResult, options: Detail) -> Iterator[str]:
    """Where the run is stored. Of a run that passed nobody needs it to go on."""
    place = clean(options.place) if options.place else ""
    if options.ids:
        yield f"events: {f'{place}, ' if place else ''}{clean(result.events)}"
    elif place and result.status is not RunStatus.PASSED:
        yield f"events: {place}"


def _troubles(result: RunResult, options: Detail) -> Iterator[str]:
    if error := own_error(result):
        yield from trouble_lines(error)
    broke_off = unfinished(result, held=options.held) if options.advice else ""  # else its events were changed
    yield from filter(None, (broke_off, doubt_sentence(result.steps)))
    yield from cleaned_up(result)
    if result.help and result.status is not RunStatus.PASSED:
        yield from labelled("help", result.help)


def _warnings(result: RunResult, options: Detail) -> Iterator[str]:
    """What a passed run did not do, and warnings of rows: all if they are not printed, else the unverified calls."""
    yield from (line for text in about_rows(result) for line in labelled("warning", text))
    passed = [step for step in result.steps if step.status is Status.PASSED and step.warnings]
    unverified = [step for step in passed if is_unproved(step)] if result.log_unreadable is None else []
    for step in passed if options.quiet else ():
        yield from (f"{clean(step.key)}: {line}" for line in warnings(step))
    if unverified and not options.quiet:
        named = listed([clean(step.key) for step in unverified])
        yield f"warning: {plural(len(unverified), 'step is', 'steps are')} not verified: {named}"
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
    """What a run that looks well did not do, and what nobody has checked before it."""
    if result.unchecked:
        yield unchecked([clean(result.target.name)], result.targets_file and clean(result.targets_file))
    if result.status is not RunStatus.PASSED:
        return
    if has_done_nothing(result):
        yield NOTHING_DONE
    if ignored := [clean(step.key) for step in result.steps if step.status in RED]:
        yield f"did not pass, and does not count: {', '.join(ignored)}"


def totals(results: Sequence[RunResult], options: Detail, *, is_all: bool) -> list[Sentence]:
    """How several runs ended, with `quiet` as a table, and their warnings; with `is_all` also the exit code."""
    code = strongest(result.exit_code for result in results)
    counts = Counter(result.status for result in results)
    statuses = ", ".join(f"{counts[status]} {status}" for status in RunStatus if counts[status]) or "nothing ran"
    if unproved := sum(is_unproved(step) for result in results for step in result.steps):
        statuses += f"; {plural(unproved, 'step was', 'steps were')} not verified"
    others = [result for result in results if result.status is not RunStatus.PASSED]
    tone = Tone.GOOD if code is ExitCode.PASSED else Tone.BAD
    table = _table(results) if options.quiet and results else []
    named = [f"{result.status}: {run_title(result)}" for result in others] if not table else []
    return [
        *table,
        *(Sentence(text=line, tone=Tone.WARNING) for line in _warnings_of_all(results)),
        Sentence(text=f"{plural(len(results), 'run')}: {statuses}", tone=tone),
        *(Sentence(text=line, indent=2) for line in named),
        *([_exit_sentence(code, meaning(code), tone)] if is_all else ()),
    ]


def _table(results: Sequence[RunResult]) -> list[Sentence]:
    """A line a job and case, a column a target; of many targets a line a run. Each begins with its worst mark."""
    targets = list(dict.fromkeys(result.target.name for result in results))
    if len(targets) > _MOST_COLUMNS:
        return _marked(("RUN", ""), [((run_title(result), _cell(result)), [result]) for result in results])
    jobs: dict[str, dict[str, list[RunResult]]] = {}
    for result in results:
        job = clean(job_and_case(result.job, result.case))
        jobs.setdefault(job, {}).setdefault(result.target.name, []).append(result)
    rows = [
        (
            (job, *(", ".join(map(_cell, by_target.get(target, ()))) or "-" for target in targets)),
            [result for found in by_target.values() for result in found],
        )
        for job, by_target in jobs.items()
    ]
    return _marked(("JOB", *(clean(target) for target in targets)), rows)


def _marked(head: tuple[str, ...], rows: Sequence[tuple[tuple[str, ...], Sequence[RunResult]]]) -> list[Sentence]:
    first, *lines = aligned([head, *(cells for cells, _ in rows)])
    marks = (_MARKS[worst(results) or RunStatus.PASSED] for _, results in rows)
    return [
        Sentence(text=first, indent=2),
        *(Sentence(text=line, status=mark) for line, mark in zip(lines, marks, strict=True)),
    ]


def _cell(result: RunResult) -> str:
    return f"{result.status} {format_duration(result.seconds)}"


def _warnings_of_all(results: Sequence[RunResult]) -> Iterator[str]:
    """Each warning once, how often it came, and where first; alike are those that differ by names of runs only."""
    found: dict[str, list[tuple[str, str]]] = {}
    for result in results:
        for place, text in _warnings_by_place(result):
            found.setdefault(_NAMES_OF_RUNS.sub("", text), []).append((place, text))
    for alike in found.values():
        place, text = alike[0]
        names = " with other runs" if any(other != text for _, other in alike) else ""
        often = f", {len(alike)} times{names}, first in " if len(alike) > 1 else " in "
        yield from labelled(f"warning{often}{place}", text)


def _warnings_by_place(result: RunResult) -> Iterator[tuple[str, str]]:
    """The place of each, and its text. Those of red rows were printed with the row."""
    name = run_title(result)
    for text in run_warnings(result):
        yield name, text
    for step in result.steps:
        if step.status not in RED:
            yield from ((f"{name}, {clean(step.key)}", warning) for warning in step.warnings)
