"""What did not pass: a card for each reason, with all rows that failed for it."""

from collections.abc import Iterator, Sequence
from typing import Final

from markupsafe import Markup, escape
from msgspec import Struct

from runner.reports.attempts import last_act
from runner.reports.causes import AlikeFailures, alike_failures
from runner.reports.html.details import has_curl
from runner.reports.html.differences import BothSides, compared
from runner.reports.html.texts import LONG, as_text
from runner.reports.reported import ReportValues
from runner.reports.run_again import RunAgain, run_again
from runner.reports.spans import TimedRow, TimedRun
from runner.runs.events import Check, RunStatus
from runner.runs.evidence import Difference

MOST: Final = 50
MOST_LINKS: Final = 20
_MOST_ATTEMPTS: Final = 5
_ATTEMPT: Final = {"expectation": "not as expected", "in_doubt": "in doubt"}


class DrawnDifference(Struct, frozen=True, kw_only=True):
    """`expected_label` and `actual_label` name the sides: of a list, the item that is nearest is shown."""

    sides: BothSides
    expected_label: str
    actual_label: str
    source: str
    rule: str


class FailureCard(Struct, frozen=True, kw_only=True):
    """The first row of the `failures` is shown; `again` is None where they do not count. `shows`: with its values."""

    failures: AlikeFailures
    shows: bool
    checks: tuple[tuple[Check, tuple[DrawnDifference, ...]], ...]  # that are not met
    has_own_error: bool  # beside these
    answer: Markup
    sent: str
    attempts: tuple[tuple[float, str, str], ...]  # the end of each before, how, and why
    has_call: bool
    again: RunAgain | None


def cards(runs: Sequence[TimedRun], values: ReportValues) -> list[FailureCard]:
    return [_card(failures, values) for failures in alike_failures(runs)]


class StoppedRun(Struct, frozen=True, kw_only=True):
    """A run that has ended, and did not pass though no row of it failed, as after a signal."""

    run: TimedRun
    again: RunAgain


def stopped(runs: Sequence[TimedRun], found: Sequence[FailureCard], values: ReportValues) -> list[StoppedRun]:
    """The runs that no card of those `found` speaks for."""
    failed = {run.number for card in found if card.failures.counts for run, _ in card.failures.members}
    ended = (run for run in runs if run.result.finished and run.result.status is not RunStatus.PASSED)
    shows = values.shows(is_red=True)
    return [StoppedRun(run=run, again=run_again(run, with_values=shows)) for run in ended if run.number not in failed]


def _card(failures: AlikeFailures, values: ReportValues) -> FailureCard:
    run, row = failures.run, failures.row
    shows, error = values.shows(is_red=True), row.step.error
    checks = [check for check in row.step.checks if not check.passed]
    known = {check.message for check in checks}
    refused = [span.body for span in row.spans if span.body]  # what the service answered to calls that it refused
    return FailureCard(
        failures=failures,
        shows=shows,
        checks=tuple((check, tuple(map(_difference, (check.differences or ()) if shows else ()))) for check in checks),
        has_own_error=error is not None and error.message not in known,
        answer=escape(as_text(refused[-1], LONG)) if shows and refused else Markup(),
        sent=last_act(row, with_values=shows),
        attempts=tuple(_earlier(row, known | {error.message if error else None})) if shows else (),
        has_call=shows and any(map(has_curl, row.spans)),
        again=run_again(run, with_values=shows) if failures.counts else None,
    )


def _difference(found: Difference) -> DrawnDifference:
    sign, among, at = found.sign, found.among, found.at
    sides, label = compared(found.expected, found.actual, sign=sign), "got"
    if among is not None and at is None:
        nothing = Markup("<i>nothing like it</i>")
        sides, label = BothSides(expected=sides.expected, actual=nothing), f"among {among:,}"
    elif among is not None:
        label = f"nearest of {among:,}, at [{at}]"
    is_equality = sign in ("==", "in")
    return DrawnDifference(
        sides=sides,
        expected_label="expected" if is_equality or sign[:1].isalpha() else f"expected {sign}",
        actual_label=label,
        source=found.source,
        rule=sign if sign[:1].isalpha() and not is_equality else "",
    )


def _earlier(row: TimedRow, known: set[str | None]) -> Iterator[tuple[float, str, str]]:
    """What failed before the end, where the end does not say the same."""
    found = [(span, span.trouble.message) for span in row.spans if span.trouble is not None]
    news = [(span, message) for span, message in found if not any(text and message in text for text in known)]
    for span, message in news[:_MOST_ATTEMPTS]:
        yield span.end - row.start, _ATTEMPT.get(span.why, span.why.replace("_", " ")), message
