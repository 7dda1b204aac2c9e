"""What is no file: a pipe that nobody writes, a device without an end. Nobody waits for it, and no memory is filled."""

import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from runner.cli.main import ended

SPECS = Path(__file__).parents[2] / "specs"
JOB = """runner: 1
name: a
target: sandbox
inputs: {x: {type: string, default: none}}
steps:
  - {id: read, effect: read, execute: {process: UsrGetAllContacts}}
"""
ENTRY = "from runner.cli.entry import main; main()"
SITE = """runner: 1
targets:
  here:
    url: http://127.0.0.1:1
    auth: {username: me, password: "{{ %s }}"}
"""

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no such pipes")


@pytest.fixture(autouse=True)
def here(tmp_path: Path) -> Path:
    shutil.copytree(SPECS / "sandbox", tmp_path / "sandbox")
    Path("a.job.yaml").write_text(JOB)
    os.mkfifo("pipe")
    return tmp_path


def output(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert ended(words) == 2
    said = capsys.readouterr()
    return said.out + said.err


@pytest.mark.parametrize("place", ["pipe", "/dev/zero"])
def test_what_is_no_file_is_no_job_no_targets_file_no_plan_and_no_catalogue(
    place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    why = "it is a pipe, not a file" if place == "pipe" else "it is no regular file"
    Path("c.plan.json").symlink_to(place)
    for words in (
        ("validate", place),
        ("run", place),
        ("run", "c.plan.json"),
        ("plan", "a.job.yaml", "--targets", place),
        ("plan", "a.job.yaml", "--catalog", place),
    ):
        assert why in output(capsys, *words), words


@pytest.mark.parametrize("cases", ["pipe.csv", "pipe.json"])
def test_a_pipe_holds_no_cases_and_no_job_that_is_included(cases: str, capsys: pytest.CaptureFixture[str]) -> None:
    os.mkfifo(cases)
    os.mkfifo("inner.yaml")
    Path("a.job.yaml").write_text(f"{JOB}  - job: {{file: inner.yaml}}\ncases: {cases}\n")
    said = output(capsys, "validate", "a.job.yaml")
    assert said.count("it is a pipe, not a file") == 2


def test_the_first_records_of_a_sandbox_are_in_no_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    Path("sandbox/records.yaml").unlink()
    os.mkfifo("sandbox/records.yaml")
    assert "it is a pipe, not a file" in output(capsys, "run", "a.job.yaml")


@pytest.mark.parametrize("given", ["@/dev/zero", "@pipe-of-nobody"])
def test_the_value_of_an_input_is_bounded(given: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert "cannot be read" in output(capsys, "plan", "a.job.yaml", "-i", f"x={given}")


def test_a_large_file_and_a_large_standard_input_are_no_value() -> None:
    Path("large").write_bytes(b"x" * (5 * 2**20 + 1))
    for given, fed in (("@large", ""), ("@-", "x" * (5 * 2**20 + 1))):
        command = [sys.executable, "-c", ENTRY, "plan", "a.job.yaml", "-i", f"x={given}"]
        found = subprocess.run(command, input=fed, capture_output=True, text=True, check=False)
        assert found.returncode == 2, found.stderr
        assert "it is larger than 5 MiB" in found.stderr


def test_file_and_ca_file_of_a_target_read_regular_files_only(capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.job.yaml").write_text(JOB.replace("target: sandbox", "target: here"))
    for function in ("file('/dev/zero')", "file('pipe')"):
        Path("targets.yaml").write_text(SITE % function)
        assert "cannot be read: it is" in output(capsys, "run", "a.job.yaml", "-t", "here", "--yes")
    for place in ("/dev/zero", "pipe"):
        Path("targets.yaml").write_text((SITE % "'x'") + f"    ca_file: {place}\n")
        assert "cannot be read: it is" in output(capsys, "run", "a.job.yaml", "-t", "here", "--yes")


@pytest.mark.parametrize("option", [("-i", "x=@pipe"), ("--inputs", "pipe")])
def test_a_pipe_that_the_command_line_names_gives_the_value_of_an_input(
    option: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    content = "from a pipe\n" if option[0] == "-i" else "x: from a pipe\n"
    Path("a.job.yaml").write_text(JOB.replace("GetAllContacts", 'GetAllContacts, parameters: {X: "{{ inputs.x }}"}'))
    writer = threading.Thread(target=lambda: Path("pipe").write_text(content), daemon=True)
    writer.start()
    assert ended(["plan", "a.job.yaml", *option]) in {0, 2}
    writer.join(300)
    assert not writer.is_alive()
    assert "cannot be read" not in capsys.readouterr().err


def test_a_pipe_without_an_end_is_read_as_far_as_a_value_may_go(capsys: pytest.CaptureFixture[str]) -> None:
    def write() -> None:
        with Path("pipe").open("wb") as pipe:
            try:
                while True:
                    pipe.write(b"x" * 65536)
            except BrokenPipeError:
                os.dup2(os.open(os.devnull, os.O_WRONLY), pipe.fileno())

    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    assert "it is larger than 5 MiB" in output(capsys, "plan", "a.job.yaml", "-i", "x=@pipe")
    writer.join(300)
    assert not writer.is_alive()
