"""The tables of a fleet are made once, and a program that they do not fit refuses them; the tests' own server ends."""

import os
import re
import signal
import socketserver
import struct
import subprocess
import sys
import threading
import time
import traceback
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from postgres import Cluster

from runner.fleet import database
from runner.fleet.database import NoDatabaseError, SchemaError
from runner.fleet.orders import OrderKind


def test_migrating_makes_the_tables_once(postgres: Cluster) -> None:
    with psycopg.connect(postgres.dsn("postgres"), autocommit=True) as connection:
        connection.execute("create database migrated")
    dsn = postgres.dsn("migrated")
    with database.connect(dsn) as connection, pytest.raises(SchemaError, match="no tables of the runner"):
        database.check(connection)
    assert [database.migrate(dsn), database.migrate(dsn)] == [True, False]
    with database.connect(dsn) as connection:
        database.check(connection)
        found = connection.execute("select distinct schemaname from pg_tables where tablename ~ 'runs|procrastinate'")
        assert found.fetchall() == [("runner",)], "nothing lies in the schema that others use"


def test_the_tables_take_each_kind_of_order_and_no_other() -> None:
    schema = Path(database.__file__).with_name("schema.sql").read_text()
    orders = schema.partition("create table runner.orders")[2]
    check = re.search(r"check \(kind in \(([^)]*)\)\)", orders)

    assert check is not None
    assert re.findall(r"'(\w+)'", check[1]) == [*OrderKind]


def test_tables_of_another_version_are_refused(fleet: str) -> None:
    with database.connect(fleet) as connection:
        connection.execute("update meta set version = 99")
        with pytest.raises(SchemaError, match="of version 99, and this program knows version 1") as newer:
            database.check(connection)
        assert newer.value.problems[0].hint == "update this program"
        connection.execute("update meta set version = 0")
        with pytest.raises(SchemaError) as older:
            database.check(connection)
        assert "in a new database" in str(older.value.problems[0].hint)


def test_migrating_touches_no_newer_tables(fleet: str) -> None:
    with database.connect(fleet) as connection:
        connection.execute("update meta set version = 99")
    with pytest.raises(SchemaError, match="knows version 1"):
        database.migrate(fleet)


def test_a_newer_version_of_the_queue_brings_its_migrations_along(fleet: str) -> None:
    with database.connect(fleet) as connection:
        newest = connection.execute("select carrier from meta").fetchone()
        connection.execute("update meta set carrier = '03.04.00_01_pre_add_retry_failed_job_procedure.sql'")
    assert database.migrate(fleet)
    with database.connect(fleet) as connection:
        assert connection.execute("select carrier from meta").fetchone() == newest


def test_a_database_that_is_not_there_is_named_without_its_password() -> None:
    dsn = "postgresql://me:s3cret@127.0.0.1:1/fleet"
    with pytest.raises(NoDatabaseError, match=r"the database: .*refused") as caught:
        database.connect(dsn)
    assert "s3cret" not in str(caught.value)
    assert database.shown(dsn) == "postgresql://me@127.0.0.1:1/fleet"
    with pytest.raises(SchemaError, match="no connection string"):
        database.connect("not one")


@pytest.mark.parametrize(
    "dsn",
    [
        "postgres//ro:s3cret@127.0.0.1",
        "postgresql:/ro:s3cret@127.0.0.1/x",
        "postgresql://ro:s3cret%zz@127.0.0.1/x",
        "postgresql://ro:s3cret@[::1/x",
        "postgresql://ro:s3cret/more@127.0.0.1/x",
        "postgresql://ro:123/s3cret@127.0.0.1/x",
        "postgresql://ro:more@s3cret@127.0.0.1/x",
        "postgresql://127.0.0.1,b:s3cret/x",
        "user=ro password=more s3cret",
    ],
)
def test_a_mistyped_address_is_reported_without_what_may_be_its_password(dsn: str) -> None:
    with pytest.raises(SchemaError) as caught:
        database.connect(dsn)
    hint = str(caught.value.problems[0].hint)
    assert "s3cret" not in "".join(traceback.format_exception(caught.value)) + hint
    assert "%25" in hint


def test_an_address_of_several_servers_and_one_with_an_encoded_password_are_connection_strings() -> None:
    assert database.shown("postgresql://a,b:5433/x?target_session_attrs=any") == "postgresql://a,b:,5433/x"
    assert database.parameters("postgresql://me:a%40b%2Fc%25d@h/x")["password"] == "a@b/c%d"
    assert database.shown("host=/run/postgresql dbname=x user=me") == "postgresql://me@/run/postgresql/x"


@contextmanager
def refusing(code: str) -> Iterator[str]:
    """A server that refuses each connection in German; its address."""
    fields = f"SSCHWERWIEGEND\0VFATAL\0C{code}\0MSo geht das nicht, »Rolle« und »Datenbank« gibt es nicht\0\0".encode()

    class Refusing(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            while (head := self.request.recv(8)) != b"":
                length, version = struct.unpack("!ii", head)
                self.request.recv(length - 8)
                if version == 196608:  # 3.0: a startup message; the others ask for TLS or GSS
                    self.request.sendall(b"E" + struct.pack("!i", len(fields) + 4) + fields)
                    return
                self.request.sendall(b"N")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Refusing) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"postgresql://me@127.0.0.1:{server.server_address[1]}/fleet"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        ("3D000", "create the database"),
        ("28000", "create the role"),
        ("28P01", "check the user"),
        ("42501", "grant the user this right"),
        ("53300", ""),
        ("57P03", ""),
    ],
)
def test_what_a_server_refuses_for_good_is_known_by_its_code_whatever_language_it_speaks(code: str, hint: str) -> None:
    with refusing(code) as dsn, pytest.raises(NoDatabaseError, match="So geht das nicht") as caught:
        database.connect(dsn)
    assert hint in caught.value.hint
    assert (caught.value.hint == "") == (hint == "")


def test_without_a_trace_it_is_known_that_the_server_answers_and_lets_nobody_in(
    fleet: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "memfd_create")
    with pytest.raises(NoDatabaseError) as caught:
        database.connect(fleet.replace("postgres@", "nobody@"))
    assert "check that role and database exist" in caught.value.hint
    with pytest.raises(NoDatabaseError) as caught:
        database.connect("postgresql://me@127.0.0.1:1/x")
    assert caught.value.hint == ""


def test_an_address_that_names_a_service_which_nobody_defined_is_no_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGSERVICEFILE", "/nowhere")
    with pytest.raises(NoDatabaseError) as caught:
        database.connect("service=absent")
    assert "service" in caught.value.hint


@pytest.mark.slow
def test_the_server_of_the_tests_ends_with_a_session_that_was_killed(tmp_path: Path) -> None:
    name = uuid.uuid4().hex
    held = tmp_path / "held"
    code = f"""
from pathlib import Path; import time; from postgres import shared_cluster
with shared_cluster({name!r}) as cluster:
    Path({str(held)!r}).write_text(str(cluster.folder)); time.sleep(600)
"""
    path = os.pathsep.join([*sys.path, str(Path(__file__).parents[1] / "support")])
    session = subprocess.Popen([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": path})
    _until(lambda: held.exists() and held.read_text() != "")
    folder = Path(held.read_text())
    server = int((folder / "data" / "postmaster.pid").read_text().split()[0])
    session.send_signal(signal.SIGKILL)
    session.wait()
    _until(lambda: not folder.exists())
    with pytest.raises(ProcessLookupError):
        os.kill(server, 0)


def _until(condition: Callable[[], bool]) -> None:
    ends = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.02)
