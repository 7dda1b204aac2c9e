"""Locks with a name, held by real processes: who has one, since when, and that it ends with the process."""

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace

from runner.foundation.private_files import state_folder
from runner.runs.files.locks import FileLock, hold
from runner.runs.store import Claim, Holder, StoreError, Taken

pytestmark = pytest.mark.slow

CLAIM = Claim(name="orders", site="https://a.creatio.com")
ME = Holder(pid=os.getpid(), run="0194", job="nightly", since="2026-01-31T09:00:00Z", command="runner run x")

PROGRAM = """
import os, sys
from pathlib import Path
from runner.runs.files.locks import hold
from runner.runs.store import Claim, Holder
holder = Holder(pid=os.getpid(), run="0195", job="ordérs", since="2026-01-31T08:00:00Z", command="runner run specs")
lock = hold(Claim(name=sys.argv[2], site=sys.argv[3]), holder, folder=Path(sys.argv[1]), wait=lambda _: False)
print(type(lock).__name__, flush=True)
sys.stdin.readline()
lock.release()
print("released", flush=True)
sys.stdin.readline()
"""


def never(_seconds: float) -> bool:
    raise AssertionError("nobody asked to wait")


def held(folder: Path, claim: Claim = CLAIM) -> FileLock | Taken:
    return hold(claim, ME, folder=folder, wait=never)


@contextmanager
def another_process(folder: Path, claim: Claim = CLAIM) -> Iterator[subprocess.Popen[str]]:
    """One that holds the lock until it is asked to end, or killed."""
    words = [sys.executable, "-c", PROGRAM, str(folder), claim.name, claim.site]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert heard(child) == "FileLock"
        yield child
        child.kill()


def heard(child: "subprocess.Popen[str]") -> str:
    assert child.stdout is not None
    return child.stdout.readline().strip()


def end(child: "subprocess.Popen[str]") -> None:
    assert child.stdin is not None
    child.stdin.write("\n")
    child.stdin.flush()


def test_a_lock_that_another_process_holds_says_who_and_since_when(tmp_path: Path) -> None:
    with another_process(tmp_path) as child:
        holder = Holder(
            pid=child.pid, run="0195", job="ordérs", since="2026-01-31T08:00:00Z", command="runner run specs"
        )
        assert held(tmp_path) == Taken(holder=holder)


def test_a_lock_ends_with_the_process_however_it_ends(tmp_path: Path) -> None:
    with another_process(tmp_path) as child:
        child.kill()
        child.wait()
        (file,) = tmp_path.iterdir()
        assert b"0195" in file.read_bytes(), "what the dead one said is still there, and is not believed"
        lock = held(tmp_path)
    assert isinstance(lock, FileLock)
    lock.release()


def test_a_released_lock_is_free_and_says_nothing_of_its_holder(tmp_path: Path) -> None:
    with another_process(tmp_path) as child:
        end(child)
        assert heard(child) == "released"
        (file,) = tmp_path.iterdir()
        assert file.read_bytes() == b""
        assert isinstance(held(tmp_path), FileLock)


def test_a_lock_can_be_released_twice_and_taken_again(tmp_path: Path) -> None:
    lock = held(tmp_path)
    assert isinstance(lock, FileLock)
    assert held(tmp_path) == Taken(holder=ME)
    lock.release()
    again = held(tmp_path)
    lock.release()
    assert isinstance(again, FileLock)
    assert held(tmp_path) == Taken(holder=ME)
    again.release()


@pytest.mark.parametrize(
    "other",
    [
        replace(CLAIM, name="contacts"),
        replace(CLAIM, site="https://b.creatio.com"),
        Claim(name="orders", site="/a"),
        replace(CLAIM, site="https://a.creatio.com/B"),
        replace(CLAIM, site="https://a.creatio.com/b"),
    ],
)
def test_another_name_or_another_site_is_another_lock(tmp_path: Path, other: Claim) -> None:
    with another_process(tmp_path):
        assert isinstance(held(tmp_path, other), FileLock)


@pytest.mark.parametrize(
    "site", ["https://a.creatio.com/", "https://A.creatio.COM", "https://a.creatio.com:443", "https://a.creatio.com."]
)
def test_one_site_written_differently_is_one_lock(tmp_path: Path, site: str) -> None:
    assert replace(CLAIM, site=site) == CLAIM
    with another_process(tmp_path):
        assert isinstance(held(tmp_path, replace(CLAIM, site=site)), Taken)


def test_paths_that_differ_in_case_alone_are_different_sites() -> None:
    assert Claim(name="a", site="https://A.example/App") != Claim(name="a", site="https://a.example/app")
    assert Claim(name="a", site="/srv/App") != Claim(name="a", site="/srv/app")


