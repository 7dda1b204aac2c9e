"""A fleet in a storm: its workers are killed, put to sleep and drained, their networks break, the database ends.

What really happened is read from the site's own file, past everything that the fleet believes. `Proof` compares both.
"""

import os
import random
import signal
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from subprocess import TimeoutExpired
from typing import Final

from fleets import Fleet, until
from msgspec import Struct, field
from networks import Network, Trouble
from postgres import Cluster
from running import ForkedCommand

from runner.fleet import orders
from runner.fleet.database import Link, NoDatabaseError
from runner.fleet.store import FleetStore
from runner.foundation.values import JsonObject
from runner.reports.words import doubtful
from runner.runs.events import AttemptFailed, CallAnswered, CallSent, RunResumed, StepFinished
from runner.runs.evidence import Person
from runner.runs.journal import parse
from runner.runs.result import RunResult, fold
from runner.runs.status import Status

PROCESSES: Final = tuple(f"UsrCharge{number}" for number in range(6))
OPEN: Final = ("waiting", "queued", "running", "parked")
_KINDS: Final = {
    "proved by the log": ("", ""),
    "needs its result": (", result: Receipt", "    expect: [result is defined]\n"),
    "not verified": ("", "    verify: none\n"),
}


class Storm(Struct, kw_only=True):
    """`networks` are those between the places of workers and the database; a worker that ends is replaced at its place.
    `asleep` are workers that sleep, with when they wake up.
    """

    here: Fleet
    cluster: Cluster
    networks: Sequence[Network]
    chance: random.Random
    dead: float
    calls: int
    troubles: Counter[str] = field(default_factory=Counter)
    kills: list[tuple[float, list[str]]] = field(default_factory=list)
    places: dict[int, ForkedCommand] = field(default_factory=dict)
    asleep: list[tuple[float, ForkedCommand]] = field(default_factory=list)
    healing: list[tuple[float, Network]] = field(default_factory=list)
    codes: Counter[int] = field(default_factory=Counter)
    added: int = 0

    def blow(self, plan: Sequence[str], *, pause: float) -> None:
        """Let these troubles happen one after another, and see to it that there are always runs to carry out."""
        do: dict[str, Callable[[], bool]] = {
            "kill": lambda: self._signal(signal.SIGKILL),
            "drain": lambda: self._signal(signal.SIGTERM),
            "sleep": lambda: self._signal(signal.SIGSTOP),
            "outage": self._end_the_database,
            **{trouble.value: lambda trouble=trouble: self._break_a_network(trouble) for trouble in Trouble},  # type: ignore[misc]
        }
        for trouble in plan:
            ends = time.monotonic() + 300
            self.keep_up()
            while not do[trouble]():
                assert time.monotonic() < ends, (trouble, self.here.states(), self.here.said()[-3000:])
                time.sleep(0.05)
                self.keep_up()
            self.troubles[trouble] += 1
            if self.troubles.total() % 50 == 0:
                sys.stdout.write(f"{time.strftime('%X')} {dict(self.troubles)}, {self.added} runs\n")
                sys.stdout.flush()
            time.sleep(self.chance.uniform(0.2, 1.8) * pause)

    def keep_up(self, *, feed: bool = True) -> None:
        """Wake up who has slept enough, mend networks, replace workers that have ended, and queue runs."""
        now = time.monotonic()
        for at, worker in [*self.asleep]:
            if now >= at:
                self.asleep.remove((at, worker))
                worker.send_signal(signal.SIGCONT)
        for at, broken in [*self.healing]:
            if now >= at:
                self.healing.remove((at, broken))
                broken.trouble = None
        for place, network in enumerate(self.networks):
            before = self.places.get(place)
            code = None if before is None else before.poll()
            if code is not None:
                self.codes[code] += 1
            if before is None or code is not None:
                self.places[place] = self._started(network)
        with suppress(NoDatabaseError):
            while feed and self._open() < 3 * len(self.networks):
                self.add()

    def _started(self, network: Network) -> ForkedCommand:
        dsn = self.here.dsn.replace(f":{self.cluster.port}/", f":{network.port}/")
        options = ["-j", "3", "--grace", "5s", *(["--hold"] if self.chance.random() < 0.3 else [])]
        return self.here.worker(*options, dead=self.dead, dsn=dsn)

    def _open(self) -> int:
        ((count,),) = self.here.sql("select count(*) from runs where state = any (%s)", [*OPEN])
        return int(str(count))

    def _items(self) -> int:
        ((count,),) = self.here.sql("select count(*) from procrastinate_jobs")
        return int(str(count))

    def add(self) -> None:
        """Queue a run: of one of three kinds, in turn with all processes, some of them with a lock."""
        number = self.added
        self.added += 1
        result, more = [*_KINDS.values()][number % len(_KINDS)]
        steps = "steps:\n"
        for call in range(self.calls):
            process = PROCESSES[(number + call) % len(PROCESSES)]
            steps += _step(f"r{number}c{call}", process, result) + more
        steps += "finally:\n" + _step(f"r{number}z", "UsrRefund")
        self.here.put(f"r{number}", steps, lock=f"lock{number % 5}" if number % 7 == 0 else None)

    def _busy(self) -> tuple[ForkedCommand, list[str]] | None:
        """A worker that carries out runs which have sent something, and these runs."""
        found = self.here.sql("select id::text, worker from runs where state = 'running' and seq > 5")
        asleep = {worker.pid for _, worker in self.asleep}
        awake = [worker for worker in self.places.values() if worker.poll() is None and worker.pid not in asleep]
        for worker in self.chance.sample(awake, len(awake)):
            runs = [str(run) for run, name in found if f":{worker.pid}:" in str(name)]
            if runs:
                return worker, runs
        return None

    def _signal(self, number: int) -> bool:
        with suppress(NoDatabaseError):
            busy = self._busy()
            if busy is None:
                return False
            worker, runs = busy
            if number == signal.SIGKILL:
                self.kills.append((time.time(), runs))
            os.kill(worker.pid, number)
            if number == signal.SIGSTOP:
                self.asleep.append((time.monotonic() + self.dead * self.chance.uniform(1.5, 3), worker))
            return True
        return False

    def _end_the_database(self) -> bool:
        if self._busy() is None:
            return False
        self.cluster.stop()
        time.sleep(self.chance.uniform(0, self.dead))
        self.cluster.start()
        return True

    def _break_a_network(self, trouble: Trouble) -> bool:
        healthy = [one for one in self.networks if one.trouble is None]
        if not healthy:
            return False
        network = self.chance.choice(healthy)
        network.trouble = trouble
        seconds = 0.3 if trouble is Trouble.DEAF else self.dead * self.chance.uniform(0.3, 2)
        self.healing.append((time.monotonic() + seconds, network))
        return True

    def calm_down(self) -> None:
        """Wait until all runs are over."""

        def is_over() -> bool:
            self.keep_up(feed=False)
            return self._open() == 0 and not self.asleep and not self.healing and self._items() == 0

        until(is_over, seconds=600, why=lambda: (self.here.states(), self.here.said()[-3000:]))

    def end(self) -> None:
        """End all workers, so that nobody sends anything any more."""
        for worker in self.places.values():
            worker.terminate()
        for worker in self.places.values():
            try:
                self.codes[worker.wait(300)] += 1
            except TimeoutExpired:
                worker.kill()
                worker.wait(300)
        self.places.clear()

    def events_of(self, mark: str) -> str:
        """All events of the run that has the row of this mark, for whoever wants to know what went wrong."""
        job = mark.partition("c")[0].partition("z")[0]
        lines = self.here.sql(
            "select e.line from events e join runs r on r.id = e.run where r.job = %s order by e.seq", job
        )
        return "\n".join(str(line) for (line,) in lines)

    def settle(self) -> int:
        """Give verdicts, by what the site knows, on all that is in doubt, until nothing is; how many."""
        given = 0
        while doubts := self._doubts():
            starts, link = self.here.starts(), Link(self.here.dsn)
            for run, key in doubts:
                verdict: JsonObject = {"as": "passed", "result": "R"} if starts[key] else {"as": "failed"}
                person = Person(user="ada@desk")
                assert orders.order(link, run, kind=orders.OrderKind.RESUME, verdicts={key: verdict}, by=person)
                given += 1
            link.close()
            self.calm_down()
        return given

    def _doubts(self) -> list[tuple[str, str]]:
        """For each run that waits for a verdict, the first row in doubt."""
        states = self.here.sql("select id::text from runs where state = 'held' or in_doubt > 0")
        runs = [(str(run), self.here.result(str(run))) for (run,) in states]
        return [(run, doubtful(result.steps)[0].key) for run, result in runs if doubtful(result.steps)]


