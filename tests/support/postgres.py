"""A real PostgreSQL of the tests' own, shared by all workers of one session of pytest. Debian's package is installed
where that may be; where not, these tests fail and say what is missing.

The server is the child of a process that waits until nobody holds the lock on its folder any more: then it ends the
server and deletes the folder, also where pytest was killed.
"""

import fcntl
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import psycopg
import pytest

from runner.fleet import database

PACKAGE = "postgresql"
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "fsync": "off",  # a loss of power is not what these tests try
    "full_page_writes": "off",
}
_TEMPLATE = "fleet_template"
_UNUSED = "unused"
"""The files of a server that nobody has started, in the folder of the one that all share."""
_NEEDED = "the tests of the fleet need PostgreSQL"
_numbers = count(1)
_children: list[subprocess.Popen[bytes]] = []
"""Processes that outlive this one; Python warns of any that is forgotten."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """A folder with a server's files, and the port that the server listens at. Everybody on this machine is let in."""

    folder: Path
    port: int

    def dsn(self, name: str) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{name}"

    def start(self) -> subprocess.Popen[bytes]:
        settings = [f"--{name}={value}" for name, value in {**_SETTINGS, "port": str(self.port)}.items()]
        with (self.folder / "log").open("ab") as log:
            server = subprocess.Popen(
                [_program("postgres"), "-D", str(self.folder / "data"), *settings],
                stdout=log,
                stderr=log,
                user=_user(),
            )
        _children.append(server)
        self.wait_until_up()
        return server

    def stop(self) -> None:
        """End the server at once, as a crash does; its files stay."""
        file = self.folder / "data" / "postmaster.pid"
        pid = int(file.read_text().split()[0])
        os.kill(pid, signal.SIGQUIT)
        next(child for child in _children if child.pid == pid).wait(300)

    def wait_until_up(self) -> None:
        ends = time.monotonic() + 300
        while True:
            try:
                psycopg.connect(self.dsn("postgres"), connect_timeout=5).close()
            except psycopg.OperationalError:
                if time.monotonic() > ends:
                    raise
                time.sleep(0.05)
            else:
                return

    def new_database(self) -> str:
        """The connection string of a database with all tables, and nothing in them."""
        name = f"fleet_{os.getpid()}_{next(_numbers)}"
        with psycopg.connect(self.dsn("postgres"), autocommit=True) as connection:
            connection.execute(f"create database {name} template {_TEMPLATE} strategy file_copy".encode())
        return self.dsn(name)

    def drop(self, dsn: str) -> None:
        """Delete a database, whoever is connected to it still: all of them together take much of a memory."""
        with psycopg.connect(self.dsn("postgres"), autocommit=True) as connection:
            connection.execute(f"drop database {dsn.rpartition('/')[2]} with (force)".encode())

    def make_template(self) -> None:
        with psycopg.connect(self.dsn("postgres"), autocommit=True) as connection:
            connection.execute(f"create database {_TEMPLATE}".encode())
        database.migrate(self.dsn(_TEMPLATE))


def _new_cluster(folder: Path) -> Cluster:
    """The files of a server that has not been started yet, and a copy of them for other servers."""
    _install()
    user = _own(folder)
    command = [_program("initdb"), "-D", str(folder / "data"), "-U", "postgres", "-A", "trust", "-E", "UTF8", "-N"]
    made = subprocess.run([*command, "--locale=C"], capture_output=True, text=True, check=False, user=user)
    if made.returncode:
        pytest.fail(f"PostgreSQL's `initdb` failed: {made.stderr.strip()}")
    _copy(folder / "data", folder / _UNUSED)
    return _at_free_port(folder)


def _own(folder: Path) -> str | None:
    """Give the folder to the user that runs the server; who that is."""
    user = _user()
    if user is not None:
        shutil.chown(folder, user)
    return user


def _copy(data: Path, to: Path) -> None:
    """With owners and permissions: it takes a tenth of the time of `initdb`."""
    subprocess.run(["cp", "-a", str(data), str(to)], check=True)


def _at_free_port(folder: Path) -> Cluster:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return Cluster(folder=folder, port=free.getsockname()[1])


