"""What is said of a call that stays in doubt after the process log was read again."""

from collections.abc import Callable, Sequence

from runner.foundation.values import JsonObject
from runner.reports.rereadings import read_again
from runner.runs.events import AnyEvent, Asked, AttemptFailed, CallAnswered, CallSent, Line, Trouble

Chain = Callable[[Sequence[AnyEvent]], list[Line]]
READ = CallSent(t=0, key="pay", effect="read", call={"kind": "read_rows", "process": "UsrPay"})


def shown(*numbers: int) -> CallAnswered:
    rows: list[JsonObject] = [{"id": f"row-{number}", "started": f"10:0{number}"} for number in numbers]
    return CallAnswered(key="pay", t=1.0, value=[*rows])


def asked(**value: object) -> Asked:
    return Asked(key="pay", t=1.0, value={"taken": [], "rival": True, **value})


def said(chain: Chain, *later: AnyEvent) -> str:
    sent = CallSent(t=0, key="pay", effect="once", call={"kind": "execute", "process": "UsrPay"})
    earlier: list[AnyEvent] = [READ, shown(1), sent]
    (sentence,) = read_again(chain([*earlier, READ, shown(4, 3, 2, 1), *later]), ["pay"], since=len(earlier))
    return sentence.removeprefix("the process log was read again about `pay`: it shows ")


def test_starts_that_belong_to_other_calls_or_began_at_another_time_are_none_that_may_be_ours(chain: Chain) -> None:
    found = said(chain, asked(taken=["row-2"], rows=["row-3"]))
    beside = "(2 new of other calls, or at another time)"
    assert found == f"1 new start {beside} that may be ours, which is not certain: row-3 (10:03)"


def test_nothing_is_called_uncertain_of_a_call_that_is_known_to_have_happened(chain: Chain) -> None:
    known = Trouble(code="E402", message="it happened as process row-2, but its answer was lost")
    events: list[AnyEvent] = [READ, shown(2), AttemptFailed(key="pay", t=1.0, kind="in_doubt", error=known)]
    assert read_again(chain(events), ["pay"], since=0) == []


def test_starts_that_may_be_ours_are_named(chain: Chain) -> None:
    found = said(chain, asked(rows=["row-4", "row-3", "row-2"]))
    assert found == "3 new starts that may be ours, which is not certain: row-4 (10:04), row-3 (10:03), row-2 (10:02)"


def test_all_new_starts_of_an_earlier_journal_may_be_ours(chain: Chain) -> None:
    assert said(chain, asked()).startswith("3 new starts that may be ours, which is not certain: row-4 (10:04), ")


def test_what_an_earlier_command_was_answered_does_not_count(chain: Chain) -> None:
    assert said(chain, asked(rows=["row-3"]), READ, shown(4, 3, 2, 1)).startswith("3 new starts that ")
