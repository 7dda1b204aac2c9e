"""The HTML report from the command line: of a run, of several, in a browser."""

import subprocess
import sys
from pathlib import Path

import pytest

from runner.cli.main import ended

JOB = "runner: 1\nname: {name}\ntarget: sandbox\nsteps: [{{id: rest, pause: 1ms}}]\n"


@pytest.fixture(autouse=True)
def _here() -> None:
    Path("sandbox").mkdir()
    for name in ("one", "two"):
        Path(f"{name}.job.yaml").write_text(JOB.format(name=name))


def test_a_command_writes_one_page_of_all_its_runs() -> None:
    assert ended(["run", "one.job.yaml", "two.job.yaml", "-q", "--report-html", "page.html"]) == 0
    assert "all 2 runs passed" in Path("page.html").read_text()


def test_several_runs_are_reported_together_and_one_that_is_named_twice_once() -> None:
    assert ended(["run", "one.job.yaml", "two.job.yaml", "-q"]) == 0
    one, two = sorted(path.name for path in Path(".runner/runs").iterdir() if path.is_dir())
    assert ended(["report", one, two, "last", "--report-html", "page.html"]) == 0
    text = Path("page.html").read_text()
    assert "all 2 runs passed" in text
    assert one in text
    assert two in text


def test_a_page_is_written_over_a_page_and_over_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    Path("mine.html").write_text("<!doctype html><p>mine")
    assert ended(["run", "one.job.yaml", "-q", "--report-html", "mine.html"]) == 2
    assert "it is there already, and holds something else" in capsys.readouterr().err
    for _ in range(2):
        assert ended(["run", "one.job.yaml", "-q", "--report-html", "page.html"]) == 0


def test_no_report_is_written_over_a_part_of_a_stored_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(["run", "one.job.yaml", "-q"]) == 0
    (journal,) = Path(".runner/runs").glob("*/events.jsonl")
    before = journal.read_bytes()
    for line in (["run", "two.job.yaml"], ["report", "last"]):
        assert ended([*line, "--report-jsonl", str(journal)]) == 2
        assert "it is part of a stored run" in capsys.readouterr().err
    assert journal.read_bytes() == before


def started(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The program in a process of its own: Python looks for browsers once a process."""
    command = [str(Path(sys.executable).with_name("runner")), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_open_stores_the_page_with_the_run_and_shows_it() -> None:
    Path("browser.py").write_text("import sys; open('opened', 'w').write(sys.argv[1])")
    assert ended(["run", "one.job.yaml", "-q"]) == 0
    browser = f"{sys.executable} {Path('browser.py').absolute()} %s"
    assert started("report", "last", "--open", BROWSER=browser).returncode == 0
    (page,) = Path(".runner/runs").glob("*/report.html")
    assert Path("opened").read_text() == page.absolute().as_uri()
    assert "one@sandbox: passed" in page.read_text()


@pytest.mark.slow
def test_without_a_browser_the_page_is_named() -> None:
    assert ended(["run", "one.job.yaml", "-q"]) == 0
    output = started("report", "last", "--report-html", "page.html", "--open", PATH=str(Path("sandbox").absolute()))
    assert output.returncode == 0
    assert "no browser could be opened; the page is page.html" in output.stderr


def test_a_page_on_stdout_is_not_opened(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(["run", "one.job.yaml", "-q"]) == 0
    assert ended(["report", "last", "--report-html", "-", "--open"]) == 2
    assert "`--open` shows a file, and stdout is none" in capsys.readouterr().err


@pytest.mark.slow
def test_a_run_that_asks_for_no_page_does_not_import_it() -> None:
    assert "runner.reports.html.page" not in _modules_after("run one.job.yaml -q")


def _modules_after(line: str) -> str:

    code = f"import sys; from runner.cli.main import ended; ended({line.split()!r}); print(*sys.modules)"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_the_commands_that_a_report_names_find_the_runs_where_they_are_stored() -> None:
    Path("sandbox/UsrLost.process.yaml").write_text(
        "runner: 1\nprocess: UsrLost\nfaults: [{fault: drop_after, times: 1}]\n"
    )
    Path("lost.job.yaml").write_text(
        "runner: 1\nname: lost\ntarget: sandbox\nsteps: [{execute: {process: UsrLost}, verify: none}]\n"
    )
    wanted = ["--report-html", "page.html", "--report-md", "page.md"]
    assert ended(["run", "lost.job.yaml", "-q", "--runs", "elsewhere", *wanted]) == 4
    texts = [Path(file).read_text() for file in ("page.html", "page.md")]
    assert [text.count("--runs elsewhere") > 0 for text in texts] == [True, True]
    assert ended(["report", "last", "--runs", "elsewhere", "--report-html", "again.html"]) == 4
    assert "--runs elsewhere" in Path("again.html").read_text()
