"""A hundred runs, eight side by side, each with a fault of the sandbox drawn for it, and what its log says of them.

The seed is printed where a test fails, and at the end of `pytest tests/crash`; CRASH_SEED sets it. With `--long`
 there are four hundred.
"""

import json
import os
import random
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from string import Template

import doomed
import pytest
from counted import COUNTED, SEED
from journals import JUNIT, REPORT, read
from sandboxes import Start, doubled, serve_sandbox

from runner.runs.events import RunStatus
from runner.runs.result import RunResult, fold
from runner.runs.status import Status
from runner.sandbox.fault_kinds import FAULT_KINDS, TAKING_TIME

pytestmark = pytest.mark.crash

PARTS = 2
LONG_PARTS = 8
RUNS = 50
"""In each part, which has a sandbox of its own."""
SIDE_BY_SIDE = 8
LATE = 60.0
"""Seconds within which a process starts that was taken and put off, on however busy a machine."""
OFTEN = "often"
"""The mark of a first step that may start its process more than once."""
TRUSTED = "trusted"
"""The mark of one that is not verified: it has passed when it was answered, whatever became of its process."""

SHARED = """runner: 1
process: UsrShared
parameters: {Mark: {type: text}}
"""
DOUBLE = Template("""runner: 1
process: UsrHit$number
parameters:
  Mark: {type: text}
  Number: {type: integer, direction: out}
activities:
$parks
  - set: {Number: 7}
faults: $faults
""")
JOB = Template("""runner: 1
name: hit-$number
target: here
defaults: {timeout: 1s, retry: {max_attempts: 3, initial: 10ms}}
steps:
  - id: hit
    $hit
  - id: after
    execute: {process: UsrShared, parameters: {Mark: "{{ run.id }} after"}}
finally:
  - id: last
    execute: {process: UsrShared, parameters: {Mark: "{{ run.id }} last"}}
""")
PARKS = Template("  - element: {uid: 7d8f6f3e-5a52-4b8f-9a54-$number, caption: Sign}")
STARTED = 'process: UsrHit$number, parameters: {Mark: "{{ run.id }} hit"}'
HITS = {
    "plain": f"execute: {{{STARTED}}}",
    "asked": f"execute: {{{STARTED}, result: Number}}\n    expect: [result == 7]",
    TRUSTED: f"execute: {{{STARTED.replace('hit', TRUSTED)}, result: Number}}\n    verify: none",
    "run": f"run: {{{STARTED}, results: [Number]}}",
    "started": f"run: {{{STARTED}, until: started}}",
    "parked": f"run: {{{STARTED}, until: started}}\n"
    '  - id: approve\n    element: {of: "{{ steps.hit.process_id }}", name: Sign, parameters: {}}',
    OFTEN: f"execute: {{{STARTED.replace('hit', OFTEN)}, result: Number}}\n    effect: idempotent\n"
    "    retry: {max_attempts: 3, initial: 10ms, on: [not_sent, refused, unanswered]}",
}
"""The ways in which a process of its own is started, or goes on, that a fault is applied to."""
PASSED = ("hit", Status.PASSED)
PARKED = "approve"
MARKS = {"hit": {"hit", OFTEN, TRUSTED}, PARKED: {"hit"}, "after": {"after"}, "last": {"last"}}
"""What the processes are marked with that the rows are about."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """What is drawn for one run: how its first step goes about it, and the fault that it meets."""

    hit: str
    fault: str
    times: int
    seconds: float


def drawn(seed: str) -> list[Drawn]:
    chance = random.Random(seed)
    faults = [*FAULT_KINDS, *chance.choices(list(FAULT_KINDS), k=RUNS - len(FAULT_KINDS))]
    return [
        Drawn(chance.choice(list(HITS)), fault, times=chance.choice([1, 1, 2]), seconds=chance.choice([0.05, 1.5]))
        for fault in faults
    ]


def write(folder: Path, runs: list[Drawn]) -> None:
    """A folder `jobs` and the doubles of their processes in `sandbox`."""
    for name in ("jobs", "sandbox"):
        (folder / name).mkdir()
    (folder / "sandbox" / "UsrShared.process.yaml").write_text(SHARED)
    for place, one in enumerate(runs):
        number = f"{place:012}"
        parks = PARKS.substitute(number=number) if one.hit == "parked" else ""
        double = DOUBLE.substitute(number=number, parks=parks, faults=json.dumps(list(faults(one))))
        (folder / "sandbox" / f"UsrHit{number}.process.yaml").write_text(double)
        hit = Template(HITS[one.hit]).substitute(number=number)
        (folder / "jobs" / f"hit-{number}.job.yaml").write_text(JOB.substitute(number=number, hit=hit))


def faults(one: Drawn) -> Iterator[dict[str, object]]:
    """Where it is to be applied to the element, the start before it gets one that does no harm."""
    if one.hit == "parked" and one.times == 1:
        yield {"fault": "slow", "times": 1, "seconds": 0.001}
    lasting = {"seconds": one.seconds} if one.fault in TAKING_TIME else {}
    yield {"fault": one.fault, "times": one.times, **lasting}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    metafunc.parametrize("part", range(LONG_PARTS if metafunc.config.getoption("--long") else PARTS))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is there when all is over: the results by the runs' ids, the command's own report, and the starts."""

    runs: dict[str, RunResult]
    reported: dict[str, str]
    starts: list[Start]


