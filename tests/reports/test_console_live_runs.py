"""Runs side by side on a terminal."""

import io
import re
from collections.abc import Callable, Sequence

import pytest
from transcripts import transcript

from runner.reports.console import RunPage
from runner.reports.console_live import LiveTerminal
from runner.reports.sentences import Detail
from runner.reports.under_way import UnderWay
from runner.runs.events import AnyEvent, Line, RunStatus
from runner.runs.result import Progress, fold

Chain = Callable[[Sequence[AnyEvent]], list[Line]]
STYLE = re.compile(r"\x1b\[[0-9;]*m")
SEVERAL = Detail(several=True)


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True

    def shown(self) -> str:
        """What was drawn since the last time, without colours."""
        drawn = STYLE.sub("", self.getvalue()).replace("\r", "")
        self.truncate(0)
        self.seek(0)
        return drawn


class Clock:
    now = 10.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "80")
    return Terminal()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def under_way(clock: Clock) -> UnderWay:
    return UnderWay(clock, total=24, prints_rows=False)


def test_each_run_under_way_has_a_line_above_how_many_are_done(
    story: list[AnyEvent], chain: Chain, terminal: Terminal, clock: Clock
) -> None:
    under_way = UnderWay(clock, total=24, prints_rows=False)
    live = LiveTerminal(terminal, under_way.lines, clock=clock)
    live.begin()
    for name in ("gone", "order", "other"):
        under_way.begin(name, f"{name}@here")
        under_way.event(name, chain(story)[1])
    under_way.end("gone", RunStatus.FAILED)
    clock.now += 12
    terminal.shown()
    live.refresh()
    shown = terminal.shown()
    live.close()
    assert re.search(
        r"order@here  add  Add a contact, 12 s\n.*other@here  add  Add a contact, 12 s\n.*1 of 24 runs done, 1 failed",
        shown,
    )


def test_a_run_is_printed_whole_when_it_ends(
    story: list[AnyEvent], chain: Chain, terminal: Terminal, under_way: UnderWay
) -> None:
    live = LiveTerminal(terminal, under_way.lines)
    live.begin()
    page = RunPage(live.print, SEVERAL, progress=Progress(), at_once=False)
    lines = chain(story)
    for line in lines:
        page.event(line)
    assert "contact-smoke" not in terminal.shown()
    page.close()
    shown = terminal.shown()
    live.close()
    for sentence in transcript(fold(lines), SEVERAL).splitlines():
        assert sentence in shown


def test_the_terminal_is_given_back_once(terminal: Terminal, under_way: UnderWay) -> None:
    live = LiveTerminal(terminal, under_way.lines)
    live.begin()
    live.close()
    live.close()
    assert terminal.getvalue().rindex("\x1b[?25h") > terminal.getvalue().rindex("\x1b[?25l")
