import http.client
import logging
import socket
import sqlite3
import stat
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from runner.foundation.problems import UsageError
from runner.sandbox.doubles import Doubles
from runner.sandbox.server import serve, served

pytestmark = pytest.mark.slow

Folder = Callable[[Mapping[str, str]], Path]
SignIn = Callable[[str], httpx.Client]
SERVICE = "/0/ServiceModel/ProcessEngineService.svc"

NUMBERED = """
runner: 1
process: UsrNumbered
parameters:
  Name: {type: text}
  Found: {type: records, direction: out}
activities:
  - insert: {entity: Mark, values: {Name: "{{ parameters.Name }}"}}
  - select: {entity: Mark, into: Found, where: row.Name == parameters.Name}
"""


def test_ending_a_sandbox_does_not_wait_for_a_call_under_way(
    folder: Folder, signed_in: SignIn, logged: list[logging.LogRecord]
) -> None:
    slow = folder({"a.process.yaml": "runner: 1\nprocess: UsrSlow\nactivities: [delay: 10m]\n"})
    with ThreadPoolExecutor() as pool:
        with served(slow) as url:
            client = signed_in(url)
            waiting = pool.submit(client.get, f"{SERVICE}/UsrSlow/Execute?ResultParameterName=X", timeout=300)
            while client.get("/odata/SysProcessLog/$count").text == "0":
                pass
            client.get(f"{SERVICE}/UsrSlow/Execute")
        cut_off = waiting.exception(timeout=300)
    assert isinstance(cut_off, httpx.TransportError)
    assert not isinstance(cut_off, httpx.TimeoutException)
    assert logged == []


def test_sandboxes_are_served_beside_each_other(signed_in: SignIn) -> None:
    with served(Doubles()) as one, served(Doubles()) as other:
        assert one != other
        assert signed_in(one).get("/odata/SysProcessLog/$count").text == "0"


@pytest.mark.slow
def test_eight_threads_start_processes_at_once_and_none_is_lost(folder: Folder, signed_in: SignIn) -> None:
    with served(folder({"a.process.yaml": NUMBERED})) as url:
        cookies = signed_in(url)

        def start(number: int) -> str:
            own = httpx.Client(base_url=url, cookies=dict(cookies.cookies), headers=cookies.headers, verify=False)
            with own as client:
                texts = [
                    client.get(
                        f"{SERVICE}/UsrNumbered/Execute",
                        params={"ResultParameterName": "Found", "Name": f"{number}-{turn}"},
                    ).text
                    for turn in range(20)
                ]
            assert all(f'"{number}-{turn}\\"' in text for turn, text in enumerate(texts))
            return "done"

        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(start, range(8))) == ["done"] * 8
        client = signed_in(url)
        assert client.get("/odata/Mark/$count").text == "160"
        rows = client.get("/odata/SysProcessLog?$orderby=StartDate").json()["value"]
        assert len({row["Id"] for row in rows}) == len({row["StartDate"] for row in rows}) == 160
        assert {row["StatusId"] for row in rows} == {"815c9586-b6e2-df11-971b-001d60e938c6"}


def test_calls_are_answered_while_a_process_waits(folder: Folder, signed_in: SignIn) -> None:
    files = {"a.process.yaml": "runner: 1\nprocess: UsrSlow\nactivities: [delay: 1s]\n"}
    with served(folder(files)) as url, ThreadPoolExecutor() as pool:
        client = signed_in(url)
        waiting = pool.submit(client.get, f"{SERVICE}/UsrSlow/Execute?ResultParameterName=X")
        for _ in range(3):
            assert client.get("/odata/SysProcessLog").status_code == 200
        assert not waiting.done()
        assert waiting.result(timeout=300).status_code == 200


@pytest.fixture(scope="module")
def empty() -> Iterator[httpx.Client]:
    """A client of a sandbox without doubles that nobody has signed in to."""
    with served(Doubles()) as url, httpx.Client(base_url=url, trust_env=False, verify=False) as client:
        yield client


ALIVE = ("/", "/0", "/0/", "/ping", "/0/ping")


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_whoever_asks_whether_it_is_alive_is_answered(method: str, empty: httpx.Client) -> None:
    assert [empty.request(method, path).status_code for path in ALIVE] == [200] * len(ALIVE)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"])
def test_nobody_asks_by_another_method_whether_it_is_alive(method: str, empty: httpx.Client) -> None:
    for path in ALIVE:
        reply = empty.request(method, path)
        assert (reply.status_code, reply.headers["allow"], reply.content) == (405, "GET, HEAD, POST", b"")