def test_with_a_fault_in_every_run_nothing_starts_twice_nothing_is_green_in_vain_and_all_have_reports(
    part: int, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    seed = os.environ.get(SEED) or str(random.SystemRandom().randrange(1_000_000))
    sys.stdout.write(f"{SEED}={seed}\n")
    record_property(SEED, f"{seed} of part {part}")
    end = carried_out(tmp_path, drawn(f"{seed}/{part}"))
    twice = {mark: times for mark, times in doubled(end.starts).items() if not mark.endswith(OFTEN)}
    record_property(f"{COUNTED}runs with a fault", len(end.runs))
    record_property(f"{COUNTED}starts", len(end.starts))
    record_property(f"{COUNTED}doubles", len(twice))
    assert twice == {}
    assert len(end.runs) == RUNS
    assert end.reported == {run: result.events for run, result in end.runs.items()}
    for run, result in end.runs.items():
        check(result, [start for start in end.starts if start.mark.startswith(run)])
    assert {RunStatus.PASSED, RunStatus.FAILED, RunStatus.UNKNOWN} <= {result.status for result in end.runs.values()}


def carried_out(folder: Path, runs: list[Drawn]) -> Outcome:
    """Carry all of them out with one command."""
    write(folder, runs)
    with serve_sandbox(folder / "sandbox", folder / "sandbox.db") as here:
        (folder / "targets.yaml").write_text(here.targets())
        options = ["-j", str(SIDE_BY_SIDE), "-q", "--targets", "targets.yaml", "--report-json", "all.json"]
        ended = doomed.carried_out(["run", "jobs", *options], folder)
        results = {own.name: fold(read(own).lines) for own in (folder / ".runner" / "runs").iterdir()}
        late = time.monotonic() + LATE
        while has_to_come(results, here.starts()) and time.monotonic() < late:
            time.sleep(0.02)
        starts = here.starts()
    assert (folder / "all.json").exists(), ended
    report = json.loads((folder / "all.json").read_bytes())
    assert ended.code == report["exit_code"], ended
    for run, result in results.items():
        own = folder / ".runner" / "runs" / run
        assert json.loads((own / REPORT).read_bytes())["runs"][0]["events"] == result.events
        assert (own / JUNIT).stat().st_size > 0
    return Outcome(results, {run["id"]: run["events"] for run in report["runs"]}, starts)


def has_to_come(results: dict[str, RunResult], starts: list[Start]) -> bool:
    """Whether a process is put off still, whose step passed when it was taken."""
    passed = {run for run, result in results.items() for row in result.steps if (row.key, row.status) == PASSED}
    return not passed <= {start.mark.split(" ")[0] for start in starts if start.process != "UsrShared"}


def check(result: RunResult, starts: list[Start]) -> None:
    """A row that passed has a process that is done; one that is said not to have been sent, or left out, has none."""
    assert result.finished
    rows = {row.key: row.status for row in result.steps}
    for key, status in rows.items():
        found = {start.mark.split(" ")[1]: start.status for start in starts if start.mark.split(" ")[1] in MARKS[key]}
        what = (result.job, key, rows, starts)
        if status is Status.PASSED:
            is_parked = rows.get(PARKED, status) is not Status.PASSED and key == "hit"
            assert TRUSTED in found or "done" in found.values() or (is_parked and "running" in found.values()), what
        if status in {Status.SKIPPED, Status.ERROR} and key != PARKED:
            assert not found or OFTEN in found, what