def _step(mark: str, process: str, result: str = "") -> str:
    return f"  - id: {mark}\n    execute: {{process: {process}, parameters: {{Mark: {mark}}}{result}}}\n"


class Proof(Struct, kw_only=True):
    """What is true of all runs, by the site's own count. `green` are rows that are called passed and did not happen,
    `red` those that happened and are called something else, `held` runs that wait for a person with nothing in doubt.
    """

    states: Counter[str]
    calls: int
    repeated: list[str]
    green: list[str]
    red: list[str]
    flaws: list[str]
    held: list[str]
    resumed: int
    cut_off: int
    unknown: int
    unknown_that_happened: int
    takeovers: list[float]

    def counts(self) -> dict[str, int]:
        return {
            "calls": self.calls,
            "calls that happened twice": len(self.repeated),
            "takeovers": self.resumed,
            "calls cut off": self.cut_off,
            "of them in doubt in the end": self.unknown,
        }

    def times(self) -> str:
        if not self.takeovers:
            return "no takeover"
        return f"takeover: median {statistics.median(self.takeovers):.1f} s, longest {max(self.takeovers):.1f} s"


def proof(storm: Storm) -> Proof:
    here, starts = storm.here, storm.here.starts()
    made = Proof(
        states=Counter(here.states().values()),
        calls=sum(starts.values()),
        repeated=[mark for mark, times in starts.items() if times > 1],
        green=[], red=[], flaws=[], held=[], resumed=0, cut_off=0, unknown=0, unknown_that_happened=0,
        takeovers=[*_takeovers(storm)],
    )  # fmt: skip
    store = FleetStore(here.dsn)
    for name, state, in_doubt in here.sql("select id::text, state, in_doubt from runs"):
        run = str(name)
        reading = parse(store.events(run))
        if reading.flaw is not None or reading.torn:
            made.flaws.append(f"{run}: {reading.flaw}")
            continue
        events = [line.event for line in reading.lines]
        made.resumed += sum(isinstance(event, RunResumed) for event in events)
        made.cut_off += len([*_cut_off(events)])
        result = fold(reading.lines, run=run)
        _compare(made, result, starts)
        if len(doubtful(result.steps)) != in_doubt:
            made.flaws.append(f"{run}: {in_doubt} are said to be in doubt")
        if state == "held" and not doubtful(result.steps):
            made.held.append(run)
    store.close()
    return made


