"""A connection to the database of a fleet, which comes back after an outage. No state of its session is relied on."""

import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar

from runner.fleet import database
from runner.fleet.database import Connection, NoDatabaseError, stored

if TYPE_CHECKING:
    import psycopg

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
        self._connection: Connection | None = None

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

    def attempt(self, do: Callable[[Connection], _R]) -> _R:
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

    def opened(self) -> Connection:
        """The connection itself, for a transaction."""
        if self._connection is None or self._connection.closed:
            self._connection = database.connect(self._dsn)
        return self._connection
