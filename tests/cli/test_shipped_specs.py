"""The jobs that ship pass against the sandbox that ships, one by one and all together."""

import re
import shlex
import shutil
from pathlib import Path

import pytest
from expected_texts import ExpectedTexts
from running import carried_out

from runner.cli.main import ended
from runner.reports.formats import FORMATS

pytestmark = pytest.mark.slow

SPECS = Path(__file__).parents[2] / "specs"
JOBS = sorted(path.name for path in SPECS.glob("*.job.yaml"))


@pytest.fixture(autouse=True)
def _in_a_copy(tmp_path: Path) -> None:
    shutil.copytree(SPECS, tmp_path / "specs")
    (tmp_path / ".git").mkdir()


@pytest.mark.parametrize("job", JOBS)
def test_a_job_that_ships_passes(job: str) -> None:
    assert ended(["run", f"specs/{job}"]) == 0


def test_all_of_them_pass_side_by_side_with_every_report_and_so_does_the_runbook() -> None:
    reports = [text for kind in FORMATS for text in (kind.option, f"report.{kind.name}")]
    assert ended(["run", "specs", "specs/runbooks", "--yes", "-j", "4", *reports]) == 0
    assert [kind.name for kind in FORMATS if not Path(f"report.{kind.name}").stat().st_size] == []


def test_each_of_them_is_shown_in_their_readme() -> None:
    readme = (SPECS / "README.md").read_text()
    assert [job for job in JOBS if f"`{job}`" not in readme] == []


_BLOCK = re.compile(r"(?<=```console\n)\$ .*?(?=```)", re.DOTALL)
_CHANGES = re.compile(r"\b\d+(?:\.\d+)? (?:ms|s)\b|(?<=127\.0\.0\.1:)\d+|[0-9a-f]{8}-[0-9a-f-]{27}")
"""What differs from run to run: times, ports, ids."""


def test_their_readme_shows_what_they_print(expected_texts: ExpectedTexts) -> None:
    page = (SPECS / "README.md").read_text(encoding="utf-8")
    expected_texts.check(SPECS / "README.md", _BLOCK.sub(lambda block: printed(block[0]), page))


def printed(block: str) -> str:
    """The block with what its commands print now; as it was, where only what changes from run to run is other."""
    commands = [line.removeprefix("$ ") for line in block.splitlines() if line.startswith("$ ")]
    now = "".join(f"$ {command}\n{output_of(command)}" for command in commands)
    return block if _CHANGES.sub("", block) == _CHANGES.sub("", now) else now


def output_of(command: str) -> str:
    program, *arguments = shlex.split(command.removesuffix(" < /dev/null"))
    assert program == "runner"
    done = carried_out(*arguments)  # nobody answers it anyhow
    return done.stdout + done.stderr


def test_the_step_that_fails_in_the_readme_prints_what_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    readme = (SPECS.parent / "README.md").read_text(encoding="utf-8")
    job = readme.partition("## A first job")[2].partition("```yaml\n")[2].partition("```")[0]
    _, _, block = readme.partition("$ cat >> specs/first.job.yaml\n")
    step, _, shown = block.partition("$ runner run specs/first.job.yaml\n")
    Path("specs/first.job.yaml").write_text(job + step)
    assert ended(["run", "specs/first.job.yaml"]) == 1
    assert _CHANGES.sub("", shown.partition("```")[0]) in _CHANGES.sub("", capsys.readouterr().out)