def test_who_waits_gets_the_lock_when_it_is_released(tmp_path: Path) -> None:
    waited: list[float] = []
    with another_process(tmp_path) as child:

        def wait(seconds: float) -> bool:
            waited.append(seconds)
            end(child)
            return heard(child) == "released"

        lock = hold(CLAIM, ME, folder=tmp_path, seconds=600, wait=wait)
    assert isinstance(lock, FileLock)
    assert len(waited) == 1
    assert 0 < waited[0] < 1


def test_who_has_waited_long_enough_is_reported_who_holds_it(tmp_path: Path) -> None:
    now = [0.0]
    waited: list[float] = []

    def wait(seconds: float) -> bool:
        waited.append(seconds)
        now[0] += seconds
        return True

    with another_process(tmp_path) as child:
        taken = hold(CLAIM, ME, folder=tmp_path, seconds=0.6, wait=wait, clock=lambda: now[0])
        assert isinstance(taken, Taken)
        assert taken.holder is not None
        assert taken.holder.pid == child.pid
    assert sum(waited) == pytest.approx(0.6)


def test_a_wait_that_is_called_off_ends_at_once(tmp_path: Path) -> None:
    with another_process(tmp_path):
        assert isinstance(hold(CLAIM, ME, folder=tmp_path, seconds=600, wait=lambda _: False), Taken)


def test_two_processes_that_both_want_it_get_it_one_after_the_other(tmp_path: Path) -> None:
    program = """
import sys, time
from pathlib import Path
from runner.runs.files.locks import FileLock, hold
from runner.runs.store import Claim, Holder
holder = Holder(pid=1, run="", job="", since="", command="")
log = Path(sys.argv[1]) / "log"
for _ in range(5):
    lock = hold(Claim(name="a", site="b"), holder, folder=Path(sys.argv[1]) / "locks", seconds=60,
                wait=lambda s: time.sleep(0.01) or True)
    assert isinstance(lock, FileLock), lock
    with log.open("a") as file:
        file.write("in ")
    time.sleep(0.01)
    with log.open("a") as file:
        file.write("out ")
    lock.release()
"""
    children = [subprocess.Popen([sys.executable, "-c", program, str(tmp_path)]) for _ in range(2)]
    assert [child.wait() for child in children] == [0, 0]
    assert (tmp_path / "log").read_text() == "in out " * 10


@pytest.mark.parametrize(
    "said", [b"", b"{", b"[1]", b'{"pid": "1"}', b"\xff", b"[" * 100_000], ids=lambda said: repr(said[:8])
)
def test_a_holder_that_cannot_be_read_is_a_holder_all_the_same(tmp_path: Path, said: bytes) -> None:
    with another_process(tmp_path):
        (file,) = tmp_path.iterdir()
        file.write_bytes(said)
        assert held(tmp_path) == Taken(holder=None)


def test_the_locks_are_private(tmp_path: Path) -> None:
    folder = tmp_path / "state" / "creatio-runner" / "locks"
    assert isinstance(held(folder), FileLock)
    (file,) = folder.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(folder.parent.stat().st_mode) == 0o700


def test_where_no_lock_is_to_be_had_a_sentence_says_why(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=f"^{tmp_path / 'file'}: File exists$"):
        held(tmp_path / "file" / "locks")


def test_a_lock_that_cannot_name_its_holder_is_still_one(tmp_path: Path) -> None:
    program = PROGRAM.replace("lock = hold", "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
                              " resource.setrlimit(resource.RLIMIT_FSIZE, (5, 5)); lock = hold")  # fmt: skip
    words = [sys.executable, "-B", "-c", program, str(tmp_path), CLAIM.name, CLAIM.site]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert heard(child) == "FileLock"
        assert held(tmp_path) == Taken(holder=None)
        child.kill()


@pytest.mark.parametrize(
    ("environment", "windows", "expected"),
    [
        ({}, False, "/home/me/.local/state/creatio-runner"),
        ({"XDG_STATE_HOME": "/state"}, False, "/state/creatio-runner"),
        ({"XDG_STATE_HOME": "state"}, False, "/home/me/.local/state/creatio-runner"),
        ({"XDG_STATE_HOME": "", "LOCALAPPDATA": "/local"}, False, "/home/me/.local/state/creatio-runner"),
        ({"LOCALAPPDATA": "/local"}, True, "/local/creatio-runner"),
        ({}, True, "/home/me/AppData/Local/creatio-runner"),
    ],
)
def test_what_all_folders_of_runs_share_lies_in_the_users_own_state_folder(
    environment: dict[str, str], expected: str, *, windows: bool
) -> None:
    assert state_folder(environment, home=Path("/home/me"), windows=windows) == Path(expected)
