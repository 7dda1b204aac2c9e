"""Turns: two runs of one program never have the start of one process under way at the same time."""

import threading

import pytest
from msgspec.structs import replace

from runner.foundation.values import Json, items
from runner.hosts.stop import Stop
from runner.hosts.turns import LogReading, Turn, Turns
from runner.runs.evidence import LockHolder
from runner.service.calls import Answered, ReadRows


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


def test_whoever_waits_for_a_turn_stops_when_asked() -> None:
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


def test_a_run_that_is_left_leaves_its_turn_to_others() -> None:
    turns, stop = Turns(), Stop(grace=30.0)
    mine = Turn(turns)
    mine.take("UsrA", stop)
    mine.leave()
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


BEFORE = ReadRows(process="UsrA", schema_ids=("v1",), top=3)
AFTER = replace(BEFORE, since="2", top=200)


def rows(*numbers: int) -> list[Json]:
    return [{"id": f"r{number}", "started": str(number)} for number in numbers]


def handed_on(
    after: ReadRows = AFTER,
    shown: tuple[int, ...] = (3, 2),
    *,
    before: tuple[int, ...] = (2, 1),
    clear: bool = True,
    process: str = "UsrA",
) -> list[Json] | None:
    """What the next run gets of a log that shows the rows `before`, after a start `shown`."""
    turns, stop = Turns(), Stop(grace=1.0)
    first, second = Turn(turns), Turn(turns)
    first.take("UsrA", stop)
    first.read(BEFORE, Answered(value=rows(*before)), t=1.0)
    first.start(seconds=1.0)
    first.read(after, Answered(value=rows(*shown)), t=2.0)
    first.settle(clear=clear)
    first.give_back()
    second.take(process, stop)
    found = second.handed_on
    assert found is None or (found.call, found.t) == (BEFORE, 2.0)
    return None if found is None else items(found.answer.value)


def test_the_next_run_gets_the_newest_rows_as_if_it_had_read_the_log_itself() -> None:
    assert handed_on() == rows(3, 2, 1)
    assert handed_on(shown=(4, 3, 2)) == rows(4, 3, 2), "no more than it would ask for"
    assert handed_on(replace(AFTER, since=None), shown=(1,), before=()) == rows(1), "the log was empty"


def test_the_next_run_does_not_get_why_processes_failed() -> None:
    first = LogReading(call=replace(BEFORE, reasons=False), answer=Answered(value=rows(1)), t=1.0)
    secret: list[Json] = [{"id": "r2", "started": "2", "error": "token 1234"}]
    after = first.extended(replace(AFTER, since="1"), Answered(value=secret), t=2.0)
    assert after is not None
    assert after.answer.value == rows(2, 1)


@pytest.mark.parametrize(
    "after",
    [
        pytest.param(replace(AFTER, since="1"), id="since another row"),
        pytest.param(replace(AFTER, schema_ids=("v1", "v2")), id="of other versions"),
        pytest.param(replace(AFTER, top=2), id="perhaps not all"),
        pytest.param(replace(AFTER, process="UsrB"), id="of another process"),
    ],
)
def test_a_reading_that_shows_something_else_is_not_handed_on(after: ReadRows) -> None:
    assert handed_on(after) is None


def test_a_reading_is_not_handed_on_where_a_row_may_be_that_of_another_call() -> None:
    assert handed_on(clear=False) is None


def test_a_reading_of_a_run_that_has_not_asked_whose_the_rows_are_is_not_handed_on() -> None:
    turns, stop = Turns(), Stop(grace=1.0)
    first, second = Turn(turns), Turn(turns)
    first.take("UsrA", stop)
    first.read(BEFORE, Answered(value=rows(2, 1)), t=1.0)
    first.read(AFTER, Answered(value=rows(3, 2)), t=2.0)
    first.give_back()
    second.take("UsrA", stop)
    assert second.handed_on is None


def test_a_reading_is_of_no_use_for_another_process() -> None:
    assert handed_on(process="UsrB") is None


def test_what_was_read_before_the_last_start_is_not_handed_on() -> None:
    turns, stop = Turns(), Stop(grace=1.0)
    first, second = Turn(turns), Turn(turns)
    first.take("UsrA", stop)
    first.read(BEFORE, Answered(value=rows(2, 1)), t=1.0)
    first.read(AFTER, Answered(value=rows(2)), t=2.0)
    first.settle(clear=True)
    first.start(seconds=1.0)
    first.give_back()
    second.take("UsrA", stop)
    assert second.handed_on is None


