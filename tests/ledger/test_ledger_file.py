"""The ledger as a file: private, whole at any moment, and every way in which it cannot be used has its sentence."""

import errno
import os
import shutil
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest
from ledgers import ONE, OTHER, PASSED, R1, R2, attempt, begin, claim

from runner.ledger import file as ledger_file
from runner.ledger.file import LedgerFile
from runner.ledger.model import LedgerError


def refusal(file: Path) -> str:
    with closing(LedgerFile(file)) as ledger, pytest.raises(LedgerError) as refused:
        ledger.prepare()
    return f"{refused.value.why}; {refused.value.problems[0].hint}"


def test_it_is_one_private_file_when_nobody_writes(tmp_path: Path) -> None:
    file = tmp_path / "new" / "ledger"
    with closing(LedgerFile(file)) as ledger:
        begin(ledger, ONE, R1)
        assert [path.name for path in file.parent.iterdir()] == ["ledger"]
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700


def test_a_copy_holds_all_that_was_written(tmp_path: Path) -> None:
    with closing(LedgerFile(tmp_path / "ledger")) as ledger:
        begin(ledger, ONE, R1)
        ledger.end(R1, PASSED)
        shutil.copy(tmp_path / "ledger", tmp_path / "copy")
    with closing(LedgerFile(tmp_path / "copy")) as copy:
        assert copy.find([ONE.digest])[ONE.digest].last == attempt(R1, PASSED)


def test_a_file_of_somebody_else_is_refused_and_stays_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "ledger"
    file.write_text("no ledger at all, but some text that is long enough for the head of a database\n" * 20)
    assert "is no ledger, or is damaged" in refusal(file)
    assert "`--adopt` marks it as done" in refusal(file)
    file.unlink()
    with closing(sqlite3.connect(file)) as other:
        other.execute("CREATE TABLE version (a)")
        other.commit()
    assert "is a database of another program; name another file with `--ledger FILE`" in refusal(file)


def test_a_ledger_of_another_version_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "ledger"
    with closing(LedgerFile(file)) as ledger:
        ledger.prepare()
    with closing(sqlite3.connect(file)) as later:
        later.execute("PRAGMA user_version = 3")
    assert "was written by another version of this program; use the version that wrote it" in refusal(file)


def test_a_ledger_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "ledger"
    with closing(LedgerFile(file)) as ledger:
        begin(ledger, ONE, R1)
    os.truncate(file, file.stat().st_size // 2)
    with closing(LedgerFile(file)) as cut, pytest.raises(LedgerError, match="no ledger, or is damaged"):
        begin(cut, OTHER, R2)


def test_who_waits_for_another_program_too_long_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_file, "_PATIENCE", 0.05)
    file = tmp_path / "ledger"
    with closing(LedgerFile(file)) as first:
        first.prepare()
        with first.begin([claim(ONE, R1)]):
            assert "is used by another program: database is locked" in refusal(file)


def test_who_begins_waits_until_the_other_has_begun(tmp_path: Path) -> None:
    file = tmp_path / "ledger"
    found: list[bool] = []

    def second() -> None:
        with closing(LedgerFile(file)) as ledger:
            found.append(begin(ledger, ONE, R2))

    with closing(LedgerFile(file)) as ledger:
        ledger.prepare()
        with ledger.begin([claim(ONE, R1)]) as ours:
            thread = threading.Thread(target=second)
            thread.start()
            assert ours
        thread.join()
    assert found == [False]


def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert f"{tmp_path / 'file'}: File exists" in refusal(tmp_path / "file" / "ledger")
    assert "is a folder; name a file with `--ledger FILE`" in refusal(tmp_path)


def test_in_a_checkout_that_is_read_only_other_places_are_proposed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(Path, "touch", refuse)
    assert refusal(tmp_path / "ledger").endswith("; name files elsewhere with `--ledger FILE` and `--runs DIR`")


def test_no_way_round_the_ledger_of_another_user_is_proposed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "ledger"
    with closing(LedgerFile(file)) as ledger:
        begin(ledger, ONE, R1)

    def refuse(*_: object) -> None:
        raise OSError(errno.EACCES, "Permission denied", str(file))

    monkeypatch.setattr(Path, "exists", refuse)
    monkeypatch.setattr(os, "access", lambda *_: False)
    said = refusal(file)
    assert said.startswith(f"{file}: Permission denied; it is `{file.owner()}`'s; give the command as that user: ")
    assert "another ledger does not know what was applied" in said

    def has_no_name(_: Path) -> str:
        raise KeyError

    monkeypatch.setattr(Path, "owner", has_no_name)
    assert f"; it is `{file.stat().st_uid}`'s; give the command as that user: " in refusal(file)


def test_a_ledger_that_is_deleted_while_it_is_used_is_refused_and_not_made_anew(tmp_path: Path) -> None:
    file = tmp_path / "ledger"
    with closing(LedgerFile(file)) as ledger:
        begin(ledger, ONE, R1)
        file.unlink()
        with pytest.raises(LedgerError, match="was moved or deleted while this command used it"):
            ledger.end(R1, PASSED)
        with pytest.raises(LedgerError, match="was moved or deleted while this command used it"):
            begin(ledger, OTHER, R2)
    assert not file.exists()
