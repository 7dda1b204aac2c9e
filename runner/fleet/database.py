"""The database of a fleet: its connection, and its tables in the schema `runner`.

No exception of psycopg leaves this room. The library is imported when it is needed: it takes 250 ms.
A `Link` comes back after an outage. No state of its session is relied on.
"""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar

from runner.foundation.lazy import lazy_pattern
from runner.foundation.problems import Problem, UsageError
from runner.runs.store import NotReachedError, StoreError

if TYPE_CHECKING:
    import psycopg

FleetConnection: TypeAlias = "psycopg.Connection[tuple[Any, ...]]"

SCHEMA: Final = 1  # the version of our own tables, `schema.sql`
_LOCK: Final = 7165  # of two programs that migrate at once the second waits
_SETTINGS: Final = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
    "application_name": "creatio-runner",
}
"""What notices within seconds that the server is gone. What the connection string names itself is left as it is."""
_MIGRATE: Final = "runner fleet migrate"

_GRANT: Final = (
    "grant usage on schema runner to {user}; "
    "grant select, insert, update, delete on all tables in schema runner to {user}; "
    "grant usage on all sequences in schema runner to {user}"
)
_LACKING: Final = """
select case kind when 'S' then 'sequence' else 'table' end, name, string_agg(right_, ', ' order by place),
  current_user, quote_ident(current_user)
from (
  select c.oid, c.relname as name, c.relkind as kind, right_, place from pg_class c, unnest(
    case c.relkind when 'S' then array['usage'] else array['select', 'insert', 'update', 'delete'] end
  ) with ordinality p (right_, place)
  where c.relnamespace = 'runner'::regnamespace and c.relkind in ('r', 'S')
) n
where not case kind when 'S' then has_sequence_privilege(oid, right_) else has_table_privilege(oid, right_) end
group by kind, name order by kind = 'S', name limit 1
"""
"""What a worker may not do with the first of the tables and sequences, of which its statements need all."""


_LAST_PORT: Final = 65_535
_URI: Final = lazy_pattern("postgres(ql)?://")
_FORM: Final = "write `postgresql://USER@HOST:5432/NAME`; a password goes into $PGPASSWORD or ~/.pgpass"
_ENCODED: Final = "in a user, and in a password, write `%` as `%25`, `@` as `%40` and `/` as `%2F`"


class NoDatabaseError(NotReachedError):
    """The database cannot be reached, or went away."""


class SchemaError(UsageError):
    """The tables are missing, of another version, or not to be written; `hint` says what to do."""

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(Problem(code="E151", message=message, hint=hint))


def load_library() -> None:
    """Raise `ImportError` where the library is not installed."""
    import psycopg  # noqa: F401, PLC0415  as above


def parameters(dsn: str) -> dict[str, Any]:
    """What psycopg connects with. Raises `SchemaError`, without libpq's words, which may be the password."""
    import psycopg  # noqa: PLC0415  as above

    try:
        given = psycopg.conninfo.conninfo_to_dict(dsn)
    except psycopg.ProgrammingError:
        raise SchemaError("this is no connection string of PostgreSQL", hint=f"{_FORM}; {_ENCODED}") from None
    _check_address(dsn, given)
    # to compile a statement takes longer than any of ours
    options = f"{given.get('options') or ''} -c search_path=runner -c jit=off".strip()
    return {**_SETTINGS, **given, "options": options}


def _check_address(dsn: str, given: Mapping[str, Any]) -> None:
    """Raise `SchemaError` for an address that takes a part of a password for a host, a port or a name."""
    _, _, address = dsn.partition("?")[0].partition("://")
    if _URI.match(dsn) and (address.count("@") > 1 or "@" in address.partition("/")[2]):
        raise SchemaError("the address of the database has an `@` too many", hint=_ENCODED)
    ports = str(given.get("port") or "").split(",")
    if any(port and not (port.isdecimal() and 0 < int(port) <= _LAST_PORT) for port in ports):
        raise SchemaError(
            f"the address of the database has a port that is no number from 1 to {_LAST_PORT}", hint=_ENCODED
        )


def shown(dsn: str) -> str:
    """The database as it may be shown, and as a command line may name it where the password is known otherwise."""
    given = parameters(dsn)
    user = f"{given['user']}@" if "user" in given else ""
    host = given.get("host") or given.get("hostaddr") or given.get("service") or "localhost"
    port = f":{given['port']}" if "port" in given else ""
    return f"postgresql://{user}{host}{port}/{given.get('dbname') or ''}"


def connect(dsn: str) -> FleetConnection:
    """A connection that commits each statement by itself. Raises `NoDatabaseError`."""
    import psycopg  # noqa: PLC0415  as above

    given = parameters(dsn)
    with stored(given):
        return psycopg.connect(**given, autocommit=True)


@contextmanager
def stored(parameters: Mapping[str, Any] | None = None) -> Iterator[None]:
    """An error of the database as an error of the store; with `parameters` of a connection to be made with them."""
    import psycopg  # noqa: PLC0415  as above

    from runner.fleet.refusals import mending_hint  # noqa: PLC0415  likewise

    try:
        yield
    except (psycopg.OperationalError, psycopg.InterfaceError) as error:
        raise NoDatabaseError(f"the database: {_first_line(error)}", hint=mending_hint(error, parameters)) from error
    except psycopg.Error as error:
        raise StoreError(f"the database: {_first_line(error)}", hint=mending_hint(error)) from error


