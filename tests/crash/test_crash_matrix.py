"""Runs that are killed anywhere, and resumed: nothing is started twice, and the end is the undisturbed one or unknown.

The jobs have every action. The sandbox's own log counts what was started, by a mark that each step gives its process.
What resumes a run that was killed after a line is killed as well, a few lines further on. `pytest --long tests/crash`
kills after every line, not only where lines of two kinds meet for the last time, and of each kind in both ways.
"""

import itertools
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest
from crashes import JOBS, Kills, Undisturbed, world
from doomed import Doom, Moment
from msgspec.structs import replace

from runner.job.model import StepEffect
from runner.runs.events import CallSent, Line, RunFinished

pytestmark = pytest.mark.crash

NAMES = sorted(job.name.removesuffix(".job.yaml") for job in JOBS.glob("*.job.yaml"))
OF_STEPS = frozenset({"execute", "run", "element", "complete", "query"})
"""The calls that steps ask for; all others read the process log, or what it needs."""
AT_ONCE = 3
ATTEMPTS = 10


Chosen = dict[Hashable, int]
"""The lines that are chosen, by what they were chosen for."""


def each_line(lines: Sequence[Line]) -> Chosen:
    return {line.sha256: line.seq for line in lines}


def each_change(lines: Sequence[Line]) -> Chosen:
    """The last line of each kind that is followed by one of another, or of its own. Calls are left out: a run that ends
    before its request leaves is like one that ends when half of it has left, which no site takes for a request.
    """
    after = [*lines[1:], None]
    pairs = zip(lines, after, strict=True)
    return {(_kind(line), next_ and _kind(next_)): line.seq for line, next_ in pairs if not _is_call(line)}


def each_kind(lines: Sequence[Line]) -> Chosen:
    """The last line of each kind. Calls differ by what is called, but all that read the site's log are one."""
    return {_kind(line): line.seq for line in lines}


def each_kind_of_call(lines: Sequence[Line]) -> Chosen:
    return each_kind([line for line in lines if _is_call(line)])


def each_call_that_counts(lines: Sequence[Line]) -> Chosen:
    """Each that must not happen twice, and one of each other kind."""
    return each_line([line for line in lines if _counts(line)]) | each_kind_of_other_call(lines)


def each_kind_of_other_call(lines: Sequence[Line]) -> Chosen:
    """Of those that may happen twice: before any other all lines are on disk, and no power is lost with them."""
    return each_kind_of_call([line for line in lines if not _counts(line)])


def each_before_disk(lines: Sequence[Line]) -> Chosen:
    """The last line before each that is forced to disk: a call that must not happen twice, and the end of the run. Of
    those between two of them the same is left after a loss of power, whichever is the last: none.
    """
    ends = [line for line, after in pairwise(lines) if _counts(after) or isinstance(after.event, RunFinished)]
    return each_line(ends)


def _is_call(line: Line) -> bool:
    return isinstance(line.event, CallSent)


def _counts(line: Line) -> bool:
    return isinstance(line.event, CallSent) and line.event.effect == StepEffect.ONCE


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


def further(first: Doom, number: int) -> Iterator[Doom]:
    """After two of three another end a few lines further on, and after each third one more: each moment in turn, with
    and without the loss of power.
    """
    if number % 3 == 2:
        return
    moments = list(Moment)
    kept = share(number) if number % 3 == 0 else None
    second = Doom(line=first.line + 1 + number % 7, moment=moments[number % len(moments)], kept=kept)
    yield second
    if number % 3 == 1:
        yield Doom(line=second.line + 1 + number % 4, moment=moments[number // 3 % len(moments)])


@dataclass(frozen=True, slots=True)
class Way:
    """`lines` chooses the lines at which a run is killed, at the `moment`; `kept` tells of each how much outlives the
    loss of power. What a line is chosen for may be met in every job, as the sign-in is: it is tried in `most` of them.

    `again` tells how what resumes it ends, given the first end and its number.
    """

    lines: Callable[[Sequence[Line]], Chosen]
    moment: Moment
    kept: Callable[[int], float | None] = lambda _line: None
    again: Callable[[Doom, int], Iterable[Doom]] = further
    most: int = len(NAMES)

    def dooms(self, job: str, lines_of: Mapping[str, Sequence[Line]]) -> list[Doom]:
        chosen = {name: self.lines(lines) for name, lines in lines_of.items()}
        dooms: list[Doom] = []
        for what, line in chosen[job].items():
            having = [name for name in lines_of if what in chosen[name]]
            place = (having.index(job) + len(str(what))) % len(having)
            if place < self.most:
                dooms.append(Doom(line=line, moment=self.moment, kept=self.kept(line)))
        return sorted(dooms, key=lambda doom: doom.line)


WAYS = {
    "after-each-change": Way(each_change, Moment.AFTER, most=1),
    "within-a-line": Way(each_kind, Moment.HALF, most=1),
    "while-a-call-leaves": Way(each_kind_of_call, Moment.SENDING, most=1),
    "while-a-call-waits": Way(each_call_that_counts, Moment.WAITING, most=1),
    "power-lost": Way(each_before_disk, Moment.AFTER, lambda _line: 0),
    "power-lost-at-any-byte": Way(each_kind_of_other_call, Moment.WAITING, share, most=1),
}
"""No run ends before a line is written: that is after the line before it, or, where that is a call, while it waits.
Half a line is taken away, whatever it is of.
"""


def no_further(_first: Doom, _number: int) -> Iterable[Doom]:
    return ()


LONG_WAYS = WAYS | {
    "after-each-line": Way(each_line, Moment.AFTER),
    "before-each-kind": Way(each_kind, Moment.BEFORE, again=no_further),
    "within-each-kind": Way(each_kind, Moment.HALF, again=no_further),
    "power-lost-after-each-kind": Way(each_kind, Moment.AFTER, lambda _line: 0, no_further),
    "power-lost-in-each-call": Way(each_kind_of_call, Moment.WAITING, share, no_further),
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    metafunc.parametrize("way", LONG_WAYS if metafunc.config.getoption("--long") else WAYS)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Undisturbed]:
    """How each job ends that nobody kills."""
    folder = tmp_path_factory.mktemp("undisturbed")

    def of_job(job: str) -> Undisturbed:
        with world(job, folder / job) as one:
            return Undisturbed.of(one)

    return {job: of_job(job) for job in NAMES}


@pytest.mark.parametrize("job", NAMES)
def test_a_killed_run_ends_as_it_would_have_or_in_doubt_and_nothing_is_done_twice(
    job: str,
    way: str,
    *,
    undisturbed: Mapping[str, Undisturbed],
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    """The runs wait for their sites more than they work, so several are killed at once, each in a world of its own."""
    expected, counts = undisturbed[job], Counter[str]()
    lines_of = {name: whole.lines for name, whole in undisturbed.items()}

    def kill(number: int, first: Doom) -> Kills:
        kills, lines = Kills(), expected.lines
        for attempt in range(ATTEMPTS):
            doom = first if attempt == 0 else like(first, expected.lines, lines)
            with world(job, tmp_path / f"{number}-{attempt}") as one:
                kills.killed_and_resumed(one, expected, first=doom, further=LONG_WAYS[way].again(doom, number))
                lines = one.lines()
            if kills.kills:
                break
        assert kills.kills, first
        return kills

    with ThreadPoolExecutor(AT_ONCE) as pool:
        for kills in pool.map(kill, itertools.count(), LONG_WAYS[way].dooms(job, lines_of)):
            counts.update(kills.counts())
    for name, count in counts.items():
        record_property(name, count)