class Shared:
    """Turns that another program has until it gives them back."""

    def __init__(self, *, taken: bool, is_first: bool = False) -> None:
        self.handed_on = {"UsrA": not is_first}
        self.taken = taken
        self.calls: list[str] = []

    def take(self, process: str, holder: LockHolder | None) -> bool:
        del process, holder
        return not self.taken

    def holder(self, process: str) -> LockHolder:
        return LockHolder(job="b@here", run="r-1", folder=f"/{process}")

    def extend(self, process: str, *, seconds: float) -> None:
        self.calls.append(f"{process} {seconds}")

    def give_back(self, process: str) -> None:
        self.calls.append(f"{process} free")


def test_a_run_waits_for_another_program_and_learns_whose_run_has_the_turn() -> None:
    shared, seen = Shared(taken=True), list[LockHolder | None]()

    def held_up(by: LockHolder | None) -> None:
        seen.append(by)
        shared.taken = False

    turn = Turn(Turns(lambda: shared), settle=15.0)
    assert turn.take("UsrA", Stop(grace=1.0), held_up=held_up)
    assert seen == [LockHolder(job="b@here", run="r-1", folder="/UsrA")]
    turn.start(seconds=100.0)
    turn.give_back()
    assert shared.calls == ["UsrA 115.0", "UsrA free"]


class Looks(Stop):
    """Between looks nothing passes; after so many of them the other program gives its turn back."""

    def __init__(self, shared: Shared, *, left: int) -> None:
        super().__init__(grace=1.0)
        self.shared = shared
        self.left = left

    def wait(self, seconds: float) -> None:
        del seconds
        self.left -= 1
        self.shared.taken = self.left > 0


@pytest.mark.parametrize(("looks", "notes"), [(1, 0), (4, 0), (5, 1), (50, 1)])
def test_a_wait_for_another_program_is_noted_once_and_only_where_it_takes_a_while(looks: int, notes: int) -> None:
    shared, seen = Shared(taken=True), list[LockHolder | None]()
    assert Turn(Turns(lambda: shared)).take("UsrA", Looks(shared, left=looks), held_up=seen.append)
    assert len(seen) == notes


def test_a_wait_for_a_run_of_this_program_and_then_for_another_program_is_noted_once() -> None:
    shared, seen = Shared(taken=False), list[LockHolder | None]()
    turns = Turns(lambda: shared)
    first = Turn(turns)
    assert first.take("UsrA", Stop(grace=1.0))

    def held_up(by: LockHolder | None) -> None:
        seen.append(by)
        shared.taken = True
        first.give_back()

    assert Turn(turns).take("UsrA", Looks(shared, left=50), held_up=held_up)
    assert seen == [None]


def test_a_stop_ends_the_wait_for_another_program_and_leaves_the_turn_to_other_runs() -> None:
    shared, stop = Shared(taken=True), Stop(grace=1.0)
    turns = Turns(lambda: shared)
    assert not Turn(turns).take("UsrA", stop, held_up=lambda _: stop.request("SIGINT"))
    shared.taken = False
    assert Turn(turns).take("UsrA", Stop(grace=1.0))


def test_a_wait_that_cannot_be_written_down_leaves_the_turn_to_other_runs() -> None:
    shared = Shared(taken=True)
    turns = Turns(lambda: shared)

    def fails(_: LockHolder | None) -> None:
        raise OSError("full")

    with pytest.raises(OSError, match="full"):
        Turn(turns).take("UsrA", Stop(grace=1.0), held_up=fails)
    shared.taken = False
    assert Turn(turns).take("UsrA", Stop(grace=1.0))


@pytest.mark.parametrize("is_first", [True, False])
def test_a_reading_is_handed_on_unless_another_program_had_the_turn_meanwhile(*, is_first: bool) -> None:
    turns, stop = Turns(lambda: Shared(taken=False, is_first=is_first)), Stop(grace=1.0)
    first, second = Turn(turns), Turn(turns)
    first.take("UsrA", stop)
    first.read(BEFORE, Answered(value=rows(2, 1)), t=1.0)
    first.start(seconds=1.0)
    first.read(AFTER, Answered(value=rows(3, 2)), t=2.0)
    first.settle(clear=True)
    first.give_back()
    second.take("UsrA", stop)
    assert (second.handed_on is None) is is_first
