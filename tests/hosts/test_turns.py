"""Turns: two runs of one program never have the start of one process under way at the same time."""

import threading

from runner.hosts.stop import Stop
from runner.hosts.turns import Turn, Turns
from runner.runs.evidence import LockHolder


def test_a_turn_is_had_by_one_and_waited_for_by_the_other() -> None:
    turns, stop, order = Turns(), Stop(grace=30.0), ["first"]
    first, second = Turn(turns), Turn(turns)
    assert first.take("UsrA", stop)

    def wait() -> None:
        second.take("UsrA", stop)
        order.append("second")

    waiting = threading.Thread(target=wait)
    waiting.start()
    order.append("given back")
    first.give_back()
    waiting.join(300)
    assert order == ["first", "given back", "second"]


def test_a_run_keeps_its_turn_and_other_processes_are_free() -> None:
    turns, stop = Turns(), Stop(grace=30.0)
    mine = Turn(turns)
    assert mine.take("UsrA", stop)
    assert mine.take("UsrA", stop)
    assert Turn(turns).take("UsrB", stop)


def test_whoever_waits_for_a_turn_stops_when_told() -> None:
    turns, stop = Turns(), Stop(grace=30.0)
    held = Turn(turns)
    held.take("UsrA", stop)
    stop.request("SIGINT")
    assert not Turn(turns).take("UsrA", stop)


def test_another_turn_gives_the_first_one_back() -> None:
    turns, stop = Turns(), Stop(grace=30.0)
    mine = Turn(turns)
    mine.take("UsrA", stop)
    mine.take("UsrB", stop)
    assert Turn(turns).take("UsrA", stop)


def test_giving_back_what_one_does_not_have_is_nothing() -> None:
    Turn(Turns()).give_back()


def test_who_waits_for_a_turn_learns_which_run_has_it() -> None:
    turns = Turns()
    stop = Stop(grace=1.0)
    holder = LockHolder(job="b@here", run="r-1")
    first = Turn(turns, holder)
    assert first.take("UsrA", stop)
    seen: list[LockHolder | None] = []

    def held_up(by: LockHolder | None) -> None:
        seen.append(by)
        first.give_back()

    assert Turn(turns).take("UsrA", stop, held_up=held_up)
    assert seen == [holder]
