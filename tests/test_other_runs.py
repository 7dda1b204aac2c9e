"""What other kept runs know of a site: which rows of its process log are theirs, and which may be."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from stories import World, not_sent, planned, refused, unanswered

from runner.engine.scope import RunFacts
from runner.hosts.local import LocalHost
from runner.hosts.stop import Stop
from runner.hosts.turns import Turn, Turns
from runner.journal import Journal
from runner.other_runs import LATE, Others, others
from runner.runs import EVENTS, PLAN
from runner.secrets.redact import Secrets

MINE = "0193a0c4-0000-7000-8000-000000000000"
BEGUN = 1_000_000.0
"""When ours began, in seconds since the epoch."""
SITE = "http://127.0.0.1"
STEP = "  - id: a\n    execute: {process: UsrA}\n"
Carry = Callable[..., None]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The folder of runs, in which our own has begun."""
    (tmp_path / MINE).mkdir()
    (tmp_path / MINE / PLAN).write_text("{}")
    os.utime(tmp_path / MINE / PLAN, (BEGUN, BEGUN))
    return tmp_path


@pytest.fixture
def carry(root: Path) -> Carry:
    def carried(world: World, steps: str = STEP, *, number: int = 1) -> None:
        run = f"0193a0c4-0000-7000-8000-00000000000{number}"
        facts = RunFacts(id=run, started_at="2026-01-31T09:00:00.000Z", engine="test")
        LocalHost(
            caller=world,
            journal=Journal(root / run, Secrets(), now=lambda: "2026-01-31T09:00:00.000Z"),
            stop=Stop(grace=30.0),
            turn=Turn(Turns()),
            ask=lambda _text, _stop, _seconds: True,
            draw=lambda: -1.0,
        ).carry(replace(planned(steps), settle=0.01), facts)

    return carried


def known(root: Path, url: str = SITE, process: str = "UsrA") -> Others:
    return others(root, process, run=MINE, url=url)


def test_a_start_that_was_found_in_the_log_is_taken(root: Path, carry: Carry) -> None:
    world = World()
    carry(world)
    assert known(root) == Others(taken=(str(world.rows[0]["id"]),))


@pytest.mark.parametrize(
    ("world", "steps"),
    [
        (World(), STEP + "    verify: none\n"),
        (World(answers=[unanswered()], lost=True), STEP),
        (World(answers=[refused()]), STEP),
    ],
    ids=["not looked for", "in doubt", "refused"],
)
def test_one_that_was_not_may_be_any(root: Path, carry: Carry, world: World, steps: str) -> None:
    carry(world, steps, number=2)
    assert known(root).rival
    assert not known(root, process="UsrB").rival


def test_a_call_that_never_left_is_no_start(root: Path, carry: Carry) -> None:
    step = STEP + "    verify: none\n    retry: {initial: 1ms}\n"
    carry(World(answers=[not_sent(), not_sent(), not_sent()]), step)
    assert known(root) == Others()


def test_runs_of_another_site_and_those_that_ended_long_before_ours_began_do_not_count(
    root: Path, carry: Carry
) -> None:
    carry(World())
    assert known(root, url="https://example.com") == Others()
    (events,) = root.glob(f"*/{EVENTS}")
    os.utime(events, (BEGUN - LATE + 1, BEGUN - LATE + 1))
    assert known(root) != Others()
    os.utime(events, (BEGUN - LATE - 1, BEGUN - LATE - 1))
    assert known(root) == Others()


def test_what_cannot_be_read_knows_nothing(root: Path) -> None:
    (root / "0193a0c4-0000-7000-8000-000000000009").mkdir()
    (root / "0193a0c4-0000-7000-8000-000000000009" / EVENTS).write_bytes(b"\x00{")
    assert known(root) == Others()
