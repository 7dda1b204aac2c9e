"""Of several processes that believe to have a run only the last that opened it can write; nothing is stored twice."""

from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

import pytest

from runner.fleet import database
from runner.fleet.database import FleetConnection, Link, NoDatabaseError
from runner.fleet.log import FencedLog
from runner.fleet.store import FleetStore
from runner.runs.events import CallAnswered, Paused, RunFinished, RunStatus
from runner.runs.journal import Journal, parse, utc_now
from runner.runs.store import FencedError, Part, StoreError
from runner.secrets.redact import Secrets

pytestmark = pytest.mark.slow

RUN = "01940000-0000-7000-8000-000000000000"
T = TypeVar("T")


@pytest.fixture
def store(fleet: str) -> Iterator[FleetStore]:
    made = FleetStore(fleet, worker="here")
    yield made
    made.close()


@pytest.fixture
def sql(fleet: str) -> Iterator[FleetConnection]:
    with database.connect(fleet) as connection:
        yield connection


def pause(seconds: float = 1.0) -> Paused:
    return Paused(key="a", t=seconds, seconds=seconds)


def events(store: FleetStore) -> bytes:
    return store.get(RUN, Part.EVENTS)


def test_a_run_that_another_process_has_opened_takes_no_line_of_the_first(store: FleetStore) -> None:
    first = store.create(RUN)
    first.append(b"one", durable=True)
    second = store.reopen(RUN)
    assert [*store.events(RUN)] == [b"one\n"]
    with pytest.raises(FencedError, match="another process has opened run 0194"):
        first.append(b"two", durable=True)
    second.append(b"three", durable=True)
    assert events(store) == b"one\nthree\n"
    first.link.close()
    second.close()


def test_a_journal_that_was_fenced_says_so_each_time(store: FleetStore) -> None:
    journal = Journal(store.create(RUN), Secrets(), now=utc_now)
    store.reopen(RUN).close()
    for _ in range(2):
        with pytest.raises(FencedError):
            journal.append(pause(), durable=True)
    with pytest.raises(FencedError):
        journal.commit()
    with pytest.raises(FencedError):
        journal.close()


