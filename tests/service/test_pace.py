import threading

from gates import Time

from runner.service.gate import OPEN, Deadline, Pace


def pace_of(rate: float, time: Time) -> Pace:
    return Pace(rate, clock=time.clock)


def test_calls_are_spaced_evenly_and_the_first_goes_at_once() -> None:
    time = Time()
    pace = pace_of(5, time)

    assert [round(pace.wait_for_turn(time), 6) for _ in range(4)] == [0.0, 0.2, 0.2, 0.2]
    assert time.waits == [0.2] * 3


def test_time_that_went_by_is_no_credit() -> None:
    time = Time()
    pace = pace_of(5, time)
    pace.wait_for_turn(time)
    time.now += 60

    for _ in range(3):
        pace.wait_for_turn(time)
    assert time.waits == [0.2] * 2


def test_a_wait_ends_where_the_call_is_not_wanted_any_more() -> None:
    time = Time(stops_at=101.0)
    pace = pace_of(0.5, time)
    pace.wait_for_turn(time)

    assert pace.wait_for_turn(time) == 1.0
    assert time.waits == [2.0]


def test_a_wait_that_is_cut_short_goes_on_where_the_call_is_wanted() -> None:
    class Restless(Time):
        def wait(self, seconds: float) -> None:
            super().wait(seconds / 2 if seconds > 0.5 else seconds)

    time = Restless()
    pace = pace_of(0.5, time)
    pace.wait_for_turn(time)

    assert pace.wait_for_turn(time) == 2.0
    assert time.waits == [1.0, 0.5, 0.5]


def test_threads_have_turns_of_their_own_and_leave_no_gap_where_they_give_up() -> None:
    pace = Pace(10, clock=lambda: 0.0)
    all_wait = threading.Barrier(7)
    waits: list[float] = []

    class Once(Time):
        """Is wanted until it has waited, together with all others."""

        def is_wanted(self) -> bool:
            return not self.waits

        def wait(self, seconds: float) -> None:
            super().wait(seconds)
            waits.append(round(seconds, 6))
            all_wait.wait(300)

    threads = [threading.Thread(target=pace.wait_for_turn, args=(Once(),)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(waits) == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]
    all_wait = threading.Barrier(1)
    pace.wait_for_turn(Once())
    assert waits[7:] == [0.1]


def test_what_a_part_of_a_call_waits_for_is_time_of_neither() -> None:
    """As a sign-in, which has a time of its own, and waits for the pace of its site, too."""
    whole = Deadline(at=100.0, seconds=100.0, gate=OPEN)
    part = whole.within(10.0, now=0.0)
    assert (part.at, part.seconds) == (10.0, 10.0)
    part.put_off(30.0)
    assert (part.at, whole.at) == (40.0, 130.0)
    assert whole.within(None, now=0.0) is whole.within(130.0, now=0.0) is whole
