"""What a site says of versions, and of who we are, is read once in a command, for all runs against it."""

import threading

from stories import not_sent, refused, unanswered

from runner.hosts.shared_answers import SharedAnswers, SharingCaller
from runner.service.calls import Answered, Call, Ending, FindFamily, ReadFamily, ReadRow, WhoAmI
from runner.service.gate import Gate


class Open:
    def written(self, request: object) -> None: ...

    def signed_in(self, kind: str, seconds: float) -> None: ...

    def is_wanted(self) -> bool:
        return True

    def may_leave(self) -> bool:
        return True

    def wait(self, seconds: float) -> None: ...


class Site:
    """Answers with the number of the call, or in turn with given answers."""

    def __init__(self, *endings: Ending) -> None:
        self.endings = list(endings)
        self.calls: list[Call] = []
        self.go = threading.Event()
        self.go.set()

    def perform(self, call: Call, seconds: float, *, gate: Gate) -> Ending:
        assert gate.may_leave()
        assert seconds > 0
        self.calls.append(call)
        assert self.go.wait(300)
        return self.endings.pop(0) if self.endings else Answered(value=f"{len(self.calls)}", date="now")


def asked(site: Site, known: SharedAnswers, call: Call) -> Ending:
    return SharingCaller(site, known).perform(call, 60.0, gate=Open())


FIND, READ = FindFamily(process="UsrA"), ReadFamily(root="r")


def test_runs_share_what_was_read_and_each_call_is_made_once() -> None:
    site, known = Site(), SharedAnswers()
    first = [asked(site, known, call) for call in (FIND, READ)]
    second = [asked(site, known, call) for call in (FIND, READ, FindFamily(process="UsrB"))]
    assert [ending.value for ending in (*first, *second) if isinstance(ending, Answered)] == ["1", "2", "1", "2", "3"]
    assert [ending.date for ending in second] == [None, None, "now"]


def test_a_fresh_answer_is_read_and_all_later_ones_have_it() -> None:
    site, known = Site(), SharedAnswers()
    asked(site, known, READ)
    assert asked(site, known, ReadFamily(root="r", fresh=True)) == Answered(value="2")
    assert asked(site, known, READ) == Answered(value="2")


def test_a_refusal_is_kept_and_what_was_not_answered_is_asked_again() -> None:
    site, known = Site(not_sent(), unanswered(), refused(403)), SharedAnswers()
    endings = [asked(site, known, FIND) for _ in range(4)]
    assert endings == [not_sent(), unanswered(), refused(403), refused(403)]
    assert len(site.calls) == 3


def test_a_refusal_that_may_pass_is_none_for_other_runs() -> None:
    site, known = Site(refused(501)), SharedAnswers()
    assert [asked(site, known, WhoAmI()) for _ in range(2)] == [refused(501), Answered(value="2", date="now")]


def test_other_calls_are_made_each_time() -> None:
    site, known = Site(), SharedAnswers()
    call = ReadRow(process_id="1")
    assert [asked(site, known, call) for _ in range(2)] == [Answered(value=text, date="now") for text in ("1", "2")]


def test_who_we_are_is_asked_once() -> None:
    site, known = Site(), SharedAnswers()
    assert [asked(site, known, WhoAmI()) for _ in range(2)] == [Answered(value="1", date="now"), Answered(value="1")]
    assert site.calls == [WhoAmI()]


def test_runs_side_by_side_wait_for_the_one_that_reads() -> None:
    site, known, found = Site(), SharedAnswers(), list[Ending]()
    site.go.clear()
    threads = [threading.Thread(target=lambda: found.append(asked(site, known, FIND))) for _ in range(8)]
    for thread in threads:
        thread.start()
    site.go.set()
    for thread in threads:
        thread.join(300)
    assert (found, site.calls) == ([Answered(value="1")] * 8, [FIND])