@pytest.mark.parametrize("target", ["/", "/0/ping", "example.com:443", "/odata/Contact", "*"])
def test_it_is_no_proxy(target: str, capfd: pytest.CaptureFixture[str], logged: list[logging.LogRecord]) -> None:
    with served(Doubles()) as url:
        host, port = url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=300) as caller:
            caller.sendall(f"CONNECT {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            assert caller.recv(4000).startswith(b"HTTP/1.1 400 ")
            caller.sendall(b"GET /0/ping HTTP/1.1\r\nHost: x\r\n\r\n")
            assert caller.recv(4000).startswith(b"HTTP/1.1 200 ")
    assert (capfd.readouterr().err, logged) == ("", [])


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/0/api/ClientCache/Hashes"),
        ("POST", "/0/DataService/json/SyncReply/QuerySysSettings"),
        ("GET", "/0/DataService/json/SyncReply/ProcessSchemaRequest"),
    ],
)
def test_what_real_clients_can_do_without_is_404(signed_in: SignIn, method: str, path: str) -> None:
    with served(Doubles()) as url:
        reply = signed_in(url).request(method, path)
        assert (reply.status_code, reply.content) == (404, b"")


def test_a_caller_that_waits_for_a_100_gets_it() -> None:
    body = b'{"UserName":"Supervisor","UserPassword":"Supervisor"}'
    head = "POST /ServiceModel/AuthService.svc/Login HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
    with served(Doubles()) as url:
        host, port = url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=300) as caller:
            caller.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode())
            assert caller.recv(1000).startswith(b"HTTP/1.1 100 ")
            caller.sendall(body)
            assert caller.recv(4000).startswith(b"HTTP/1.1 200 ")


def test_a_body_beyond_any_use_is_refused(empty: httpx.Client) -> None:
    assert empty.post("/x", content=bytes(33 * 1024 * 1024)).status_code == 413


def test_a_caller_that_leaves_half_way_harms_nobody(signed_in: SignIn) -> None:
    with served(Doubles()) as url:
        host, port = url.removeprefix("http://").split(":")
        for text in (
            b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf",
            b"GET / HT",
            b"\xff\x00\r\n\r\n",
        ):
            with socket.create_connection((host, int(port)), timeout=300) as caller:
                caller.sendall(text)
        assert signed_in(url).get("/odata/").status_code == 200


def test_an_address_in_use_is_reported_as_a_problem() -> None:
    with served(Doubles()) as url:
        port = int(url.rsplit(":", 1)[1])
        with (
            pytest.raises(UsageError, match=rf"the sandbox cannot listen on 127\.0\.0\.1:{port}: "),
            served(Doubles(), port=port),
        ):
            pass


def test_a_host_that_does_not_exist_is_reported_as_a_problem() -> None:
    with pytest.raises(UsageError, match="cannot listen"), served(Doubles(), host="no.such.host.invalid"):
        pass


def test_mistakes_in_the_folder_are_reported_before_anything_is_served(folder: Folder) -> None:
    wrong = folder({"a.process.yaml": "runner: 1\nprocess: UsrA\nactivities: [fail: '{{ x }}']"})
    with pytest.raises(UsageError) as caught, served(wrong):
        pass
    assert [problem.code for problem in caught.value.problems] == ["E126"]


def test_what_happened_is_kept_in_a_file(folder: Folder, signed_in: SignIn, tmp_path: Path) -> None:
    files = {
        "a.process.yaml": NUMBERED,
        "b.process.yaml": "runner: 1\nprocess: UsrWaits\nactivities: [element: {uid: "
        "7d8f6f3e-5a52-4b8f-9a54-2b6f0f8c1a11}, insert: {entity: Mark, values: {Name: after}}]",
        "records.yaml": "Mark: [{Name: first}]",
    }
    data = tmp_path / "data.sqlite"
    with served(folder(files), data=data) as url:
        client = signed_in(url)
        client.get(f"{SERVICE}/UsrNumbered/Execute?Name=second")
        client.get(f"{SERVICE}/UsrWaits/Execute")
        before = client.get("/odata/SysProcessLog").json()["value"]
        assert {stat.S_IMODE(file.stat().st_mode) for file in tmp_path.glob("data.sqlite*")} == {0o600}
    with served(folder(files), data=data) as url:
        client = signed_in(url)
        assert client.get("/odata/SysProcessLog").json()["value"] == before
        (held,) = client.get("/odata/SysProcessElementData").json()["value"]
        client.get(f"{SERVICE}/ExecProcElByUId/{held['Id']}")
        assert [row["Name"] for row in client.get("/odata/Mark").json()["value"]] == ["first", "second", "after"]


