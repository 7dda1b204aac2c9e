"""Waiting until sites are ready, side by side: each in a thread of its own, while the main thread tells what they wait
for, and hears signals.

At a terminal one line is redrawn; elsewhere a line says what is new, and each 30 s that the wait goes on.
"""

import os
import queue
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final, TypeAlias

from runner.cli import output
from runner.cli.wait_story import Story, problems
from runner.doctor.readiness import Look, Outcome, Watched, wait_until_ready
from runner.foundation import threads
from runner.hosts.stop import Stop
from runner.reports import mistakes
from runner.reports.cells import width
from runner.reports.console import is_live
from runner.reports.safe import clean

AGAIN: Final = 30.0
"""Seconds between two lines about one site that is in one state."""
_TICK: Final = 0.2
"""Seconds between two looks at the clock and at signals. A wait without an end would let Windows hear none."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SiteWait:
    """A site that is waited for, and what is seen of it."""

    site: Watched
    story: Story


def until_ready(waits: Sequence[SiteWait], *, quiet: bool = False) -> Callable[[Stop], bool]:
    """What waits for all of them, says what was seen, and gives whether the first call may be sent."""

    def wait(stop: Stop) -> bool:
        if not waits:
            return True
        seconds = wait_for_all(waits, stop=stop, quiet=quiet)
        stories = [one.story for one in waits]
        are_ready = all(story.outcome is Outcome.READY for story in stories)
        if not (quiet and are_ready):
            for line in (line for story in stories for line in story.account(seconds)):
                output.say(line)
        output.say_lines(mistakes.text(problems(stories)))
        return are_ready

    return wait


def wait_for_all(waits: Sequence[SiteWait], *, stop: Stop, quiet: bool = False) -> float:
    """Wait until each site is ready, one of them cannot be any more, or a signal comes; the seconds that it took.

    The stories tell how it ended. Where one site is not ready nothing is sent, so that the others are left then, too.
    """
    began, inbox = time.monotonic(), _Inbox()
    progress = Progress(waits=waits, began=began, quiet=quiet)
    for wait in waits:
        threads.start(partial(_watch, wait, stop, inbox), name=f"wait for {wait.story.name}")
    while stop.why is None and _goes_on(waits):
        try:
            wait, at, found = inbox.news.get(timeout=_TICK)
        except queue.Empty:
            progress.tick()
            continue
        match found:
            case BaseException():
                raise found
            case Outcome():
                wait.story.outcome = found
            case Look():
                progress.hear(wait, found, at - began)
    inbox.is_closed = True
    progress.close()
    return time.monotonic() - began


def _goes_on(waits: Sequence[SiteWait]) -> bool:
    outcomes = {wait.story.outcome for wait in waits}
    return None in outcomes and outcomes <= {None, Outcome.READY}


_News: TypeAlias = Look | Outcome | BaseException


@dataclass(slots=True)
class _Inbox:
    """What the threads hand over, with the time at which they did; `is_closed`: nobody wants more."""

    news: "queue.SimpleQueue[tuple[SiteWait, float, _News]]" = field(default_factory=queue.SimpleQueue)
    is_closed: bool = False


def _watch(wait: SiteWait, stop: Stop, inbox: _Inbox) -> None:
    def pause(seconds: float) -> bool:
        if stop.why is None:
            stop.wait(seconds)
        return stop.why is None and not inbox.is_closed

    def put(found: _News) -> None:
        inbox.news.put((wait, time.monotonic(), found))

    try:
        put(wait_until_ready(wait.site, wait.story.wanted, pause=pause, seen=put))
    except BaseException as fault:  # noqa: BLE001  handed to the main thread, which raises it
        put(fault)


@dataclass(slots=True, kw_only=True)
class Progress:
    """Reports how the waits go, to `out`. `clock` and `began` are in seconds of the same clock."""

    waits: Sequence[SiteWait]
    began: float
    quiet: bool = False
    clock: Callable[[], float] = time.monotonic
    out: output.Stream = field(default_factory=lambda: output.Stream("stderr"))
    _drawn: str = ""
    _last_lines: dict[SiteWait, float] = field(default_factory=dict)

    def hear(self, wait: SiteWait, look: Look, seconds: float) -> None:
        """Take what was seen of a site so many seconds after the beginning."""
        is_news = wait.story.hear(look, seconds)
        if is_news and not self.quiet and not self._is_live:
            self._say(wait, seconds)
        self.tick()

    def tick(self) -> None:
        """Say or draw what is due by now."""
        seconds = self.clock() - self.began
        still_waited_for = [wait for wait in self.waits if wait.story.outcome is None]
        if self.quiet:
            return
        if self._is_live:
            self._draw(" · ".join(clean(wait.story.now(seconds)) for wait in still_waited_for))
            return
        for wait in still_waited_for:
            if seconds - self._last_lines.get(wait, 0.0) >= AGAIN:
                self._say(wait, seconds)

    def close(self) -> None:
        """Give the terminal's line back."""
        if self._drawn:
            self._draw("")

    @property
    def _is_live(self) -> bool:
        return is_live(self.out, os.environ)

    def _say(self, wait: SiteWait, seconds: float) -> None:
        self._last_lines[wait] = seconds
        self.out.write(f"{clean(wait.story.now(seconds))}\n")

    def _draw(self, text: str) -> None:
        """Redraw the line, cut to what fits: one that wraps could not be redrawn."""
        room = shutil.get_terminal_size().columns - 1
        while width(text) > room:
            text = text[: -max(1, (width(text) - room) // 2)]
        if text != self._drawn:
            self.out.drawing().write(f"\r\x1b[K{text}")
            self._drawn = text
