import io
import re
import time
from collections.abc import Callable, Sequence

import pytest
from msgspec.structs import replace
from transcripts import transcript

from runner.reports.console import RunPage
from runner.reports.console_live import LiveTerminal
from runner.reports.sentences import Detail
from runner.reports.under_way import UnderWay
from runner.runs.events import AnyEvent, CallSent, Line, RunStatus, StepStarted, Waited, WaitsFor
from runner.runs.result import Progress, fold

Chain = Callable[[Sequence[AnyEvent]], list[Line]]
STYLE = re.compile(r"\x1b\[[0-9;]*m")


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


class Live:
    """A run alone, as `RunConsole` has it drawn."""

    def __init__(self, out: Terminal, options: Detail, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._under_way = UnderWay(clock, total=1, prints_rows=True)
        self._runs = LiveTerminal(out, self._under_way.lines, clock=clock)
        self._runs.begin()
        self._page = RunPage(self._runs.print, options, progress=Progress())
        self._under_way.begin("id", "a@here")
        self.refresh = self._runs.refresh

    def event(self, line: Line) -> None:
        self._under_way.event("id", line)
        self._page.event(line)

    def close(self) -> None:
        self._under_way.end("id", RunStatus.PASSED)
        self._page.close()
        self._runs.close()


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "80")
    return Terminal()


def drawn(lines: Sequence[Line], terminal: Terminal) -> str:
    live = Live(terminal, Detail())
    for line in lines:
        live.event(line)
    live.close()
    return terminal.getvalue()


def test_the_live_account_says_the_sentences_of_the_plain_one(
    story: list[AnyEvent], chain: Chain, terminal: Terminal
) -> None:
    lines = chain(story)
    output = STYLE.sub("", drawn(lines, terminal)).replace("\r", "")
    for sentence in transcript(fold(lines), Detail()).splitlines():
        assert sentence in output


def test_statuses_are_coloured(story: list[AnyEvent], chain: Chain, terminal: Terminal) -> None:
    output = drawn(chain(story), terminal)
    assert "\x1b[32m✓" in output
    assert "\x1b[1;31m✗" in output


def test_no_color_is_honoured(
    story: list[AnyEvent], chain: Chain, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    output = drawn(chain(story), terminal)
    assert "✓ add" in STYLE.sub("", output)
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]m", output)


def test_an_open_row_is_shown_with_its_seconds(story: list[AnyEvent], chain: Chain, terminal: Terminal) -> None:
    now = [10.0]
    live = Live(terminal, Detail(), clock=lambda: now[0])
    for line in chain(story)[:2]:
        live.event(line)
    now[0] = 14.2
    live.refresh()
    live.close()
    assert "add  Add a contact, 4 s" in terminal.getvalue()


def test_an_open_row_says_what_it_waits_for(story: list[AnyEvent], chain: Chain, terminal: Terminal) -> None:
    now = [10.0]
    live = Live(terminal, Detail(), clock=lambda: now[0])
    for line in chain(
        [*story[:2], CallSent(t=0, key="add", effect="once", call={"kind": "execute", "process": "UsrAdd"})]
    ):
        live.event(line)
    now[0] = 14.2
    live.refresh()
    live.close()
    assert "add  Add a contact, 4 s, waits for the answer to UsrAdd" in terminal.getvalue()


def test_a_row_that_is_repeated_says_in_which_attempt_it_is(
    story: list[AnyEvent], chain: Chain, terminal: Terminal
) -> None:
    call = CallSent(t=0, key="add", effect="idempotent", call={"kind": "execute", "process": "UsrAdd"})
    begun = story[1]
    assert isinstance(begun, StepStarted)
    begun = replace(begun, row=replace(begun.row, max_attempts=3))
    live = Live(terminal, Detail(), clock=lambda: 10.0)
    for line in chain([story[0], begun, call, call]):
        live.event(line)
    live.refresh()
    live.close()
    assert "add  Add a contact, attempt 2 of 3" in terminal.getvalue()


WAITS = {WaitsFor.TURN: "its turn: another run starts the same", WaitsFor.RATE: "the `rate` of the"}


@pytest.mark.parametrize("what", WAITS)
def test_a_row_that_waits_says_what_for_until_it_goes_on(
    story: list[AnyEvent], chain: Chain, terminal: Terminal, what: WaitsFor
) -> None:
    waits = Waited(key="add", t=0.0, what=what)
    begun, waiting, goes_on = chain([*story[:2], waits, replace(waits, seconds=12.0)])[1:]
    now = [10.0]
    live = Live(terminal, Detail(), clock=lambda: now[0])
    for line in (begun, waiting):
        live.event(line)
    now[0] = 12.0
    live.refresh()
    assert f"add  Add a contact, 2 s, waits for {WAITS[what]}" in terminal.getvalue()
    terminal.truncate(0)
    live.event(goes_on)
    live.refresh()
    live.close()
    assert "waits" not in terminal.getvalue()


def test_closing_gives_the_terminal_back(story: list[AnyEvent], chain: Chain, terminal: Terminal) -> None:
    output = drawn(chain(story)[:2], terminal)
    assert output.rindex("\x1b[?25h") > output.rindex("\x1b[?25l")
    assert "it broke off during its steps" in output


def test_closing_without_any_event_is_fine(terminal: Terminal) -> None:
    Live(terminal, Detail()).close()
    assert "it broke off before it began: nothing was sent" in terminal.getvalue()
