"""The HTML report: a file that needs no network, and can be read without its styles and its script.

Texts from outside are made safe, and escaped by the template. A policy in the page lets nothing else run or load.
"""

import base64
import hashlib
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from msgspec import Struct
from msgspec.structs import replace

from runner.foundation.durations import format_duration
from runner.foundation.values import compact
from runner.reports.html import bars, cards, overview, waterfall
from runner.reports.html.details import block
from runner.reports.html.texts import code, cut, message_lines
from runner.reports.next_steps import unfinished
from runner.reports.reported import ReportedCommand, ReportValues
from runner.reports.safe import clean
from runner.reports.spans import Sureness, TimedRun, timed_runs
from runner.reports.summary import about_rows
from runner.reports.words import begun_by, brief, finally_left, is_of_fleet, undo_left
from runner.runs.events import RunStarted, RunStatus
from runner.runs.evidence import CiRun
from runner.runs.status import RED
from runner.secrets.shown import hide
from runner.version import VERSION

_DASH: Final = "\u2013"
_SIGNS: Final = {
    "passed": "✓",
    "failed": "✗",
    "error": "!",
    "unknown": "?",
    "skipped": _DASH,
    "cancelled": "■",
    "refused": "⊘",
    "empty": _DASH,
    "invalid": "✗",
}
_UNDO: Final = {
    "complete": ("plain", "undo is complete: what has an `undo` was taken back"),
    "incomplete": ("bad", "undo is incomplete: not everything that had to be taken back is known to be"),
}
_MOST_ROWS: Final = 20_000
_LONGEST_FACT: Final = 500


class DrawnRun(Struct, frozen=True, kw_only=True):
    """A run with what the page shows of it. `left_out` is how many of its rows are not drawn."""

    timed: TimedRun
    sections: tuple[tuple[str, tuple[waterfall.Portion, ...]], ...]
    notes: tuple[tuple[str, str], ...]
    facts: tuple[tuple[str, str], ...]
    details: Markup
    left_out: int


def report(command: ReportedCommand, *, version: str = VERSION, most_rows: int = _MOST_ROWS) -> str:
    """The page of this command; `version` is this program's. Of more than `most_rows` rows some are left out."""
    values = command.values
    runs = timed_runs(command.runs)
    found = cards.cards(runs, values)
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            css=_resource("report.css"),
            js=_resource("report.js"),
            policy=_policy(),
            version=version,
            verdict=overview.verdict(runs, command),
            problems=command.shown_errors[: cards.MOST],
            open_runs=overview.open_runs(runs),
            cards=found[: cards.MOST],
            more_cards=max(len(found) - cards.MOST, 0),
            stopped=cards.stopped(runs, found, values)[: cards.MOST],
            most_links=cards.MOST_LINKS,
            matrix=overview.jobs_by_targets(runs),
            runs=list(_drawn(runs, values, most_rows=most_rows)),
            is_without_values=values is ReportValues.NONE,
        )
    )


def _shown(value: object) -> object:
    """Whatever the template writes that is no markup: a text from outside must be on a line, and safe to read."""
    return clean(value) if isinstance(value, str) and not isinstance(value, Markup) else value


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("runner.reports.html", "."),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        finalize=_shown,
    )
    environment.filters.update(brief=brief, code=code, lines=message_lines, took=format_duration)
    environment.filters.update(number=lambda value: f"{value:,}")
    environment.globals.update(
        SIGNS=_SIGNS,
        bars=bars,
        waterfall=waterfall,
        attempts_of=waterfall.attempts_of,
        weakest=overview.weakest,
        rests_on=overview.rests_on,
        counts_of=lambda run: overview.counts(run.rows),
        Sureness=Sureness,
    )
    return environment


@cache
def _resource(name: str) -> Markup:
    return Markup(files("runner.reports.html").joinpath(name).read_text(encoding="utf-8"))  # noqa: S704  our own


