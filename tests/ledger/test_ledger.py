"""What every ledger promises, whatever stores it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from ledgers import ONE, OTHER, PASSED, TWO, UNKNOWN, attempt, begin
from msgspec.structs import replace

from runner.ledger.file import LedgerFile
from runner.ledger.model import Ledger, LedgerError


@pytest.fixture(params=["file"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    assert request.param == "file"
    opened = LedgerFile(tmp_path / ".runner" / "ledger")
    yield opened
    opened.close()


def test_a_ledger_that_nobody_has_written_is_empty_and_reading_makes_none(ledger: Ledger) -> None:
    assert not ledger.exists()
    assert ledger.find([ONE.digest]) == {}
    assert ledger.newest() == ledger.unended() == []
    assert not ledger.exists()


def test_a_version_is_open_from_its_begin_to_its_end(ledger: Ledger) -> None:
    assert begin(ledger, ONE, "r1")
    (entry,) = ledger.unended()
    assert entry == ledger.find([ONE.digest, TWO.digest])[ONE.digest]
    assert (entry.version, entry.attempts, entry.last) == (ONE, 1, attempt("r1"))
    ledger.end("r1", UNKNOWN)
    ledger.end("r1", PASSED)
    assert ledger.unended() == []
    assert ledger.find([ONE.digest])[ONE.digest].last == attempt("r1", PASSED)


def test_of_two_that_have_seen_the_same_only_the_first_begins(ledger: Ledger) -> None:
    assert begin(ledger, ONE, "r1")
    assert not begin(ledger, ONE, "r2")
    ledger.end("r1", PASSED)
    assert not begin(ledger, ONE, "r3")
    assert begin(ledger, ONE, "r4", known=1)
    assert ledger.find([ONE.digest])[ONE.digest].attempts == 2


def test_another_version_of_the_title_has_to_end_first_unless_it_is_let_pass(ledger: Ledger) -> None:
    assert begin(ledger, ONE, "r1")
    assert not begin(ledger, TWO, "r2")
    assert begin(ledger, OTHER, "r3")
    assert begin(ledger, TWO, "r4", passing=frozenset({"r1"}))


def test_an_exception_in_the_context_of_begin_leaves_no_attempt(ledger: Ledger) -> None:
    with pytest.raises(ZeroDivisionError), ledger.begin(ONE, attempt("r1"), known=0):
        raise ZeroDivisionError
    assert ledger.find([ONE.digest]) == {}
    assert begin(ledger, ONE, "r1")


def test_what_is_released_was_never_attempted(ledger: Ledger) -> None:
    assert begin(ledger, ONE, "r1")
    ledger.release("r1")
    assert ledger.find([ONE.digest]) == {}
    assert begin(ledger, ONE, "r2")
    ledger.end("r2", UNKNOWN)
    assert begin(ledger, ONE, "r3", known=1)
    ledger.release("r3")
    assert ledger.find([ONE.digest])[ONE.digest].last == attempt("r2", UNKNOWN)


def test_what_is_adopted_has_passed_without_a_run(ledger: Ledger) -> None:
    ledger.adopt([ONE, OTHER], attempt(None, PASSED))
    assert ledger.find([ONE.digest, OTHER.digest])[OTHER.digest].last == attempt(None, PASSED)
    assert not begin(ledger, ONE, "r1")


def test_of_each_title_the_version_that_was_attempted_last_is_the_newest(ledger: Ledger) -> None:
    for version, run in ((ONE, "r1"), (TWO, "r2"), (OTHER, "r3")):
        begin(ledger, version, run)
        ledger.end(run, PASSED)
    assert [entry.version for entry in ledger.newest()] == [TWO, OTHER]
    begin(ledger, ONE, "r4", known=1)
    assert [entry.version for entry in ledger.newest()] == [ONE, OTHER]


def test_what_is_pruned_is_left_out_and_still_known_until_it_begins_again(ledger: Ledger) -> None:
    for version, run in ((ONE, "r1"), (TWO, "r2")):
        begin(ledger, version, run)
        ledger.end(run, PASSED)
    ledger.prune([TWO.digest])
    assert ledger.newest() == []
    assert set(ledger.find([ONE.digest, TWO.digest])) == {ONE.digest, TWO.digest}
    begin(ledger, TWO, "r3", known=1)
    assert [entry.version for entry in ledger.newest()] == [TWO]


def test_more_versions_are_found_than_fit_in_a_statement(ledger: Ledger) -> None:
    many = [replace(ONE, digest=f"{number:064x}", job=f"j{number}") for number in range(1201)]
    ledger.adopt(many, attempt(None, PASSED))
    assert len(ledger.find([version.digest for version in many])) == 1201
    with pytest.raises(LedgerError):
        ledger.adopt([ONE], replace(attempt("r1"), began_at=None))