def test_a_process_that_was_under_way_when_the_sandbox_ended_is_cancelled_at_the_next_start(
    folder: Folder, signed_in: SignIn, tmp_path: Path
) -> None:
    files = {
        "a.process.yaml": "runner: 1\nprocess: UsrSlow\ncaption: Slow\nactivities: [delay: 30s]",
        "b.process.yaml": "runner: 1\nprocess: UsrLater\ncaption: Later\nactivities: [background: true, delay: 30s]",
        "c.process.yaml": "runner: 1\nprocess: UsrParked\ncaption: Parked\nactivities: [element: {}]",
        "d.process.yaml": "runner: 1\nprocess: UsrBehind\ncaption: Behind\nactivities: [element: {}, background: true, "
        "delay: 30s]",
    }
    data = tmp_path / "data.sqlite"
    with served(folder(files), data=data) as url:
        client = signed_in(url)
        for code in ("UsrSlow", "UsrLater", "UsrParked", "UsrBehind"):
            client.get(f"{SERVICE}/{code}/Execute")
        (parked, behind) = client.get("/odata/SysProcessElementLog").json()["value"]
        with pytest.raises(httpx.ReadTimeout):
            client.get(f"{SERVICE}/ExecProcElByUId/{behind['Id']}", timeout=0.05)
    with served(folder(files), data=data) as url:
        client = signed_in(url)
        rows = {row["Name"]: row for row in client.get("/odata/SysProcessLog").json()["value"]}
        for name in ("Slow", "Later", "Behind"):
            assert rows[name]["StatusId"] == "1be78f3e-234d-4d6a-869a-dc07253fd2f3"
            assert rows[name]["ErrorDescription"] == "The sandbox was stopped while this process was under way"
            assert rows[name]["CompleteDate"] is not None
        assert rows["Parked"]["CompleteDate"] is None
        client.get(f"{SERVICE}/ExecProcElByUId/{parked['Id']}")
        assert client.get(f"/odata/SysProcessLog({rows['Parked']['Id']})").json()["CompleteDate"] is not None


def test_a_fault_of_a_double_that_was_applied_to_its_calls_is_over_at_the_next_start(
    folder: Folder, signed_in: SignIn, tmp_path: Path
) -> None:
    faults = "[{fault: html, times: 1}, {fault: status_500, times: 2}]"
    files = {"a.process.yaml": f"runner: 1\nprocess: UsrA\nactivities: []\nfaults: {faults}"}
    data = tmp_path / "data.sqlite"
    waiting = []
    for _ in range(4):
        with served(folder(files), data=data) as url:
            client = signed_in(url)
            waiting.append([(one["fault"], one["times"]) for one in client.get("/sandbox/faults").json()])
            client.get(f"{SERVICE}/UsrA/Execute")
    assert waiting == [[("html", 1), ("status_500", 2)], [("status_500", 2)], [("status_500", 1)], []]


def test_first_records_go_into_a_new_file_only(folder: Folder, signed_in: SignIn, tmp_path: Path) -> None:
    clear = "runner: 1\nprocess: UsrClear\nactivities: [delete: {entity: Mark}]"
    files = {"a.process.yaml": clear, "records.yaml": "Mark: [{Name: first}]"}
    data = tmp_path / "data.sqlite"
    with served(folder(files), data=data) as url:
        signed_in(url).get(f"{SERVICE}/UsrClear/Execute")
    with served(folder(files), data=data) as url:
        assert signed_in(url).get("/odata/Mark/$count").text == "0"


def test_a_file_of_another_program_is_left_alone(tmp_path: Path) -> None:
    letter = tmp_path / "letter.txt"
    letter.write_text("Dear database,\n" * 100)
    foreign, older = tmp_path / "foreign.sqlite", tmp_path / "older.sqlite"
    with closing(sqlite3.connect(foreign)) as database:
        database.execute("CREATE TABLE record (x)")
    with served(Doubles(), data=older):
        pass
    with closing(sqlite3.connect(older)) as database:
        database.execute("PRAGMA user_version = 1")
    for data in (letter, foreign, older, tmp_path / "no" / "folder"):
        with pytest.raises(UsageError, match="cannot keep its data"), served(Doubles(), data=data):
            pass
    assert letter.read_text().startswith("Dear")
    with closing(sqlite3.connect(foreign)) as database:
        assert database.execute("SELECT name FROM sqlite_master").fetchall() == [("record",)]


def test_a_request_line_of_more_than_half_a_megabyte_is_read(signed_in: SignIn) -> None:
    with served(Doubles()) as url:
        session = signed_in(url)
        caller = http.client.HTTPConnection(url.removeprefix("http://"), timeout=300)
        headers = {"Cookie": f".ASPXAUTH={session.cookies['.ASPXAUTH']}", "BPMCSRF": session.headers["BPMCSRF"]}
        caller.request("GET", f"/odata/?x={'y' * 600_000}", headers=headers)
        assert caller.getresponse().status == 200
        caller.close()


def test_serving_for_good_gives_its_address_and_ends_with_an_interrupt() -> None:
    class EnoughError(Exception):
        pass

    addresses: list[str] = []

    def ready(url: str) -> None:
        addresses.append(url)
        assert httpx.get(url, trust_env=False, verify=False).status_code == 200
        raise EnoughError

    before = set(threading.enumerate())  # of other tests, too
    with pytest.raises(EnoughError):
        serve(Doubles(), ready=ready)
    assert addresses
    assert set(threading.enumerate()) <= before
    with pytest.raises(httpx.ConnectError):
        httpx.get(addresses[0], trust_env=False, verify=False)