def _policy() -> str:
    """Nothing from anywhere, this style and this script alone, and no text becomes markup."""
    hashes = (hashlib.sha256(_resource(name).encode()).digest() for name in ("report.css", "report.js"))
    style, script = (base64.b64encode(found).decode() for found in hashes)
    return (
        f"default-src 'none'; style-src 'sha256-{style}'; script-src 'sha256-{script}'; img-src data:; "
        "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'"
    )


def _drawn(runs: Sequence[TimedRun], values: ReportValues, *, most_rows: int) -> Iterator[DrawnRun]:
    """The rows to draw: of very many those that did not pass, then the first of each run."""
    red = sum(row.step.status in RED for run in runs for row in run.rows)
    free = max(most_rows - red, 0)
    red_left = most_rows
    for run in runs:
        rows = []
        for row in run.rows:
            if row.step.status in RED and red_left:
                red_left -= 1
                rows.append(row)
            elif row.step.status not in RED and free:
                free -= 1
                rows.append(row)
        drawn = replace(run, rows=tuple(rows))
        yield DrawnRun(
            timed=run,
            sections=waterfall.sections(drawn),
            notes=tuple(_notes(run, values)),
            facts=tuple(_facts(run, values)),
            details=block(drawn, values),
            left_out=len(run.rows) - len(rows),
        )


def _notes(run: TimedRun, values: ReportValues) -> Iterator[tuple[str, str]]:
    """Sentences on the run as a whole, and how each is marked."""
    result, shows = run.result, values.shows(is_red=run.result.status is not RunStatus.PASSED)
    if run.started is not None and run.started.description is not None:
        yield "plain", run.started.description
    if lost := unfinished(result):
        yield "bad", lost
    if never := overview.never_began(run):
        yield "bad", never
    if result.error and result.finished:
        yield "bad", f"{result.error.code}: {result.error.message}" if shows else result.error.code
    if result.undo != "none":
        yield _UNDO.get(result.undo, ("bad", f"undo: {result.undo}"))
        if left := undo_left(result):
            yield "bad", f"undo: {left}"
    if left := finally_left(result):
        yield "bad", f"finally is incomplete: {left}"
    if result.log_unreadable:
        why = result.log_unreadable.message if shows else result.log_unreadable.code
        yield "warn", f"the process log cannot be read: {why}"
    for wait in run.waits:
        holder = f", which {wait.held_by.job} had" if wait.held_by is not None else ""
        name, seconds = str(wait.name or ""), format_duration(wait.seconds or 0.0)
        yield "plain", f"waited {seconds} for the lock `{name}`{holder}; that is no time of the run"
    if result.resumed:
        yield "plain", f"resumed {result.resumed} time{'s' if result.resumed > 1 else ''}"
    if result.help and result.status is not RunStatus.PASSED:
        yield "plain", f"help: {result.help}"
    yield from (("warn", text) for text in about_rows(result))


def _facts(run: TimedRun, values: ReportValues) -> Iterator[tuple[str, str]]:
    result = run.result
    known = {
        "run": result.id,
        "repeats the run": result.rerun_of,
        "file": result.file,
        "target": f"{result.target.url}{' (sandbox)' if result.target.sandbox else ''}",
        "started": result.started_at,
        "commit": result.commit,
        "plan": result.digest,
        "events": result.events,
    }
    known["queued by" if is_of_fleet(result) else "begun by"] = begun_by(result)
    if run.started is not None:
        known |= _evidence(run.started)
    if values.shows(is_red=result.status is not RunStatus.PASSED):
        known |= {f"inputs.{name}": compact(hide(value)) for name, value in result.inputs.items()}
        known |= {f"outputs.{name}": compact(hide(value)) for name, value in result.outputs.items()}
    yield from ((name, cut(clean(value), _LONGEST_FACT)) for name, value in known.items() if value)


def _evidence(begun: RunStarted) -> dict[str, str]:
    ci = begun.ci or CiRun(url=None, ref=None)
    found = {
        "checkout": "has changes that are not committed" if begun.dirty else "",
        "CI job": ci.url,
        "branch or tag": ci.ref,
        "job files": begun.source or "",
        "command": begun.command or "",
    }
    return {name: text for name, text in found.items() if text}
