"""Says how runs go: on a terminal that redraws its lines, or line by line; side by side, whole as they end.

What becomes of what is written is `runner.cli.output`'s business: the runs go on, whoever reads.
"""

import importlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from io import StringIO
from typing import Protocol

from runner.cli import output, reports
from runner.cli.guards import asks
from runner.cli.run_pool import Run
from runner.foundation.problems import Problem, Severity
from runner.planning.plan import Plan
from runner.reports import console, mistakes
from runner.reports.alive import Alive
from runner.reports.formats import ReportedRun
from runner.reports.safe import clean
from runner.reports.sentences import Wish
from runner.runs.events import Line
from runner.runs.store import StoreError


class Teller(Protocol):
    """Whoever tells a run to a person, event by event."""

    def event(self, line: Line) -> None: ...

    def close(self) -> None: ...


@dataclass(slots=True, kw_only=True)
class RunConsole:
    """How much is told of the runs, and where. `held`: they were told to wait where a call is in doubt; `again`: what
    is done with a run that began in another command.
    """

    out: output.Stream
    quiet: bool
    verbose: bool
    side_by_side: bool
    held: bool = False
    again: str = "resumed"
    clock: Callable[[], float] = time.monotonic
    _begun: bool = False
    _tellers: dict[str, tuple[Teller, StringIO | None]] = field(default_factory=dict)
    _runs: dict[str, Run] = field(default_factory=dict)
    _alive: dict[str, Alive] = field(default_factory=dict)
    _weak: set[str] = field(default_factory=set)

    def has_begun(self) -> bool:
        """Whether there is anything to tell yet."""
        return self._begun

    def look(self) -> None:
        """Say of each run whose step has been going on for long that it does. A terminal that is redrawn shows that."""
        for run, alive in list(self._alive.items()):
            line = None if self.quiet else alive.line()
            if line is not None:
                output.say(f"{_title(self._runs[run].plan)}: {line}")

    def started(self, run: Run) -> Callable[[Line], None]:
        """Who is to hear the run's events. What an earlier command has told of it is not told again."""
        self._begun = True
        wish = Wish(
            quiet=self.quiet,
            verbose=self.verbose,
            place=run.store.place(run.facts.id),
            store=run.store.name,
            held=self.held,
            again=self.again,
        )
        page = StringIO() if self.side_by_side else None
        self._runs[run.facts.id] = run
        self._tellers[run.facts.id] = self._teller(wish, page, run), page
        if not self._is_redrawn(page, run):
            self._alive[run.facts.id] = Alive(self.clock, earlier=run.earlier)
        for name in run.plan.secrets.weak:
            if name in self._weak:
                continue
            self._weak.add(name)
            message = f"secret `{name}` is so short that it is hidden only where it is a whole value"
            _warn(Problem(code="E135", message=message, severity=Severity.WARNING))
        return lambda line: self._event(run.facts.id, line)

    def ended(self, run: Run) -> None:
        """End the account of a run, and keep its reports in its folder."""
        self._close(run.facts.id)
        if isinstance(run.fault, StoreError):
            _warn(Problem(code="E311", message=f"the run ended here: its events cannot be written: {run.fault}"))
        _store(run)

    def close(self) -> None:
        """End what is still being told: nobody waits for those runs any longer. Their journals are sealed."""
        for run in list(self._tellers):
            self._close(run)
            _store(self._runs[run])

    def say(self, text: str) -> None:
        """Write to where the runs are told."""
        self.out.write(text)

    def _event(self, run: str, line: Line) -> None:
        if run in self._alive:
            self._alive[run].hear(line)
        if run in self._tellers:
            self._tellers[run][0].event(line)

    def _close(self, run: str) -> None:
        teller, page = self._tellers.pop(run)
        self._alive.pop(run, None)
        teller.close()
        if page is not None:
            self.say(console.encodable(page.getvalue(), self.out.encoding))

    def _is_redrawn(self, page: StringIO | None, run: Run) -> bool:
        return page is None and not asks(run.plan.job) and console.is_live(self.out, os.environ)

    def _teller(self, wish: Wish, page: StringIO | None, run: Run) -> Teller:
        """Where a terminal can redraw its lines they are; a question must be able to stand still."""
        if not self._is_redrawn(page, run):
            return console.Plain(page or self.out, wish, earlier=run.earlier)
        # rich is imported for a terminal alone: it costs a third of the start-up of a small run
        drawing = importlib.import_module("runner.reports.console_live").Live
        live: Teller = drawing(self.out.drawing(), wish, earlier=run.earlier)
        return live


def _store(run: Run) -> None:
    reports.store(run.store, ReportedRun(result=run.result, lines=run.journal.lines))


def _title(plan: Plan) -> str:
    case = f"[{clean(plan.case.name)}]" if plan.case is not None else ""
    return f"{clean(plan.job.name)}{case}@{clean(plan.target.name)}"


def _warn(problem: Problem) -> None:
    output.say_lines(mistakes.text([problem]))
