"""`runner sandbox` as a program of its own."""

import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from running import PIPE, carried_out, start

from runner.cli.shipped import sandbox

pytestmark = pytest.mark.slow

CONTACTS = "Contact: [{Name: Anna}, {Name: Boris}, {Name: Clara}]"


@contextmanager
def served(folder: Path, *options: str) -> Iterator[httpx.Client]:
    """A client that is signed in at the sandbox, which an interrupt ends."""
    with start("sandbox", str(folder), "--port", "0", *options, stdout=PIPE) as program:
        found = re.fullmatch(rb"serving at (http://127\.0\.0\.1:\d+) \((.*)\)\n", program.out.readline())
        assert found is not None
        assert found[2] == b"Ctrl-C ends it; start it again after a change of its files"
        with httpx.Client(base_url=found[1].decode(), trust_env=False, verify=False) as client:
            password = {"UserName": "Supervisor", "UserPassword": "Supervisor"}
            client.post("/ServiceModel/AuthService.svc/Login", json=password)
            client.headers["BPMCSRF"] = client.cookies["BPMCSRF"]
            yield client
        program.send_signal(signal.SIGINT)
        assert program.wait(300) == 0


def test_a_folder_is_served_until_an_interrupt_and_what_happened_is_kept(tmp_path: Path) -> None:
    (tmp_path / "records.yaml").write_text(CONTACTS)
    (tmp_path / "a.process.yaml").write_text("runner: 1\nprocess: UsrA\n")
    for count in ("1", "2"):
        with served(tmp_path, "--data", str(tmp_path / "data.sqlite")) as client:
            client.get("/0/ServiceModel/ProcessEngineService.svc/UsrA/Execute")
            assert client.get("/odata/SysProcessLog/$count").text == count


def test_pages_are_as_long_as_they_are_reported_to_be(tmp_path: Path) -> None:
    (tmp_path / "records.yaml").write_text(CONTACTS)
    with served(tmp_path, "--page-size", "2") as client:
        first = client.get("/0/odata/Contact").json()
        assert len(first["value"]) == 2
        assert [row["Name"] for row in client.get(first["@odata.nextLink"]).json()["value"]] == ["Clara"]


def test_a_page_without_records_is_refused(tmp_path: Path) -> None:
    program = carried_out("sandbox", str(tmp_path), "--page-size", "0")
    assert program.returncode == 2
    assert "--page-size" in program.stderr


def test_the_address_that_a_cluster_gives_a_service_of_our_name_is_no_port(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREATIO_RUNNER_PORT", "tcp://10.0.0.1:8081")
    assert sandbox.make_context("sandbox", []).params["port"] == 8080
    monkeypatch.setenv("CREATIO_RUNNER_PORT", "8081")
    assert sandbox.make_context("sandbox", []).params["port"] == 8081
