"""What a database refuses for good, and how to mend that, by its codes: its words are in its own language.

libpq gives no code of a refused connection: it is asked again with a trace, on Linux only.
"""

import os
import select
import time
from collections.abc import Mapping
from typing import Any, Final

import psycopg
from psycopg import conninfo, pq

from runner.foundation.lazy import lazy_pattern

_SECONDS: Final = 5.0
_ACCESS: Final = "check the user, and whom the server lets in; a password goes into $PGPASSWORD or ~/.pgpass"
_LASTING: Final = {
    "3D000": "create the database, or correct the name at the end of its address",
    "28000": f"create the role, or correct the user in the address of the database; {_ACCESS}",
    "28P01": _ACCESS,
    "42501": "let the owner of the database grant the user this right",
}
"""What no repetition mends, by the SQLSTATE, and what does."""
_NOT_LET_IN: Final = f"check that role and database exist; {_ACCESS}; where it has too many connections, try again"
_NO_ATTEMPT: Final = "check the address; a service that it names has to be in the file that defines services"
_CODE: Final = lazy_pattern(rb'\tErrorResponse\t[^\n]*? C "([0-9A-Z]{5})"')


def mending_hint(error: psycopg.Error, parameters: Mapping[str, Any] | None = None) -> str:
    """Empty where the command may simply be repeated. `parameters` are those of a connection that failed."""
    if error.sqlstate is not None or parameters is None or isinstance(error, psycopg.errors.ConnectionTimeout):
        return _LASTING.get(error.sqlstate or "", "")
    if error.pgconn is not None and error.pgconn.needs_password:
        return _ACCESS
    address = conninfo.make_conninfo(**parameters).encode()
    if (code := _traced_code(address)) is not None:
        return _LASTING.get(code, "")
    return {pq.Ping.OK: _NOT_LET_IN, pq.Ping.NO_ATTEMPT: _NO_ATTEMPT}.get(pq.Ping(pq.PGconn.ping(address)), "")


def _traced_code(address: bytes) -> str | None:
    """The SQLSTATE with which the server refuses a connection. The trace holds passwords, and is never written."""
    if not hasattr(os, "memfd_create"):
        return None
    trace = os.memfd_create("trace")
    connection = pq.PGconn.connect_start(address)
    try:
        connection.trace(trace)
        _finish(connection)
        connection.untrace()
        found = _CODE.search(os.pread(trace, 1 << 16, 0))
    except psycopg.NotSupportedError:
        return None
    finally:
        connection.finish()
        os.close(trace)
    return None if found is None else found[1].decode()


def _finish(connection: pq.abc.PGconn) -> None:
    """Let the connection come about, or fail."""
    ends = time.monotonic() + _SECONDS
    while (left := ends - time.monotonic()) > 0:
        match connection.connect_poll():
            case pq.PollingStatus.READING:
                select.select([connection.socket], [], [], left)
            case pq.PollingStatus.WRITING:
                select.select([], [connection.socket], [], left)
            case _:
                return