def _compare(made: Proof, result: RunResult, starts: Counter[str]) -> None:
    for row in result.steps:
        happened = starts[row.key]
        if row.status is Status.PASSED and happened != 1:
            made.green.append(row.key)
        elif row.status is Status.UNKNOWN:
            made.unknown += 1
            made.unknown_that_happened += happened
        elif row.status is not Status.PASSED and happened and row.judged is None:
            made.red.append(f"{row.key} {row.status} in run {result.id}")


def _cut_off(events: Sequence[object]) -> Iterator[str]:
    """The rows of calls that were sent and not answered when the run was taken over."""
    sent: str | None = None
    for event in events:
        if isinstance(event, CallSent) and event.effect == "once":
            sent = event.key
        elif isinstance(event, (CallAnswered, AttemptFailed, StepFinished)):
            sent = None
        elif isinstance(event, RunResumed) and sent is not None:
            yield sent
            sent = None


def _takeovers(storm: Storm) -> Iterator[float]:
    """Seconds from each kill to the first line of whoever has resumed the run."""
    found = storm.here.sql(
        "select run::text, line::json ->> 'at' from events where kind = 'run.resumed' order by run, seq"
    )
    for at, runs in storm.kills:
        for run in runs:
            later = [
                seconds
                for other, moment in found
                if other == run and (seconds := datetime.fromisoformat(str(moment)).timestamp() - at) > 0
            ]
            if later:
                yield min(later)
