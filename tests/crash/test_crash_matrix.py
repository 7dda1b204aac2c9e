"""Runs that are killed anywhere, and resumed: nothing is started twice, and the end is the undisturbed one or unknown.

The jobs have every action. The sandbox's own log counts what was started, by a mark that each step gives its process.
What resumes a run that was killed after a line is killed as well, a few lines further on. `pytest --long tests/crash`
kills after every line, not only where lines of two kinds meet for the last time, and of each kind in both ways.
"""

import itertools
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from crashes import JOBS, Kills, Undisturbed, world
from doomed import Doom, Moment
from msgspec.structs import replace

from runner.job.model import StepEffect
from runner.runs.events import CallSent, Line

pytestmark = pytest.mark.crash

NAMES = sorted(job.name.removesuffix(".job.yaml") for job in JOBS.glob("*.job.yaml"))
OF_STEPS = frozenset({"execute", "run", "element", "complete", "query"})
"""The calls that steps ask for; all others read the process log, or what it needs."""
AT_ONCE = 3
ATTEMPTS = 10


def each_line(lines: Sequence[Line]) -> list[int]:
    return [line.seq for line in lines]


def each_change(lines: Sequence[Line]) -> list[int]:
    """The last line of each kind that is followed by one of another, or of its own."""
    kinds = [_kind(line) for line in lines]
    pairs = zip(kinds, [*kinds[1:], ()], strict=True)
    return sorted({pair: line.seq for pair, line in zip(pairs, lines, strict=True)}.values())


def each_kind(lines: Sequence[Line]) -> list[int]:
    """The last line of each kind. Calls are told apart by what is called, but all that read the site's log are one."""
    return sorted({_kind(line): line.seq for line in lines}.values())


def each_kind_of_call(lines: Sequence[Line]) -> list[int]:
    return each_kind([line for line in lines if isinstance(line.event, CallSent)])


def each_call_that_counts(lines: Sequence[Line]) -> list[int]:
    """Each that must not happen twice, and one of each other kind."""
    once = [line.seq for line in lines if isinstance(line.event, CallSent) and line.event.effect == StepEffect.ONCE]
    return sorted({*once, *each_kind_of_call(lines)})


def _kind(line: Line) -> tuple[str, ...]:
    event = line.event
    if not isinstance(event, CallSent):
        return (type(event).__name__,)
    call = str(event.call["kind"])
    return ("CallSent", call if call in OF_STEPS else "reading", event.effect)


def like(doom: Doom, lines: Sequence[Line], others: Sequence[Line]) -> Doom:
    """The same end in a run of other lines: it read the log less often, and was over before."""
    kind = _kind(lines[doom.line - 1])
    return replace(doom, line=max((line.seq for line in others if _kind(line) == kind), default=len(others)))


def share(number: int) -> float:
    """A share that differs from number to number, spread over 0 to 1."""
    return number * 0.618 % 1


def second(first: Doom, number: int) -> Doom:
    """Another end a few lines further on: each moment in turn, with and without the loss of power."""
    moments = list(Moment)
    kept = share(number) if number % 3 == 0 else None
    return Doom(line=first.line + 1 + number % 7, moment=moments[number % len(moments)], kept=kept)


@dataclass(frozen=True, slots=True)
class Way:
    """`lines` chooses the lines at which a run is killed, and `moments` when, in turn; `kept` tells of each how much
    outlives the loss of power.

    `again` tells how what resumes it ends, given the first end and its number.
    """

    lines: Callable[[Sequence[Line]], list[int]]
    moments: tuple[Moment, ...]
    kept: Callable[[int], float | None] = lambda _line: None
    again: Callable[[Doom, int], Doom | None] = lambda _first, _number: None

    def dooms(self, job: str, lines: Sequence[Line]) -> list[Doom]:
        return [
            Doom(line=line, moment=self._moment(job, lines[line - 1]), kept=self.kept(line))
            for line in self.lines(lines)
        ]

    def _moment(self, job: str, line: Line) -> Moment:
        """Another one for the same kind of line in the next job."""
        return self.moments[(NAMES.index(job) + len("".join(_kind(line)))) % len(self.moments)]


WAYS = {
    "after-each-change": Way(each_change, (Moment.AFTER,), again=second),
    "at-each-kind": Way(each_kind, (Moment.BEFORE, Moment.HALF), again=second),
    "while-a-call-leaves": Way(each_kind_of_call, (Moment.SENDING,)),
    "while-a-call-waits": Way(each_call_that_counts, (Moment.WAITING,)),
    "power-lost": Way(each_kind, (Moment.AFTER,), lambda _line: 0),
    "power-lost-at-any-byte": Way(each_kind_of_call, (Moment.WAITING,), share),
}
"""The line of a kind is not there, or half of it is: both are resumed from the line before it. So a kind is met by one
of them in a job, and by the other in the next.
"""


LONG_WAYS = WAYS | {
    "after-each-line": Way(each_line, (Moment.AFTER,), again=second),
    "before-each-kind": Way(each_kind, (Moment.BEFORE,)),
    "within-each-kind": Way(each_kind, (Moment.HALF,)),
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    metafunc.parametrize("way", LONG_WAYS if metafunc.config.getoption("--long") else WAYS)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Undisturbed]:
    """How each job ends that nobody kills, found out once."""

    @cache
    def of_job(job: str) -> Undisturbed:
        with world(job, tmp_path_factory.mktemp("undisturbed") / job) as one:
            return Undisturbed.of(one)

    return of_job


@pytest.mark.parametrize("job", NAMES)
def test_a_killed_run_ends_as_it_would_have_or_in_doubt_and_nothing_is_done_twice(
    job: str,
    way: str,
    *,
    undisturbed: Callable[[str], Undisturbed],
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    """The runs wait for their sites more than they work, so several are killed at once, each in a world of its own."""
    expected, counts = undisturbed(job), Counter[str]()

    def kill(number: int, first: Doom) -> Kills:
        kills, lines = Kills(), expected.lines
        for attempt in range(ATTEMPTS):
            doom = first if attempt == 0 else like(first, expected.lines, lines)
            with world(job, tmp_path / f"{number}-{attempt}") as one:
                kills.killed_and_resumed(one, expected, first=doom, second=LONG_WAYS[way].again(doom, number))
                lines = one.lines()
            if kills.kills:
                break
        assert kills.kills, first
        return kills

    with ThreadPoolExecutor(AT_ONCE) as pool:
        for kills in pool.map(kill, itertools.count(), LONG_WAYS[way].dooms(job, expected.lines)):
            counts.update(kills.counts())
    for name, count in counts.items():
        record_property(name, count)
