"""No report holds a secret, in whatever spelling: all of them are drawn from two runs against a site that echoes all it
knows, in every spelling, with every answer.

The table of report formats is read, so that a new format is looked at without a word here. That each output would show
a canary, were it no secret, is shown by a third run, whose input is none.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest
from canaries import found_in, spelled
from sites import Answer, Site, site, xml

from runner.cli.main import ended
from runner.foundation.problems import ExitCode
from runner.reports.formats import FORMATS

pytestmark = pytest.mark.slow

INPUT = "tö k/e+n'<\"7&>"
PASSWORD = "pä ss/w+rd'<\"1&>"
LOGIN = "integration-üser"
RESULT = "re sü/l+t'<\"3&>"
COOKIE = "s3ss/ion=1"
CANARIES = (INPUT, PASSWORD, LOGIN, RESULT, COOKIE)
PIECES = ("k/e+n", "ss/w+rd", "sü/l+t", "s3ss/ion")
"""Parts of them, which no half of a spelling leaves either."""
JOB = """runner: 1
name: echoes
target: here
inputs: {token: {type: string, secret: true}}
vars: {made: "{{ inputs.token | b64encode }}", url: "x?t={{ inputs.token | urlencode }}"}
defaults: {verify: none, on_failure: continue}
steps:
  - {id: hush, secret: true, execute: {process: UsrHush, result: Out}}
  - id: result
    execute: {process: UsrResult, parameters: {T: "{{ inputs.token }}", M: "{{ vars.made }}"}, result: Out}
    outputs: {all: result}
    expect: [result == "none", {that: "result == inputs.token", message: "{{ vars.url }}"}]
  - {id: handed_on, execute: {process: UsrEcho, parameters: {J: "{{ steps.result.result | json }}"}}}
  - {id: fault, execute: {process: UsrFault}}
  - {id: page, effect: read, execute: {process: UsrPage}, retry: {max_attempts: 2, initial: 1ms, on: [unanswered]}}
  - {id: cut, effect: read, execute: {process: UsrCut}, retry: {max_attempts: 2, initial: 1ms, on: [unanswered]}}
  - {id: row, query: {entity: Contact, filter: "Name eq {{ inputs.token | odata }}"}}
  - {id: each, for_each: ["{{ inputs.token }}", b], execute: {process: UsrEcho, parameters: {P: "{{ item }}"}}}
outputs: {all: steps.result.result, made: vars.made}
"""
OUTPUTS = {
    "show": ("show", "last", "-v"),
    "show as curl": ("show", "last", "--curl"),
    "runs": ("runs",),
    "runs as JSON": ("runs", "--format", "json"),
    "history": ("history",),
    "history as JSON": ("history", "--format", "json"),
    "validate for GitLab": ("validate", "a.job.yaml", "b.job.yaml", "--format", "gitlab"),
    "validate for GitHub": ("validate", "a.job.yaml", "b.job.yaml", "--format", "github"),
    "validate as SARIF": ("validate", "a.job.yaml", "b.job.yaml", "--format", "sarif"),
    "plan": ("plan", "a.job.yaml"),
    **{f"report {one.name}": ("report", "last", one.option, "-") for one in FORMATS},
}
"""What is printed, by its name. `diff` takes ids and is below; the files of a run are all looked at."""
WITHOUT_VALUES = {"runs", "runs as JSON", "history", "history as JSON"}
ABOUT_FILES = {"validate for GitLab", "validate for GitHub", "validate as SARIF", "plan"}


def _echo(known: str, path: str) -> Answer:
    evidence = {
        "UsrHush": xml(RESULT),
        "UsrFault": Answer(status=400, body=known, kind="text/plain"),
        "UsrPage": Answer(status=502, body=f"<html><title>{known}</title></html>", kind="text/html"),
        "UsrCut": Answer(body=known, cut=True),
    }
    process = path.split("/")[4] if "/Execute" in path else ""
    answer = evidence.get(process, xml(known))
    cookies = (("Set-Cookie", f'BPMSESSIONID="{COOKIE}"; path=/; HttpOnly'),)
    return replace(answer, headers=cookies)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where two runs were carried out, in GitHub Actions, with all reports written."""
    place = tmp_path_factory.mktemp("echoes")
    known = " | ".join(text for secret in CANARIES for text in spelled(secret).values())
    number = count()  # so that no two answers are the same, and `diff` has something to show
    with pytest.MonkeyPatch.context() as patch, site(lambda _, path: _echo(f"{next(number)} {known}", path)) as served:
        patch.chdir(place)
        for name in list(os.environ):
            if name.startswith(("CREATIO_", "CLIO_", "GITHUB_")):
                patch.delenv(name)
        patch.setenv("XDG_STATE_HOME", str(place / "state"))
        patch.setenv("CREATIO_RUNNER_INPUT_TOKEN", INPUT)
        patch.setenv("HERE_PASSWORD", PASSWORD)
        patch.setenv("HERE_USER", LOGIN)
        _write_files(served)
        _run()
        yield place


