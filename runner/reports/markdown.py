"""The Markdown report: a summary for a CI's page, small enough for a comment of a pull request.

Texts from outside are code, so that they mention nobody, link no issue and make no markup.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from runner.foundation.durations import format_duration
from runner.foundation.lazy import lazy_pattern
from runner.foundation.sentences import plural, shortened
from runner.reports.attempts import last_act
from runner.reports.causes import alike_causes
from runner.reports.html import overview
from runner.reports.mistakes import text as as_text
from runner.reports.next_steps import NextStep
from runner.reports.reported import ReportedCommand, ReportValues
from runner.reports.run_again import rerun_failed_steps, rerun_steps, run_again
from runner.reports.safe import aligned, clean, moment
from runner.reports.spans import RowNode, SpanKind, TimedRow, TimedRun, timed_runs, tree
from runner.reports.summary import about_rows
from runner.reports.words import (
    brief,
    cleaned_up,
    labelled,
    own_error,
    reasons,
    run_title,
    to_go_on,
    trouble_lines,
    verdict_line,
)
from runner.runs.events import RunStatus, Section
from runner.runs.result import RunResult
from runner.runs.status import RED, WORST_FIRST, Status
from runner.version import VERSION

LONGEST: Final = 60_000  # characters: a comment of GitHub takes 65,536
_MOST_CARDS, _MOST_ROWS, _MOST_KEYS, _MOST_PROBLEMS, _MOST_WARNINGS = 20, 50, 5, 20, 20
_MOST_TIMELINES: Final = 5
_LONGEST_BODY: Final = 2_000
_ROOM_FOR_THE_END: Final = 200
_BACKTICKS = lazy_pattern("`+")


def report(command: ReportedCommand, *, version: str = VERSION) -> str:
    """Parts that have no room are left out and counted."""
    runs = timed_runs(command.runs)
    parts = [
        *_problems(command),
        *_under("What to do next", _next(runs)),
        *_under("What did not pass", _cards(runs, command.values)),
        *_again(runs, command),
        *_under("What is worth a look", _warnings(runs, command.values)),
        *_under("Outputs", _outputs(runs, command.values)),
        *_timelines(runs),
        *_matrix(runs),
        *_hashes(runs),
    ]
    return _bounded(_head(command, runs, version), parts)


def _under(heading: str, parts: Iterable[str]) -> Iterator[str]:
    """The parts, the first of them below a heading."""
    return (part if number else f"#### {heading}\n\n{part}" for number, part in enumerate(parts))


def _bounded(head: str, parts: Iterable[str]) -> str:
    whole, left_out = head, 0
    for part in parts:
        if len(whole) + len(part) > LONGEST - _ROOM_FOR_THE_END:
            left_out += 1
        else:
            whole += f"\n{part}"
    return whole + (f"\n{plural(left_out, 'part')} left out: see the HTML report.\n" if left_out else "")


def _head(command: ReportedCommand, runs: Sequence[TimedRun], version: str) -> str:
    verdict = overview.verdict(runs, command)
    lines = [
        "<!-- creatio-runner -->",
        f"### {inline(verdict.headline)}",
        "",
        f"exit {verdict.exit_code:d}: {verdict.meaning}",
    ]
    if verdict.counts:
        flaky = f" ({len(verdict.flaky):,} flaky)" if verdict.flaky else ""
        lines += ["", "Steps: " + ", ".join(f"{count:,} {status}" for status, count in verdict.counts) + flaky]
    if verdict.sureness:
        lines += ["", "Evidence: " + ", ".join(f"{count:,} {words}" for _, words, count in verdict.sureness)]
    dirty = {True: " with changes that are not committed", False: ""}
    commits = "".join(f", commit {inline(commit[:10])}{dirty[is_dirty]}" for commit, is_dirty in verdict.commits)
    took = f"{format_duration(verdict.seconds)}, " if runs else ""
    return "\n".join([*lines, "", f"{took}creatio-runner {version}{commits}", ""])


def _problems(command: ReportedCommand) -> Iterator[str]:
    found = command.shown_errors
    if found:
        more = [f"and {len(found) - _MOST_PROBLEMS:,} more"] if len(found) > _MOST_PROBLEMS else []
        lines = as_text(found[:_MOST_PROBLEMS]).rstrip("\n").split("\n")
        head = (
            "What is wrong with the events" if command.has_damage else f"Why nothing{' more' * bool(command.runs)} ran"
        )
        yield f"#### {head}\n\n" + block([*lines, *more])


def _next(runs: Sequence[TimedRun]) -> Iterator[str]:
    for found in overview.open_runs(runs):
        yield f"{inline(found.run.title)}: {inline(found.known)}\n\n{_commands(found.steps)}"


def _cards(runs: Sequence[TimedRun], values: ReportValues) -> Iterator[str]:
    found = alike_causes(runs)
    for card in found[:_MOST_CARDS]:
        yield _card(card.members, shows=values.shows(is_red=True))
    if len(found) > _MOST_CARDS:
        yield f"{plural(len(found) - _MOST_CARDS, 'more kind')} of failure: see the HTML report.\n"
    broken = [(run, error) for run in runs if (error := own_error(run.result)) is not None]
    for run, error in broken[:_MOST_CARDS]:
        yield f"**{run.result.status}** {inline(run.title)}\n\n{block([*trouble_lines(error)])}"


def _again(runs: Sequence[TimedRun], command: ReportedCommand) -> Iterator[str]:
    """How what did not pass is carried out once more, and what that starts again, if nothing is to be settled first."""
    if all(run.result.status is RunStatus.PASSED for run in runs) or not command.values.shows(is_red=True):
        return
    is_alone = len(runs) == 1
    steps = rerun_steps(runs[0]) if is_alone else rerun_failed_steps(runs)
    if steps:
        is_one_enough = is_alone or all(
            run_again(run).command for run in runs if run.result.status is not RunStatus.PASSED
        )
        yield f"#### To carry it out once more\n\n{_commands(steps, between='or' if is_one_enough else 'and')}"


def _commands(steps: Sequence[NextStep], *, between: str = "or") -> str:
    """A block each, as a page copies a block whole; `between` says whether one block is enough."""
    return f"\n{between}\n\n".join(block([f"# {step.does}", step.command], "sh") for step in steps)


def _warnings(runs: Sequence[TimedRun], values: ReportValues) -> Iterator[str]:
    """What is worth a look: of runs as a whole, of rows that passed, and of undo."""
    found = [(run, lines) for run in runs if (lines := [*_warned(run.result, values)])]
    for run, lines in found[:_MOST_CARDS]:
        more = [f"and {len(lines) - _MOST_WARNINGS:,} more"] if len(lines) > _MOST_WARNINGS else []
        yield f"{inline(run.title)}\n\n{block([*lines[:_MOST_WARNINGS], *more])}"
    if len(found) > _MOST_CARDS:
        yield f"{plural(len(found) - _MOST_CARDS, 'more run')} with warnings: see the HTML report.\n"


def _outputs(runs: Sequence[TimedRun], values: ReportValues) -> Iterator[str]:
    shown = [
        run for run in runs if run.result.outputs and values.shows(is_red=run.result.status is not RunStatus.PASSED)
    ]
    for run in shown[:_MOST_CARDS]:
        lines = [f"{clean(name)}: {brief(value)}" for name, value in run.result.outputs.items()]
        yield f"{inline(run.title)}\n\n{block(lines)}"


def _warned(result: RunResult, values: ReportValues) -> Iterator[str]:
    """The warnings, each in a line; where values are not shown, of rows only that they have some."""
    shows = values.shows(is_red=result.status is not RunStatus.PASSED)
    yield from cleaned_up(result)
    yield from about_rows(result)
    for step in result.steps:
        for warning in step.warnings if step.status is Status.PASSED else ():
            yield f"{clean(step.key)}: {shortened(clean(warning), _LONGEST_BODY) if shows else 'a warning'}"


def _card(rows: Sequence[tuple[TimedRun, TimedRow]], *, shows: bool) -> str:
    run, row = rows[0]
    step = row.step
    tries = f", {step.attempts} attempts" if step.attempts > 1 else ""
    place = inline(f"{run.result.file}:{step.line}")
    named = f"{inline(step.key)} {inline(step.name)}" + ", a step of `finally`," * (step.section is Section.FINALLY)
    lines = [f"**{step.status}** {named} in {inline(run.title)} ({place}, {format_duration(step.seconds)}{tries})"]
    if len(rows) > 1:
        keys = ", ".join(inline(f"{run.title} {other.step.key}") for run, other in rows[:_MOST_KEYS])
        lines += ["", f"{len(rows):,} rows failed alike: {keys}{' and more' if len(rows) > _MOST_KEYS else ''}"]
    body = list(_body(row, run.result.help)) if shows else [step.error.code if step.error else str(step.status)]
    return "\n".join([*lines, "", block(body, "diff")])


def _body(row: TimedRow, help_of_job: str | None) -> Iterator[str]:
    """Why the row did not pass. What it expected begins with `-`, what came with `+`; other lines with a blank."""
    step = row.step
    for line in reasons(step, traces=False):
        yield f" {shortened(line, _LONGEST_BODY)}"
    if step.judged is not None:
        yield f" {verdict_line(step.judged)}"
    for check in step.checks:
        for difference in check.differences or () if not check.passed else ():
            yield f"@@ {clean(difference.source)}"
            sign = "" if difference.sign == "==" else f"{clean(difference.sign)} "
            yield f"- {sign}{brief(difference.expected)}"
            yield f"+ {brief(difference.actual)}"
    if sent := last_act(row, with_values=True):
        yield f" sent: {sent}"
    yield from (f" {line}" for line in to_go_on(step))
    if help_of_job:
        yield from (f" {line}" for line in labelled("help of the job", help_of_job))


def _timelines(runs: Sequence[TimedRun]) -> Iterator[str]:
    """When what happened in the first runs that did not pass."""
    bad = [run for run in runs if run.result.status is not RunStatus.PASSED and run.rows]
    if bad:
        blocks = [  # "run" comes first: a CI reads a name that looks like a command as a command
            block([f"run {run.title}, {format_duration(run.seconds)}", *timeline(run)]) for run in bad[:_MOST_TIMELINES]
        ]
        if more := len(bad) - len(blocks):
            blocks.append(f"{plural(more, 'more run')}: see the HTML report.\n")
        whole = "\n".join(blocks)
        yield f"<details><summary>When what happened</summary>\n\n{LEGEND}\n\n{whole}\n</details>\n"


def _matrix(runs: Sequence[TimedRun]) -> Iterator[str]:
    table = overview.jobs_by_targets(runs)
    if table is None:
        return
    lines = [
        "#### Jobs and targets",
        "",
        _row(["job", *map(_cell, table.targets)]),
        "|---" * (len(table.targets) + 1) + "|",
    ]
    for name, cells in table.rows[:_MOST_ROWS]:
        lines.append(_row([_cell(name), *(_ended(runs_of) for runs_of in cells)]))
    if len(table.rows) > _MOST_ROWS:
        lines += ["", f"{plural(len(table.rows) - _MOST_ROWS, 'more job')}: see the HTML report."]
    yield "\n".join(lines) + "\n"


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _ended(runs: Sequence[TimedRun]) -> str:
    if not runs:
        return ""
    weak = overview.weakest(runs[-1])
    return f"{runs[-1].result.status}{f', {weak}' if weak else ''}, {format_duration(runs[-1].result.seconds)}"


def _hashes(runs: Sequence[TimedRun]) -> Iterator[str]:
    if runs:
        lines = [
            f"{clean(it.events)}  {clean(it.id)}  {moment(it.started_at)}  {run_title(it)}  {clean(it.target.url)}"
            + (f"  repeats {clean(it.rerun_of)}" if it.rerun_of is not None else "")
            for it in (run.result for run in runs[:100])
        ]
        what = "Runs: the last hash of their events, when they began (UTC), and where"
        yield f"<details><summary>{what}</summary>\n\n{block(lines)}\n</details>\n"


def inline(text: str) -> str:
    """A text from outside as code within a line, between more backticks than it holds in a row."""
    shown = clean(text.replace("\n", " ")) or " "
    marks = "`" * (_longest_run(shown) + 1)
    pad = " " if shown[0] == "`" or shown[-1] == "`" else ""
    return f"{marks}{pad}{shown}{pad}{marks}"


def _cell(text: str) -> str:
    """A text in a cell. A bar, which would end the cell, is broken: readers differ about a backslash."""
    return inline(text.replace("|", "\u00a6"))


def block(lines: Sequence[str], kind: str = "") -> str:
    """Lines as a fence of more backticks than they hold in a row."""
    text = "\n".join(lines)
    marks = "`" * max(3, _longest_run(text) + 1)
    return f"{marks}{kind}\n{text}\n{marks}\n"


def _longest_run(text: str) -> int:
    return max(map(len, _BACKTICKS.findall(text)), default=0)


LEGEND: Final = "█ call  ▒ call that failed  ░ reads the process log  ─ waits  ? asks a person"
_COLUMNS: Final = 32
_MOST_LINES: Final = 40  # lines of a run
_LONGEST_KEY: Final = 32
_MARKS: Final = {SpanKind.LOG: "░", SpanKind.SIGN_IN: "░", SpanKind.WAIT: "─", SpanKind.ASK: "?", SpanKind.CALL: "█"}
_STRONG: Final = "█▒?"  # what is not drawn over


def timeline(run: TimedRun) -> list[str]:
    """The lines of the run; texts in them are safe. Red rows are never among those that are left out."""
    groups = [*_groups(run)]
    red = [group for group in groups if any(row.step.status in RED for row in group)]
    shown = {id(group) for group in [*red, *groups][:_MOST_LINES]}
    lines = aligned([_cells(run, group) for group in groups if id(group) in shown])
    left_out = len(groups) - len(lines)
    return [*lines, f"and {left_out:,} more"] if left_out else lines


def _groups(run: TimedRun) -> Iterator[list[TimedRow]]:
    """The rows that share a line: the turns of a loop, each other row alone, its parts after it."""

    def flat(node: RowNode) -> Iterator[list[TimedRow]]:
        yield [node.row]
        for part in node.parts:
            yield from flat(part) if isinstance(part, RowNode) else [[turn.row for turn in part.turns]]

    for node in tree(run.rows):
        yield from flat(node) if isinstance(node, RowNode) else [[turn.row for turn in node.turns]]


def _cells(run: TimedRun, rows: list[TimedRow]) -> tuple[str, ...]:
    found = {row.step.status for row in rows}
    key = rows[0].step.key if len(rows) == 1 else f"{rows[0].step.key.rpartition('[')[0]}, {len(rows):,} turns"
    seconds = sum(row.step.seconds for row in rows)
    return (
        str(next(status for status in WORST_FIRST if status in found)),
        shortened(clean(key), _LONGEST_KEY),
        format_duration(seconds) if found != {Status.SKIPPED} else "",
        f"|{_bar(run, rows)}|",
    )


def _bar(run: TimedRun, rows: list[TimedRow]) -> str:
    total, bar = run.seconds or 1.0, [" "] * _COLUMNS
    for row in rows:
        for span in row.spans:
            if span.kind is SpanKind.FAILURE:
                continue
            start = min(int(span.start / total * _COLUMNS), _COLUMNS - 1)
            end = max(round(span.end / total * _COLUMNS), start + 1)
            mark = _MARKS[span.kind] if span.is_ok else "▒"
            for column in range(start, min(end, _COLUMNS)):
                if not span.is_ok or bar[column] not in _STRONG:
                    bar[column] = mark
    return "".join(bar)
