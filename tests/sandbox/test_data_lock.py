import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from running import PIPE, carried_out, start

from runner.foundation.problems import UsageError
from runner.sandbox.doubles import Doubles
from runner.sandbox.server import locked, served

Folder = Callable[[Mapping[str, str]], Path]
SERVICE = "/0/ServiceModel/ProcessEngineService.svc"


def test_a_second_sandbox_on_a_file_is_refused_and_leaves_the_first_ones_processes_alone(
    folder: Folder, signed_in: Callable[[str], httpx.Client], tmp_path: Path
) -> None:
    slow = folder({"a.process.yaml": "runner: 1\nprocess: UsrSlow\nactivities: [background: true, delay: 30s]"})
    data = tmp_path / "data.sqlite"
    with served(slow, data=data) as url:
        client = signed_in(url)
        client.get(f"{SERVICE}/UsrSlow/Execute")
        with pytest.raises(UsageError) as caught, served(slow, data=data):
            pass
        (row,) = client.get("/odata/SysProcessLog").json()["value"]
        assert row["CompleteDate"] is None
    (problem,) = caught.value.problems
    assert problem.code == "E100"
    assert problem.message == f"the sandbox cannot keep its data in {data}: another sandbox keeps its own there"
    assert problem.hint == "end that sandbox, or name another file"


def test_another_name_of_the_file_is_the_same_file(tmp_path: Path) -> None:
    data, link = tmp_path / "data.sqlite", tmp_path / "link.sqlite"
    with served(Doubles(), data=data):
        link.symlink_to(data)
        with pytest.raises(UsageError, match="another sandbox"), served(Doubles(), data=lambda _: link):
            pass


def test_a_sandbox_that_ended_leaves_nothing_but_its_data(tmp_path: Path) -> None:
    data = tmp_path / "data.sqlite"
    for _ in range(2):
        with served(Doubles(), data=data):
            pass
        assert list(tmp_path.iterdir()) == [data]


def test_files_side_by_side_are_two(tmp_path: Path) -> None:
    with served(Doubles(), data=tmp_path / "one"), served(Doubles(), data=tmp_path / "other"):
        pass


@pytest.mark.slow
def test_the_file_of_a_sandbox_that_was_killed_is_free(tmp_path: Path) -> None:
    data = tmp_path / "data.sqlite"
    command = ("sandbox", str(tmp_path), "--port", "0", "--data", str(data))
    with start(*command, stdout=PIPE) as program:
        try:
            assert program.out.readline().startswith(b"serving at ")
            second = carried_out(*command)
        finally:
            program.kill()
    assert second.returncode == 2
    assert "E100" in second.stderr
    with served(Doubles(), data=data):
        pass


def test_a_lock_that_its_holder_deletes_is_none_for_those_who_wait_for_it(tmp_path: Path) -> None:
    data, lock = tmp_path / "data.sqlite", tmp_path / "data.sqlite-lock"

    def is_there_while_it_is_held() -> bool:
        while True:
            with suppress(UsageError), locked(data):  # it is waited for during a tenth of a second only
                return lock.exists()

    with ThreadPoolExecutor() as pool:
        with locked(data):
            waiting = pool.submit(is_there_while_it_is_held)
            time.sleep(0.03)
        assert waiting.result(timeout=300)
    assert not lock.exists()


def test_where_no_lock_is_to_be_had_nobody_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data.sqlite-lock").mkdir()
    with served(Doubles(), data=tmp_path / "data.sqlite"):
        pass