def test_the_fence_is_checked_before_a_call_leaves_where_the_last_look_is_long_ago(
    store: FleetStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = store.create(RUN)
    log.append(b"one", durable=True)
    store.reopen(RUN).close()
    log.check_fence()  # what was stored a moment ago will do
    monkeypatch.setattr("runner.fleet.log._FRESH", 0.0)
    with pytest.raises(FencedError):
        log.check_fence()
    log.link.close()


def test_lines_wait_until_they_have_to_be_safe(store: FleetStore) -> None:
    log = store.create(RUN)
    log.append(b"one", durable=False)
    log.append(b"two", durable=False)
    assert (events(store), log.commits) == (b"", 0)
    log.append(b"three", durable=True)
    log.append(b"four", durable=False)
    log.commit()
    log.commit()
    assert (events(store), log.commits) == (b"one\ntwo\nthree\nfour\n", 2)
    log.close()


class Broken(Link):
    """A connection that breaks once: before a statement that appends is carried out, or before its answer comes."""

    def __init__(self, dsn: str, *, when: str) -> None:
        super().__init__(dsn, patience=30.0)
        self.when: str | None = when

    def attempt(self, do: Callable[[FleetConnection], T]) -> T:
        def once(connection: FleetConnection) -> T:
            if self.when == "before":
                self._break(connection)
            done = do(connection)
            if self.when == "after":
                self._break(connection)
            return done

        return super().attempt(once)

    def _break(self, connection: FleetConnection) -> None:
        self.when = None
        connection.execute("select pg_terminate_backend(pg_backend_pid())")


@pytest.mark.parametrize("when", ["before", "after"])
def test_an_append_whose_answer_was_lost_is_done_once(store: FleetStore, fleet: str, when: str) -> None:
    log = store.create(RUN)
    log.append(b"one", durable=True)
    log.link.close()
    log.link = Broken(fleet, when=when)
    log.append(b"two", durable=True)
    log.append(b"three", durable=True)
    assert events(store) == b"one\ntwo\nthree\n"
    log.close()


def test_an_outage_ends_in_a_sentence_where_nobody_waits_for_it(store: FleetStore, sql: FleetConnection) -> None:
    log = store.create(RUN)
    others = "pid <> pg_backend_pid() and datname = current_database()"  # the server has those of other tests, too
    sql.execute(f"select pg_terminate_backend(pid) from pg_stat_activity where {others}".encode())
    with pytest.raises(NoDatabaseError, match=r"the database: .*terminat|closed"):
        log.append(b"one", durable=True)
    assert events_later(store) == b""
    log.append(b"two", durable=True)
    assert events(store) == b"one\ntwo\n", "what was not stored is stored with the next line"
    log.close()


def events_later(store: FleetStore) -> bytes:
    try:
        return events(store)
    except StoreError:
        return events(store)


def test_the_row_of_a_run_says_how_it_ended_as_its_last_line_does(store: FleetStore, sql: FleetConnection) -> None:
    journal = Journal(store.create(RUN), Secrets(), now=utc_now)
    sql.execute("insert into ledger (digest, job, target, url, folder, title) values ('d', 'a', 'b', '', '', 'a@b')")
    sql.execute("insert into attempts (fleet, digest, run, began_at) values ('', 'd', %s, now())", [RUN])
    journal.append(RunFinished(t=2.5, status=RunStatus.FAILED, exit_code=1))
    row = sql.execute("select state, status, exit_code, seconds, seq, head from runs").fetchone()
    assert row == ("ended", "failed", 1, 2.5, 1, journal.head)
    assert sql.execute("select status, exit_code, ended_at is not null from attempts").fetchone() == ("failed", 1, True)
    journal.close()


def test_what_is_stored_is_what_a_file_would_hold(store: FleetStore) -> None:
    secrets = Secrets()
    secrets.add("inputs.token", "s3cret-token")
    journal = Journal(store.create(RUN), secrets, now=utc_now)
    for number in range(20):
        journal.append(CallAnswered(key="a", t=float(number), value="grün \ue000\x00 s3cret-token"))
    journal.close()
    reading = parse(store.events(RUN))
    assert (reading.flaw, reading.torn, reading.lines) == (None, False, tuple(journal.lines))
    assert b"s3cret" not in events(store)


def waiting(sql: FleetConnection, run: str, *needed: str) -> None:
    values: Mapping[str, object] = {"run": run, "needed": [*needed]}
    sql.execute("insert into runs (id, state, target) values (%(run)s, 'waiting', 'site')", values)
    sql.execute("insert into needs (run, needed) select %(run)s, unnest(%(needed)s::uuid[])", values)


def test_a_run_that_waits_is_queued_with_the_last_line_of_the_last_run_that_it_needs(
    store: FleetStore, sql: FleetConnection
) -> None:
    first, second, third = (f"{RUN[:-1]}{number}" for number in (1, 2, 3))
    logs: list[FencedLog] = [store.create(first), store.create(second)]
    waiting(sql, third, first, second)
    for log, queued in zip(logs, ([], [(third, "site")]), strict=True):
        Journal(log, Secrets(), now=utc_now).append(RunFinished(t=1.0, status=RunStatus.PASSED, exit_code=0))
        assert sql.execute("select args->>'run', queue_name from procrastinate_jobs").fetchall() == queued
        log.close()
    assert sql.execute("select state from runs where id = %s", [third]).fetchone() == ("queued",)


def test_a_run_that_waits_for_one_that_did_not_pass_goes_on_waiting(store: FleetStore, sql: FleetConnection) -> None:
    second = f"{RUN[:-1]}2"
    log = store.create(RUN)
    waiting(sql, second, RUN)
    Journal(log, Secrets(), now=utc_now).append(RunFinished(t=1.0, status=RunStatus.FAILED, exit_code=1))
    assert sql.execute("select state from runs where id = %s", [second]).fetchone() == ("waiting",)
    log.close()
