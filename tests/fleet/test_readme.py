"""The commands for many machines in the README do what it shows, one after another, against a PostgreSQL and a site."""

import os
import re
import shlex
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from expected_texts import ExpectedTexts
from fleets import CHARGE, charges
from postgres import Cluster
from running import PIPE, carried_out, start
from sandboxes import serve_sandbox

from runner.fleet import database

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
SHOWN = "postgresql://HOST/NAME"
_BLOCK = re.compile(r"(?<=```console\n)\$ .*?(?=```)", re.DOTALL)
_CHANGES = re.compile(r"\b[0-9a-f]{8}-[0-9a-f-]{27}|\b[0-9a-f]{12}\b|(?<=worker )\S+:\d+:[0-9a-f]+")
"""What differs from run to run: ids, digests, workers."""


class Shell:
    """Where the commands are typed, each worker in a window of its own."""

    def __init__(self, dsn: str, workers: ExitStack) -> None:
        self.dsn = dsn
        self._workers = workers
        self.environment = {**os.environ, "CREATIO_USERNAME": "Supervisor", "CREATIO_PASSWORD": "Supervisor"}

    def printed(self, block: str) -> str:
        """The block with what its commands print now; as it was, where only what changes from run to run is other."""
        commands = [line.removeprefix("$ ") for line in block.splitlines() if line.startswith("$ ")]
        now = "".join(f"$ {command}\n{self._output(command)}" for command in commands)
        return block if _CHANGES.sub("", block) == _CHANGES.sub("", now) else now

    def _output(self, command: str) -> str:
        program, *words = shlex.split(command)
        if program == "export":
            name, _, value = words[0].partition("=")
            self.environment[name] = value.replace(SHOWN, self.dsn)
            return ""
        assert program == "runner"
        printed = self._worked(words) if words[0] == "worker" else self.carry_out(*words)
        return printed.replace(self.dsn, SHOWN)

    def carry_out(self, *words: str) -> str:
        done = carried_out(*words, env=self.environment)
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    def _worked(self, words: list[str]) -> str:
        """What a worker prints until it has carried a run out. It goes on with its work."""
        process = self._workers.enter_context(start(*words, env=self.environment, stderr=PIPE))
        self._workers.callback(process.kill)
        assert process.stderr is not None
        lines: list[str] = []
        while " passed" not in "".join(lines[1:]):
            lines.append(process.stderr.readline().decode())
            assert lines[-1], lines
        return "".join(lines)


@pytest.fixture
def shell(postgres: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shell]:
    """In a checkout whose targets file has the site `staging`, as the README shows one."""
    with database.connect(postgres.dsn("postgres")) as sql:
        sql.execute(f"create database {tmp_path.name}")
    shutil.copytree(ROOT / "specs", tmp_path / "specs")
    (tmp_path / "specs" / "sandbox" / "UsrCharge.process.yaml").write_text(CHARGE)
    monkeypatch.chdir(tmp_path)
    with serve_sandbox(tmp_path / "specs" / "sandbox") as site:
        (auth,) = re.findall(r"(?m)^    auth:\n      username: .*\n      password: .*\n", README.read_text("utf-8"))
        targets = tmp_path / "specs" / "targets.yaml"
        targets.write_text(f"{targets.read_text()}  staging:\n    url: {site.url}\n{auth}")
        site.set_fault("drop_after", "UsrCharge")
        with ExitStack() as workers:
            yield Shell(postgres.dsn(tmp_path.name), workers)


def test_the_readme_shows_what_its_commands_for_many_machines_print(
    shell: Shell, expected_texts: ExpectedTexts
) -> None:
    page = README.read_text("utf-8")
    before, title, rest = page.partition("## Many machines\n")
    part, end, after = rest.partition("## More\n")
    part = _BLOCK.sub(lambda block: shell.printed(block[0]), part)
    expected_texts.check(README, before + title + part + end + after)


def test_the_command_that_settles_a_call_in_doubt_on_many_machines_does_so(shell: Shell) -> None:
    (settles,) = re.findall(r"`runner (resume [^`]* --as passed)` settles it, when", README.read_text("utf-8"))
    job = "runner: 1\nname: charge\ntarget: staging\ndefaults: {verify: none}\n" + charges("a")
    Path("specs/charge.job.yaml").write_text(job)
    shell.environment["CREATIO_RUNNER_DB"] = shell.dsn
    shell.carry_out("fleet", "migrate")
    shell.carry_out("apply", "specs/charge.job.yaml")
    works = ["worker", "--once", "-t", "staging", "--targets", "specs/targets.yaml"]
    shell.carry_out(*works)
    (run,) = re.findall(r"(?m)^\? charge@staging  (\S+) ", shell.carry_out("status"))
    shell.carry_out(*settles.replace("RUN", run).replace("STEP", "a").split())
    shell.carry_out(*works)
    assert "?" not in shell.carry_out("status")
