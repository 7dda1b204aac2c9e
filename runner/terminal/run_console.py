"""What a person sees of the runs of a command: a terminal that redraws its lines, or line by line."""

import os
import time
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from msgspec import Struct, field

from runner.execution.active_run import ActiveRun
from runner.foundation.durations import format_duration
from runner.foundation.problems import Problem, Severity
from runner.foundation.sentences import job_and_case
from runner.planning.guards import asks
from runner.reports import console
from runner.reports.console import RunPage, plain
from runner.reports.safe import clean
from runner.reports.sentences import Detail, Sentence
from runner.reports.under_way import UnderWay
from runner.runs.events import Line, StepFinished
from runner.runs.status import RED
from runner.runs.store import StoreError
from runner.terminal import output

if TYPE_CHECKING:
    from runner.reports.console_live import LiveTerminal


class _OpenRun(Struct, frozen=True, kw_only=True):
    run: ActiveRun
    page: RunPage

    @property
    def title(self) -> str:
        plan = self.run.plan
        name = job_and_case(plan.job.name, plan.case.name if plan.case else None)
        return f"{clean(name)}@{clean(plan.target.name)}"


class RunConsole(Struct, kw_only=True, dict=True):
    """Where and how much of the runs is printed."""

    out: output.MessageStream
    quiet: bool
    verbose: bool
    side_by_side: bool
    total: int = 1
    asks: bool = False  # some run asks a person: no lines are redrawn
    held: bool = False  # runs wait where a call is in doubt
    resumed: str = "resumed"  # the word for a run begun before
    clock: Callable[[], float] = time.monotonic
    _begun: bool = False
    _open: dict[str, _OpenRun] = field(default_factory=dict)
    _weak: set[str] = field(default_factory=set)
    _live: "LiveTerminal | None" = None

    @cached_property
    def _under_way(self) -> UnderWay:
        prints_rows = not self.quiet and not self.side_by_side
        return UnderWay(self.clock, total=self.total, prints_rows=prints_rows)

    def has_begun(self) -> bool:
        return self._begun

    def look(self, locks: Sequence[str]) -> None:
        """Say what is under way, after a long silence, where no terminal shows it. Runs wait for `locks` to begin."""
        self._under_way.wait_for_locks(locks)
        if self._live is not None:
            return
        line = self._under_way.line()
        if line is not None:
            output.say(line)

    def detail(self, run: ActiveRun | None = None) -> Detail:
        """How much is printed of a run, or after all of them."""
        return Detail(
            quiet=self.quiet,
            verbose=self.verbose,
            place=None if run is None else run.store.place(run.facts.run),
            held=self.held,
            resumed=self.resumed,
            ids=self.verbose,
            several=self.total > 1,
        )

    def started(self, run: ActiveRun) -> Callable[[Line], None]:
        """The listener to the run's journal. What an earlier command has printed of it is not printed again."""
        self._begun = True
        self._warn_of_weak_secrets(run)
        opened = self._opened(run)
        self._under_way.begin(run.facts.run, opened.title, earlier=run.earlier)
        self._open[run.facts.run] = opened
        return lambda line: self._event(run.facts.run, line)

    def ended(self, run: ActiveRun) -> None:
        if isinstance(run.fault, StoreError) and run.sent_nothing:
            del self._open[run.facts.run]
            self._under_way.end(run.facts.run, run.result.status)
            self._leave_terminal()
            return
        self._close(run.facts.run)
        if isinstance(run.fault, StoreError):
            message = f"the run ended here: its files cannot be written: {run.fault}"
            hint = run.fault.hint or "when that is mended, `runner resume` goes on with the run"
            output.problems(Problem(code="E311", message=message, hint=hint))

    def close(self) -> None:
        """End what is still open: nobody waits for those runs any longer. Their journals are sealed."""
        for run in list(self._open):
            self._close(run)
        self.give_back()

    def give_back(self) -> None:
        """Give back the terminal on which runs side by side were drawn."""
        if self._live is not None:
            self._live.close()

    def _event(self, run: str, line: Line) -> None:
        open_run, event = self._open.get(run), line.event
        if open_run is None:
            return
        self._under_way.event(run, line)
        open_run.page.event(line)
        if self._live is None or not self.side_by_side:
            return
        if isinstance(event, StepFinished) and event.status in RED:  # before its run ends, which is printed whole then
            text = f"{open_run.title}  {clean(event.key)}  ({event.status}, {format_duration(event.seconds)})"
            self._live.print([Sentence(text=text, status=event.status)])

    def _leave_terminal(self) -> None:
        """A run that is carried out alone has the terminal for itself, until it ends."""
        if not self.side_by_side:
            self.give_back()
            self._live = None

    def _close(self, run: str) -> None:
        closed = self._open.pop(run)
        self._under_way.end(run, closed.run.result.status)
        closed.page.close()
        self._leave_terminal()

    def _opened(self, run: ActiveRun) -> _OpenRun:
        """Print the run where lines are redrawn, if that is where it belongs, else as plain lines."""
        terminal = self._terminal(run)
        if self._live is None and terminal is not None:
            from runner.reports.console_live import LiveTerminal  # noqa: PLC0415  a third of a start of a small run

            self._live = LiveTerminal(terminal.drawing(), self._under_way.lines, clock=self.clock)
        if self._live is not None:
            self._live.begin()
        is_drawn = self._live is not None and console.is_live(self.out, os.environ)
        printed = self._live.print if self._live is not None and is_drawn else plain(self.out)
        page = RunPage(printed, self.detail(run), progress=run.progress, at_once=not self.side_by_side)
        return _OpenRun(run=run, page=page)

    def _terminal(self, run: ActiveRun) -> output.MessageStream | None:
        """Where lines can be redrawn: where runs are printed, of runs side by side also stderr; not among questions."""
        if self.asks if self.side_by_side else asks(run.plan.job):
            return None
        streams = (self.out, output.MessageStream("stderr")) if self.side_by_side else (self.out,)
        return next((stream for stream in streams if console.is_live(stream, os.environ)), None)

    def _warn_of_weak_secrets(self, run: ActiveRun) -> None:
        for name in run.plan.secrets.weak:
            is_null = run.plan.inputs.get(name.removeprefix("inputs."), "") is None  # it hides nothing
            if name not in self._weak and not is_null:
                self._weak.add(name)
                message = f"secret `{name}` is so short that it is hidden only where it is a whole value"
                output.problems(Problem(code="E135", message=message, severity=Severity.WARNING))
