import threading

from runner.service.pace import Pace


class Time:
    """A clock that only waiting moves."""

    def __init__(self) -> None:
        self.now = 100.0
        self.waits: list[float] = []

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds


def pace_of(rate: float, time: Time) -> Pace:
    return Pace(rate, clock=lambda: time.now, wait=time.wait)


def test_calls_are_spaced_evenly_and_the_first_goes_at_once() -> None:
    time = Time()
    pace = pace_of(5, time)

    assert all(pace.take_turn(200) for _ in range(4))
    assert [round(seconds, 6) for seconds in time.waits] == [0.2] * 3


def test_time_that_went_by_is_no_credit() -> None:
    time = Time()
    pace = pace_of(5, time)
    pace.take_turn(1000)
    time.now += 60

    for _ in range(3):
        pace.take_turn(1000)
    assert [round(seconds, 6) for seconds in time.waits] == [0.2] * 2


def test_a_turn_that_comes_too_late_is_not_waited_for_and_not_taken() -> None:
    time = Time()
    pace = pace_of(0.5, time)
    pace.take_turn(200)

    assert not pace.take_turn(101.9)
    assert not pace.take_turn(102.0)
    assert time.waits == []
    assert pace.take_turn(102.1)
    assert time.waits == [2.0]


def test_threads_have_turns_of_their_own() -> None:
    waits: list[float] = []
    pace = Pace(10, clock=lambda: 0.0, wait=waits.append)
    threads = [threading.Thread(target=pace.take_turn, args=(100,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(round(seconds, 6) for seconds in waits) == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]