def _write_files(served: Site) -> None:
    Path("targets.yaml").write_text(
        f"runner: 1\ntargets:\n  here:\n    url: {served.url}\n    execute_method: post\n"
        '    auth: {username: "{{ env.HERE_USER }}", password: "{{ env.HERE_PASSWORD }}"}\n'
    )
    Path("a.job.yaml").write_text(JOB)
    Path("b.job.yaml").write_text("runner: 1\nname: b\nsteps: [{pause: 1ms, retrry: 1}]\n")


def _run() -> None:
    """Two runs in GitHub Actions, and all reports of them as files."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GITHUB_ACTIONS", "true")
        patch.setenv("GITHUB_STEP_SUMMARY", "summary.md")
        for number in (1, 2):
            reports = (part for one in FORMATS for part in (one.option, f"report-{number}.{one.name}"))
            assert ended(["run", "a.job.yaml", "-v", *reports]) == ExitCode.NO_ANSWER


@pytest.fixture
def printed(folder: Path, capfd: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """What a command prints, on both streams."""
    del folder

    def output_of_command(*arguments: str) -> str:
        capfd.readouterr()
        ended(list(arguments))
        said = capfd.readouterr()
        return said.out + said.err

    return output_of_command


def _clean(text: str) -> None:
    assert found_in(text, CANARIES) == []
    assert [piece for piece in PIECES if piece in text] == []


@pytest.mark.parametrize("name", OUTPUTS)
def test_nothing_that_is_printed_holds_a_secret(printed: Callable[..., str], name: str) -> None:
    text = printed(*OUTPUTS[name])
    assert "echoes" in text or "UsrEcho" in text or name in ABOUT_FILES
    assert "***" in text or "\ue000" in text or "INPUTS_TOKEN" in text or name in WITHOUT_VALUES | ABOUT_FILES
    _clean(text)


def test_a_comparison_of_two_runs_holds_none(printed: Callable[..., str], folder: Path) -> None:
    runs = sorted(path.name for path in Path(folder, ".runner/runs").iterdir() if path.is_dir())
    for form in ("text", "json"):
        text = printed("diff", *runs, "--format", form)
        assert "result" in text
        _clean(text)


def test_no_file_that_a_run_in_a_ci_leaves_holds_one(folder: Path) -> None:
    ours = {"targets.yaml", "a.job.yaml", "b.job.yaml"}
    files = {str(file.relative_to(folder)): file for file in folder.rglob("*") if file.is_file()}
    assert {"summary.md", ".runner/history.jsonl", *(f"report-2.{one.name}" for one in FORMATS)} <= set(files)
    for name, file in files.items():
        if name not in ours:
            _clean(file.read_text(encoding="utf-8", errors="replace"))


def test_the_annotations_of_a_run_in_github_actions_hold_none(
    folder: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    del folder
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    capfd.readouterr()
    assert ended(["run", "a.job.yaml", "-q"]) == ExitCode.NO_ANSWER
    said = capfd.readouterr()
    assert "::error " in said.out + said.err
    _clean(said.out + said.err)


@pytest.mark.parametrize("name", [name for name in OUTPUTS if name not in WITHOUT_VALUES | ABOUT_FILES])
def test_each_output_would_show_it_were_it_no_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], name: str
) -> None:
    """So that the tests above can fail: the same word, of an input that is no secret, is in every one of them."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CREATIO_RUNNER_INPUT_TOKEN", "kanarienvogel")
    monkeypatch.setenv("HERE_PASSWORD", PASSWORD)
    monkeypatch.setenv("HERE_USER", LOGIN)
    with site(lambda _, path: _echo("kanarienvogel", path)) as served:
        _write_files(served)
        Path("a.job.yaml").write_text(JOB.replace(", secret: true}}", "}}"))
        ended(["run", "a.job.yaml", "-q"])
        capfd.readouterr()
        ended(list(OUTPUTS[name]))
    said = capfd.readouterr()
    assert found_in(said.out + said.err, ["kanarienvogel"])
