"""What a crash matrix is made of: a run that is killed, resumed to its end, and compared with an undisturbed one.

The jobs are those of `tests/crash/jobs`. Each run has a world of its own: a folder, and a sandbox beside it that goes
on whatever becomes of the run. `Kills` adds up what happened in all of them.
"""

import json
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from counted import COUNTED
from doomed import KILLED, Doom, Ended, carried_out
from journals import REPORT, read
from msgspec import Struct, field
from sandboxes import MARK, ServedSandbox, doubled, serve_sandbox

from runner.foundation.problems import ExitCode
from runner.foundation.values import Json
from runner.runs.events import CallSent, Line
from runner.runs.result import RunResult, StepResult, fold
from runner.runs.status import Status
from runner.sandbox.doubles import Doubles
from runner.sandbox.loading import load_doubles

JOBS = Path(__file__).parents[1] / "crash" / "jobs"
REPORT_OF_COMMAND = "r.json"
_OPTIONS = ["--yes", "-q", "--targets", "targets.yaml", "--report-json", REPORT_OF_COMMAND]
_LATE = 60.0
"""Seconds within which a process starts that was taken and put off, on however busy a machine."""


class World(Struct, frozen=True, kw_only=True):
    """`job` is carried out in `folder`, against the sandbox `here`."""

    job: str
    folder: Path
    here: ServedSandbox

    def run(self, doom: Doom | None = None) -> Ended:
        return carried_out(["run", str(JOBS / f"{self.job}.job.yaml"), *_OPTIONS], self.folder, doom)

    def resume(self, doom: Doom | None = None) -> Ended:
        return carried_out(["resume", "last", *_OPTIONS], self.folder, doom)

    def lines(self) -> tuple[Line, ...]:
        """The journal of the only run."""
        (only,) = self.folder.glob(".runner/runs/*")
        reading = read(only)
        assert reading.flaw is None
        return reading.lines

    def result(self) -> RunResult:
        return fold(self.lines())

    def has_reports(self) -> bool:
        """Whether the command and the run.s folder have their reports, which tell of the last line of the journal."""
        (own,) = self.folder.glob(f".runner/runs/*/{REPORT}")
        reported = [json.loads(file.read_bytes())["runs"] for file in (own, self.folder / REPORT_OF_COMMAND)]
        return [[run["events"] for run in runs] for runs in reported] == [[f"sha256:{self.lines()[-1].sha256}"]] * 2

    def starts(self, expected: int = 0) -> Counter[str]:
        """How often each step has started a process, by what its mark says; waited for until there are so many."""
        late = time.monotonic() + _LATE
        while (marks := self._marks()).total() < expected and time.monotonic() < late:
            time.sleep(0.01)
        return marks

    def _marks(self) -> Counter[str]:
        return Counter(start.mark.partition(" ")[2] for start in self.here.starts() if start.mark)


@cache
def _doubles() -> Doubles:
    doubles, problems = load_doubles(JOBS / "sandbox")
    assert not problems
    return doubles


@contextmanager
def world(job: str, folder: Path) -> Iterator[World]:
    """A new world in the folder, which must not be there yet."""
    folder.mkdir()
    with serve_sandbox(_doubles()) as here:
        (folder / "targets.yaml").write_text(here.targets())
        yield World(job=job, folder=folder, here=here)


class Undisturbed(Struct, frozen=True, kw_only=True):
    """How a job ends that nobody kills."""

    lines: tuple[Line, ...]
    result: RunResult
    starts: Counter[str]

    @classmethod
    def of(cls, one: World) -> "Undisturbed":
        ended = one.run()
        assert ended.code == one.result().exit_code, ended
        assert one.has_reports()
        marked = [line for line in one.lines() if isinstance(line.event, CallSent) and _has_mark(line.event)]
        return cls(lines=one.lines(), result=one.result(), starts=one.starts(len(marked)))


def _has_mark(sent: CallSent) -> bool:
    return MARK in sent.call.get("parameters", {})


class Kills(Struct):
    """What happened, counted. `doubles` are starts that happened twice, by their marks."""

    kills: int = 0
    starts: int = 0
    equal: int = 0
    unknown: int = 0
    never_begun: int = 0
    doubles: list[str] = field(default_factory=list)

    def killed_and_resumed(self, one: World, undisturbed: Undisturbed, *, first: Doom, further: Iterable[Doom]) -> None:
        """Kill the run, kill what resumes it, too, and resume it to its end; then see that nothing is wrong.

        A further end may not come: where the run has ended before that line, the resume just ends. Nor may the first,
        where the undisturbed run had to wait longer for its site, and so has more lines: nothing was killed then.
        """
        ended = one.run(first)
        if ended.code != KILLED:
            assert len(one.lines()) < first.line, (first, ended)
        ends = iter(further)
        while ended.code == KILLED:
            self.kills += 1
            ended = one.resume(next(ends, None))
        self.starts += one.starts().total()
        self.doubles.extend(doubled(one.here.starts()))
        assert not self.doubles, (first, self.doubles)
        if not one.lines():
            self._never_began(one, ended)
        else:
            self._ended(one, undisturbed, ended)

    def counts(self) -> dict[str, int]:
        """For the summary of the tests: each in words."""
        return {
            f"{COUNTED}kills": self.kills,
            f"{COUNTED}starts": self.starts,
            f"{COUNTED}doubles": len(self.doubles),
            f"{COUNTED}runs that ended as if undisturbed": self.equal,
            f"{COUNTED}runs in doubt": self.unknown,
            f"{COUNTED}runs that never began": self.never_begun,
        }

    def _never_began(self, one: World, ended: Ended) -> None:
        assert ended.code == ExitCode.INVALID, ended
        assert one.starts().total() == 0
        self.never_begun += 1

    def _ended(self, one: World, undisturbed: Undisturbed, ended: Ended) -> None:
        result = one.result()
        assert result.finished, ended
        assert ended.code == result.exit_code, ended
        assert one.has_reports(), ended
        passed = {step.key for step in result.steps if step.status is Status.PASSED}
        happened = Counter(mark for mark in undisturbed.starts if mark in passed)
        starts = one.starts(happened.total())
        assert happened <= starts <= undisturbed.starts, ended
        others = differences(result, undisturbed.result)
        assert not others or ended.code == ExitCode.UNKNOWN, (ended, others)
        if others:
            self.unknown += 1
        else:
            self.equal += 1


def differences(one: RunResult, other: RunResult) -> list[str]:
    """What two runs of a job came to otherwise, but for results that were lost where the log shows how a call ended."""
    wholes = [(run.status, run.exit_code, run.undo, run.outputs) for run in (one, other)]
    reported = [] if wholes[0] == wholes[1] else [f"{wholes[0]} is not {wholes[1]}"]
    mine, theirs = ({step.key: step for step in run.steps} for run in (one, other))
    reported += [f"row `{key}` is in one alone" for key in mine.keys() ^ theirs.keys()]
    both = [(mine[key], theirs[key]) for key in mine if key in theirs]
    return reported + [f"{a.key}: {_of(a)} is not {_of(b)}" for a, b in both if not _is_same(a, b)]


def _is_same(one: StepResult, other: StepResult) -> bool:
    is_lost = "inferred" in (one.verified, other.verified) and one.status is Status.PASSED
    return one.status is other.status and (is_lost or one.result == other.result or one.kind == "wait")


def _of(step: StepResult) -> tuple[Status, Json]:
    return step.status, step.result
