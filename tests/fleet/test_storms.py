"""Workers are killed, sleep, lose their network and their database, hundreds of times over. The site has the last word:
no call that must happen once happened twice, nothing is green that did not happen, and no run is lost.
"""

import os
import random
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from counted import COUNTED
from fleets import at_site
from networks import network
from postgres import Cluster
from storms import PROCESSES, Storm, proof

pytestmark = [pytest.mark.slow, pytest.mark.first]

KILLS = "FLEET_KILLS"
"""The variable with the number of SIGKILLs of the long form."""
SEED = "FLEET_SEED"
_OTHERS = {"sleep": 20, "drain": 20, "outage": 60, "cut": 25, "silent": 30, "deaf": 15}
"""One of these to so many SIGKILLs."""
_COUNTED = {
    "kill": "workers killed",
    "sleep": "workers put to sleep",
    "drain": "workers drained",
    "outage": "databases ended",
    "cut": "networks cut",
    "silent": "networks silent",
    "deaf": "networks that lost answers",
}


@pytest.fixture
def storm(
    own_cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[Storm]:
    monkeypatch.chdir(tmp_path)
    own_cluster.start()
    own_cluster.make_template()
    is_long = request.config.getoption("--long")
    seed = int(os.environ.get(SEED) or random.SystemRandom().randrange(1_000_000))
    sys.stdout.write(f"{SEED}={seed}\n")
    with ExitStack() as stack:
        networks = [stack.enter_context(network(own_cluster.port)) for _ in range(4 if is_long else 2)]
        here = stack.enter_context(at_site(own_cluster.new_database(), tmp_path, processes=PROCESSES))
        for process in PROCESSES:
            here.sandbox.set_fault("slow", process, times=None, seconds=0.05)
        yield Storm(
            here=here,
            cluster=own_cluster,
            networks=networks,
            chance=random.Random(seed),
            dead=6.0 if is_long else 2.0,
            calls=12 if is_long else 4,
        )


def test_nothing_happens_twice_and_no_run_is_lost_in_a_storm(
    storm: Storm, request: pytest.FixtureRequest, record_property: Callable[[str, object], None]
) -> None:
    is_long = request.config.getoption("--long")
    kills = int(os.environ.get(KILLS, "1000")) if is_long else 3
    plan = [*["kill"] * kills, *(name for name, each in _OTHERS.items() for _ in range(1 + kills // each))]
    storm.chance.shuffle(plan)
    storm.blow(plan, pause=1.0 if is_long else 0.2)
    storm.calm_down()
    storm.end()
    found = proof(storm)
    troubles = {_COUNTED[name]: count for name, count in storm.troubles.items()}
    for name, count in {**troubles, **found.counts()}.items():
        record_property(f"{COUNTED}{name}", count)
    sys.stdout.write(f"{found}\n{found.times()}\n{storm.codes}\n")
    for row in (*found.green, *found.red):
        sys.stdout.write(f"{row}:\n{storm.events_of(row.partition(' ')[0])}\n")
    assert (found.repeated, found.green, found.red, found.flaws, found.held) == ([], [], [], [], [])
    assert {*found.states} <= {"passed", "unknown", "held"}
    assert found.states.total() == storm.added
    given = storm.settle()
    storm.end()
    settled = proof(storm)
    sys.stdout.write(f"{given} verdicts: {settled}\n")
    assert (settled.repeated, settled.green, settled.red, settled.unknown) == ([], [], [], 0)
