"""What every ledger promises, whatever stores it."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from ledgers import ONE, OTHER, PASSED, R1, R2, R3, R4, TWO, UNKNOWN, attempt, begin, claim
from msgspec.structs import replace

from runner.ledger.database import FleetLedger
from runner.ledger.file import LedgerFile
from runner.ledger.model import Ledger, LedgerError
from runner.runs.events import RunStatus


@pytest.fixture(params=["file", "fleet"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    if request.param == "file":
        opened: Ledger = LedgerFile(tmp_path / ".runner" / "ledger")
    else:
        opened = FleetLedger(request.getfixturevalue("fleet"), fleet="ours")
    yield opened
    opened.close()


def test_a_ledger_that_nobody_has_written_is_empty_and_reading_makes_none(ledger: Ledger) -> None:
    assert not ledger.exists()
    assert ledger.find([ONE.digest]) == {}
    assert ledger.newest() == ledger.unsettled() == []
    assert not ledger.exists()


def test_a_version_is_open_from_its_begin_to_its_end(ledger: Ledger) -> None:
    assert begin(ledger, ONE, R1)
    (entry,) = ledger.unsettled()
    assert entry == ledger.find([ONE.digest, TWO.digest])[ONE.digest]
    assert (entry.version, entry.attempts, entry.last) == (ONE, 1, attempt(R1))
    ledger.end(R1, UNKNOWN)
    ledger.end(R1, PASSED)
    assert ledger.unsettled() == []
    assert ledger.find([ONE.digest])[ONE.digest].last == attempt(R1, PASSED)


def test_only_the_first_of_two_that_have_seen_the_same_begins(ledger: Ledger) -> None:
    assert begin(ledger, ONE, R1)
    assert not begin(ledger, ONE, R2)
    ledger.end(R1, PASSED)
    assert not begin(ledger, ONE, R3)
    assert begin(ledger, ONE, R4, known=1)
    assert ledger.find([ONE.digest])[ONE.digest].attempts == 2


def test_those_begin_that_nobody_has_begun_and_the_first_of_each_title(ledger: Ledger) -> None:
    assert begin(ledger, OTHER, R1)
    key = replace(ONE, digest="4" * 64, key="release 2")
    claims = [claim(ONE, R2), claim(OTHER, R3), claim(TWO, R4), claim(key, R4)]
    with ledger.begin(claims) as ours:
        assert ours == {ONE.digest}
    assert set(ledger.find([each.version.digest for each in claims])) == {ONE.digest, OTHER.digest}
    ledger.end(R2, PASSED)
    assert begin(ledger, key, R3)
    assert ledger.find([key.digest])[key.digest].version == key


def test_another_version_of_the_title_has_to_end_first_unless_it_is_let_pass(ledger: Ledger) -> None:
    assert begin(ledger, ONE, R1)
    assert not begin(ledger, TWO, R2)
    assert begin(ledger, OTHER, R3)
    assert begin(ledger, TWO, R4, passing=frozenset({R1}))


def test_an_exception_in_the_context_of_begin_leaves_no_attempt(ledger: Ledger) -> None:
    with pytest.raises(ZeroDivisionError), ledger.begin([claim(ONE, R1)]):
        raise ZeroDivisionError
    assert ledger.find([ONE.digest]) == {}
    assert begin(ledger, ONE, R1)


def test_what_is_released_was_never_attempted(ledger: Ledger) -> None:
    assert begin(ledger, ONE, R1)
    ledger.release(R1)
    assert ledger.find([ONE.digest]) == {}
    assert begin(ledger, ONE, R2)
    ledger.end(R2, UNKNOWN)
    assert begin(ledger, ONE, R3, known=1)
    ledger.release(R3)
    assert ledger.find([ONE.digest])[ONE.digest].last == attempt(R2, UNKNOWN)


def test_what_is_adopted_has_passed_without_a_run(ledger: Ledger) -> None:
    ledger.adopt([ONE, OTHER], attempt(None, PASSED))
    assert ledger.find([ONE.digest, OTHER.digest])[OTHER.digest].last == attempt(None, PASSED)
    assert not begin(ledger, ONE, R1)


def test_the_newest_version_of_a_title_is_the_one_that_was_attempted_last(ledger: Ledger) -> None:
    for version, run in ((ONE, R1), (TWO, R2), (OTHER, R3)):
        begin(ledger, version, run)
        ledger.end(run, PASSED)
    assert [entry.version for entry in ledger.newest()] == [TWO, OTHER]
    begin(ledger, ONE, R4, known=1)
    assert [entry.version for entry in ledger.newest()] == [ONE, OTHER]


def test_what_is_pruned_is_left_out_and_still_known_until_it_begins_again(ledger: Ledger) -> None:
    for version, run in ((ONE, R1), (TWO, R2)):
        begin(ledger, version, run)
        ledger.end(run, PASSED)
    ledger.prune([TWO.digest])
    assert ledger.newest() == []
    assert set(ledger.find([ONE.digest, TWO.digest])) == {ONE.digest, TWO.digest}
    begin(ledger, TWO, R3, known=1)
    assert [entry.version for entry in ledger.newest()] == [TWO]


def test_more_versions_are_found_than_fit_in_a_statement(ledger: Ledger) -> None:
    many = [replace(ONE, digest=f"{number:064x}", job=f"j{number}") for number in range(1201)]
    ledger.adopt(many, attempt(None, PASSED))
    assert len(ledger.find([version.digest for version in many])) == 1201
    with pytest.raises(LedgerError):
        ledger.adopt([ONE], replace(attempt(R1), began_at=None))


def test_two_fleets_of_a_database_do_not_see_each_other(fleet: str) -> None:
    with closing(FleetLedger(fleet, fleet="ours")) as ours, closing(FleetLedger(fleet, fleet="theirs")) as theirs:
        assert begin(ours, ONE, R1)
        assert not theirs.exists()
        assert theirs.find([ONE.digest]) == {}
        assert theirs.newest() == theirs.unsettled() == []
        theirs.prune([ONE.digest])
        theirs.end(R1, PASSED)
        theirs.release(R1)
        assert [entry.version for entry in ours.newest()] == [entry.version for entry in ours.unsettled()] == [ONE]
        assert begin(theirs, ONE, R2)


def test_the_runs_of_a_title_that_did_not_pass_are_known_back_to_the_last_that_did(ledger: Ledger) -> None:
    failed = replace(UNKNOWN, status=RunStatus.FAILED)
    assert ledger.not_passed(ONE) == []
    for version, run, end in ((TWO, R1, PASSED), (ONE, R2, failed), (TWO, R3, UNKNOWN)):
        assert begin(ledger, version, run, known=1 if run == R3 else 0)
        ledger.end(run, end)
    assert ledger.not_passed(ONE) == ledger.not_passed(TWO) == [(R2, RunStatus.FAILED), (R3, RunStatus.UNKNOWN)]
    for other in (replace(ONE, key="release 2"), replace(ONE, url="https://b.example"), OTHER):
        assert ledger.not_passed(other) == []
    assert begin(ledger, ONE, R4, known=1)
    assert ledger.not_passed(ONE)[-1] == (R4, None)
    ledger.adopt([ONE], attempt(None, PASSED))
    assert ledger.not_passed(ONE) == []