@contextmanager
def shared_cluster(name: str) -> Iterator[Cluster]:
    """The cluster of a session, by the name that all its workers know. It is held until this process ends, however that
    happens, or the context does.
    """
    folder = Path(tempfile.gettempdir()) / f"creatio-runner-postgres-{name}"
    folder.mkdir(mode=0o755, exist_ok=True)
    with (folder / "users").open("ab") as users:
        with (folder / "making").open("ab") as making:
            fcntl.flock(making, fcntl.LOCK_EX)
            fcntl.flock(users, fcntl.LOCK_SH)
            port = folder / "port"
            if not port.exists():
                cluster = _new_cluster(folder)
                _start_apart(cluster)
                cluster.make_template()
                port.write_text(str(cluster.port))
        yield Cluster(folder=folder, port=int(port.read_text()))


def _start_apart(cluster: Cluster) -> None:
    command = [sys.executable, __file__, str(cluster.folder), str(cluster.port)]
    path = os.pathsep.join([str(Path(database.__file__).parents[2]), os.environ.get("PYTHONPATH", "")])
    null = subprocess.DEVNULL  # a worker of pytest talks over its own
    environment = {**os.environ, "PYTHONPATH": path}
    _children.append(
        subprocess.Popen(command, start_new_session=True, env=environment, stdin=null, stdout=null, stderr=null)
    )
    cluster.wait_until_up()


@pytest.fixture(scope="session")
def postgres(testrun_uid: str) -> Iterator[Cluster]:
    """The server of this session of pytest."""
    with shared_cluster(testrun_uid) as cluster:
        yield cluster


@pytest.fixture
def fleet(postgres: Cluster) -> Iterator[str]:
    """The connection string of a fleet's database that nobody else uses."""
    made = postgres.new_database()
    yield made
    postgres.drop(made)


@pytest.fixture
def own_cluster(postgres: Cluster) -> Iterator[Cluster]:
    """A server that the test may end; none is started yet. What the test leaves is ended here."""
    folder = Path(tempfile.mkdtemp(prefix="creatio-runner-postgres-own-"))
    folder.chmod(0o755)
    _own(folder)
    _copy(postgres.folder / _UNUSED, folder / "data")
    cluster = _at_free_port(folder)
    yield cluster
    with suppress(OSError, StopIteration):
        cluster.stop()
    shutil.rmtree(folder, ignore_errors=True)


def _program(name: str) -> str:
    """A program of the newest PostgreSQL that is installed; Debian has them beside the usual path."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: int(folder.parent.name))
    path = os.pathsep.join([*map(str, reversed(folders)), os.environ.get("PATH", "")])
    found = shutil.which(name, path=path)
    if found is None:
        pytest.fail(f"{_NEEDED}, and `{name}` is not there: `apt-get install {PACKAGE}` as root, or put it on the PATH")
    return found


def _install() -> None:
    with (Path(tempfile.gettempdir()) / "creatio-runner-postgres.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        is_there = shutil.which("initdb") or any(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
        if is_there or shutil.which("apt-get") is None or os.geteuid() != 0:
            return
        for command in (("update",), ("install", "-y", "--no-install-recommends", PACKAGE)):
            did = subprocess.run(("apt-get", *command), check=False, capture_output=True, text=True, timeout=900)
        if did.returncode:
            said = (did.stderr or did.stdout).strip().splitlines()
            pytest.fail(f"{_NEEDED}, and `apt-get install {PACKAGE}` failed: {said[-1] if said else 'it says nothing'}")


def _user() -> str | None:
    """Who the server belongs to, where that is not this user: PostgreSQL refuses to be started by root."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"


def _keep(cluster: Cluster) -> None:
    """Serve until nobody holds the lock of users any more."""
    server = cluster.start()
    with (cluster.folder / "users").open("rb") as users:
        fcntl.flock(users, fcntl.LOCK_EX)
    server.send_signal(signal.SIGINT)  # ends its sessions, and itself
    try:
        server.wait(20)
    except subprocess.TimeoutExpired:
        server.send_signal(signal.SIGQUIT)
        server.wait()
    shutil.rmtree(cluster.folder, ignore_errors=True)


if __name__ == "__main__":
    _keep(Cluster(folder=Path(sys.argv[1]), port=int(sys.argv[2])))