def check(connection: FleetConnection) -> None:
    """Raise `SchemaError` where the tables are not those of this program."""
    with stored():
        version = _version(connection)
    if version is None:
        raise SchemaError("the database has no tables of the runner", hint=f"`{_MIGRATE}` makes them")
    if version != SCHEMA:
        message = f"the tables are of version {version}, and this program knows version {SCHEMA}"
        older = "use the version of this program that made them, or `runner fleet migrate` in a new database"
        raise SchemaError(message, hint="update this program" if version > SCHEMA else older)


def check_rights(connection: FleetConnection) -> None:
    """Raise `SchemaError` where the user of the connection may not do with the tables what a worker does."""
    with stored():
        row = connection.execute(_LACKING).fetchone()
    if row is not None:
        kind, name, missing, user, quoted = row
        message = f"permission denied for {kind} {name}: user `{user}` has no right to {missing}"
        raise SchemaError(message, hint=f"let the owner of the tables run `{_GRANT.format(user=quoted)}`")


def migrate(dsn: str) -> bool:
    """Make the tables, or migrate those of the queue; whether that was needed. Raises `SchemaError`."""
    with connect(dsn) as connection, stored(), connection.transaction():
        connection.execute("select pg_advisory_xact_lock(%s)", [_LOCK])
        version = _version(connection)
        if version is None:
            connection.execute("create schema if not exists runner")
            connection.execute((files("procrastinate") / "sql" / "schema.sql").read_bytes())
            connection.execute((files("runner.fleet") / "schema.sql").read_bytes())
            connection.execute("insert into meta (version, carrier) values (%s, %s)", [SCHEMA, _migrations()[-1]])
            return True
        check(connection)
        return _migrate_queue(connection)


def _migrate_queue(connection: FleetConnection) -> bool:
    """Migrations of the queue's own tables that came with a newer version of its library."""
    row = connection.execute("select carrier from meta").fetchone()
    assert row is not None
    newer = [name for name in _migrations() if name > row[0]]
    for name in newer:
        connection.execute((files("procrastinate") / "sql" / "migrations" / name).read_bytes())
        connection.execute("update meta set carrier = %s", [name])
    return bool(newer)


def _migrations() -> list[str]:
    folder = files("procrastinate") / "sql" / "migrations"
    return sorted(file.name for file in folder.iterdir() if file.name.endswith(".sql"))


def _version(connection: FleetConnection) -> int | None:
    found = connection.execute("select to_regclass('runner.meta')").fetchone()
    if found is None or found[0] is None:
        return None
    row = connection.execute("select version from meta").fetchone()
    return None if row is None else int(row[0])


def _first_line(error: Exception) -> str:
    """What the server, or the library, says first; it names no password."""
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


Cursor: TypeAlias = "psycopg.Cursor[tuple[Any, ...]]"
_R = TypeVar("_R")
_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 2.0


class Link:
    """A connection that is opened when it is needed, shared by threads. An outage is waited for, `patience` seconds."""

    def __init__(self, dsn: str, *, patience: float = 0.0) -> None:
        self._dsn = dsn
        self._patience = patience
        self._lock = threading.RLock()
        self._connection: FleetConnection | None = None

    def run(self, sql: str, values: Mapping[str, object] | None = None) -> Cursor:
        """Execute a statement in a transaction. Raises `StoreError`, `NoDatabaseError` for an outage.

        After a break it is executed again, and must do nothing if it was done before.
        """
        return self.attempt(lambda connection: connection.execute(sql.encode(), values))

    def records(self, kind: Callable[..., _R], sql: str, values: Mapping[str, object] | None = None) -> list[_R]:
        """The rows of a statement, with columns named as the arguments of `kind`."""
        cursor = self.run(sql, values)
        names = [column.name for column in cursor.description or ()]
        return [kind(**dict(zip(names, row, strict=True))) for row in cursor]

    def column(self, sql: str, values: Mapping[str, object]) -> list[str]:
        """The only column of a statement, of texts."""
        return [text for (text,) in self.run(sql, values)]

    def attempt(self, do: Callable[[FleetConnection], _R]) -> _R:
        """Do the same with several statements."""
        ends, pause = time.monotonic() + self._patience, _FIRST_PAUSE
        with self._lock:
            while True:
                try:
                    with stored():
                        return do(self.opened())
                except NoDatabaseError:
                    self.close()
                    if time.monotonic() + pause > ends:
                        raise
                time.sleep(pause)
                pause = min(_LONGEST_PAUSE, pause * 2)

    def close(self) -> None:
        with self._lock:
            connection, self._connection = self._connection, None
            if connection is not None:
                connection.close()

    def opened(self) -> FleetConnection:
        """The connection itself, for a transaction."""
        if self._connection is None or self._connection.closed:
            self._connection = connect(self._dsn)
        return self._connection
