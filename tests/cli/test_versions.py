"""Processes that have versions, over a real socket: every verdict is that of the version which ran."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from sandboxes import MARK, ServedSandbox, doubled, serve_sandbox

from runner.cli.main import ended

pytestmark = pytest.mark.slow

RUNS = 120
FAILS = 9
"""The last digit of the numbers for which the active version fails."""
FILES = {
    "UsrTours": "parameters:\n  Title: {type: text, direction: in}\n  Old: {type: text, direction: out}\n",
    "UsrTours_v1": f"of: UsrTours\nversion: 2\nparameters:\n  {MARK}: {{type: text, direction: in}}\n",
    "UsrTours_v2": (
        f"of: UsrTours\nversion: 3\nactive: true\nparameters:\n  {MARK}: {{type: text, direction: in}}\n"
        "  Number: {type: integer, direction: in}\n  Twice: {type: integer, direction: out}\n"
        f'activities:\n  - set: {{Twice: "{{{{ parameters.Number * 2 }}}}"}}\n'
        f"  - fail: No seats\n    if: parameters.Number % 10 == {FAILS}\n"
    ),
    "UsrOnly": (
        f"parameters:\n  {MARK}: {{type: text, direction: in}}\n  Number: {{type: integer, direction: in}}\n"
        f"activities:\n  - fail: No seats\n    if: parameters.Number % 10 == {FAILS}\n"
    ),
}
LATE = RUNS // 4
"""So many starts at most come so late on a busy machine that the log cannot show whose they are."""
STEP = "  - id: start\n    verify: log\n    {action}: {{process: {process}, {result}parameters: {given}}}\n"
GIVEN = f'{{{MARK}: "{{{{ inputs.mark }}}}", Number: "{{{{ inputs.number }}}}"}}'
INPUTS = "inputs: {mark: {type: string}, number: {type: integer}}\n"


@pytest.fixture
def here() -> Iterator[ServedSandbox]:
    Path("doubles").mkdir()
    for code, more in FILES.items():
        Path(f"doubles/{code}.process.yaml").write_text(f"runner: 1\nprocess: {code}\n{more}")
    with serve_sandbox(Path("doubles"), Path("site.sqlite")) as served:
        Path("targets.yaml").write_text(served.targets())
        yield served


def job(name: str, action: str, process: str, *, result: str = "", runs: int = RUNS // 4) -> None:
    step = STEP.format(action=action, process=process, result=result, given=GIVEN)
    Path(f"{name}.job.yaml").write_text(
        f"runner: 1\nname: {name}\ntarget: here\ncases: {name}.csv\n{INPUTS}steps:\n{step}"
    )
    rows = [f"{name}-{number},{name}-{number},{number}" for number in range(runs)]
    Path(f"{name}.csv").write_text("\n".join(["name,mark,number", *rows, ""]))


def test_every_verdict_of_many_runs_side_by_side_is_that_of_the_version_which_ran(here: ServedSandbox) -> None:
    job("execute", "execute", "UsrTours", result="result: Twice, ")
    job("run", "run", "UsrTours", result="results: [Twice], ")
    job("plain", "execute", "UsrOnly")
    job("other", "run", "UsrOnly")
    assert ended(["catalog", "pull", "-t", "here", "--out", "site.catalog.yaml"]) == 0

    command = ["run", *(f"{name}.job.yaml" for name in ("execute", "run", "plain", "other")), "-j", "8", "-q"]
    assert ended([*command, "--catalog", "site.catalog.yaml", "--report-json", "report.json"]) in (1, 4)

    starts = {start.mark: start for start in here.starts()}
    assert (len(starts), doubled(here.starts())) == (RUNS, {})
    assert Counter(start.process for start in starts.values()) == {"UsrTours_v2": RUNS // 2, "UsrOnly": RUNS // 2}
    steps = {run["inputs"]["mark"]: run["steps"][0] for run in json.loads(Path("report.json").read_text())["runs"]}
    known = {mark: step for mark, step in steps.items() if step["status"] != "unknown"}
    assert len(known) >= RUNS - LATE
    for mark, step in known.items():
        passed = starts[mark].status == "done"
        assert passed is not mark.endswith(str(FAILS))
        assert (step["status"], step["verified"]) == (("passed", True) if passed else ("failed", False)), mark
    assert len({step["process_id"] for step in known.values()}) == len(known)


def test_versions_are_read_once_in_a_command(here: ServedSandbox) -> None:
    job("execute", "execute", "UsrTours", runs=5)
    job("plain", "run", "UsrOnly", runs=3)
    assert ended(["run", "execute.job.yaml", "plain.job.yaml", "-j", "4", "-q"]) == 0
    asked = [call for call in here.calls() if "VwProcessLib" in call]
    assert len(asked) == 2 * 2


@pytest.mark.parametrize("plan", [False, True])
def test_a_site_that_runs_another_version_than_the_catalogue_has_is_warned_of(
    here: ServedSandbox, capsys: pytest.CaptureFixture[str], *, plan: bool
) -> None:
    members = "{UsrTours: {version: 1}, UsrTours_v1: {version: 2, active: true}}"
    taken = f"{{{MARK}: {{type: text, direction: in}}}}"
    Path("here.catalog.yaml").write_text(
        f"runner: 1\nsite: {here.url}\nprocesses:\n"
        f"  UsrTours: {{version: 2, runnable: true, members: {members}, parameters: {taken}}}\n"
    )
    step = f"  - {{id: a, verify: log, run: {{process: UsrTours, parameters: {{{MARK}: x}}}}}}\n"
    Path("a.job.yaml").write_text(f"runner: 1\nname: a\ntarget: here\nsteps:\n{step}")
    if plan:
        assert ended(["plan", "a.job.yaml", "--out", "a.plan.json"]) == 0
    ended(["run", "a.plan.json" if plan else "a.job.yaml"])
    shown = capsys.readouterr().out
    assert "warning: the parameters were not checked against `UsrTours_v2`" in shown
    assert "the catalogue has those of `UsrTours_v1`; `runner catalog pull -t here` reads it anew" in shown


SANDBOX = "runner: 1\ntargets:\n  here: {sandbox: doubles}\n"


def output(capsys: pytest.CaptureFixture[str], run: str, *command: str) -> tuple[int, str]:
    Path("targets.yaml").write_text(SANDBOX)
    Path("a.job.yaml").write_text(f"runner: 1\nname: a\ntarget: here\nsteps:\n  - run: {run}\n")
    code = ended([*command, "a.job.yaml"])
    captured = capsys.readouterr()
    return code, captured.out + captured.err


def test_a_version_is_held_against_those_that_the_process_has(
    here: ServedSandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    code, shown = output(capsys, "{process: UsrTours, version: 7}", "validate")
    assert (code, here.starts()) == (2, [])
    assert "error[E223]: `UsrTours` has no version 7" in shown
    assert "hint: its versions are 1, 2, 3 (active)" in shown
    code, shown = output(capsys, "{process: UsrOnly, version: 2}", "validate")
    assert "hint: its only version is 1" in shown


def test_a_number_that_several_versions_have_names_none_of_them(capsys: pytest.CaptureFixture[str]) -> None:
    site = "{url: https://a.example, auth: {username: integration, password: pa55-w0rd}}"
    Path("targets.yaml").write_text(f"runner: 1\ntargets:\n  here: {site}\n")
    members = "{UsrV: {version: 1, active: true}, PkgA_UsrV: {version: 2}, PkgB_UsrV: {version: 2}}"
    Path("here.catalog.yaml").write_text(
        "runner: 1\nsite: https://a.example\nprocesses:\n"
        f"  UsrV: {{version: 1, runnable: true, members: {members}, parameters: {{}}}}\n"
    )
    for number, code in ((1, 0), (2, 2)):
        call = f"run: {{process: UsrV, version: {number}}}"
        Path("a.job.yaml").write_text(f"runner: 1\nname: a\ntarget: here\nsteps:\n  - {call}\n")
        assert ended(["validate", "a.job.yaml"]) == code
    shown = capsys.readouterr().out
    assert "error[E224]: 2 versions of `UsrV` have the number 2: " in shown
    assert "`PkgA_UsrV`" in shown


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("call", ["{process: UsrTours, version: 1, parameters: {Title: x}, results: [Old]}"])
def test_what_it_takes_and_gives_is_the_named_versions(call: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert output(capsys, call, "validate")[0] == 0
    code, shown = output(capsys, call.replace("version: 1", "version: 3"), "validate")
    assert (code, "E145" in shown, "E146" in shown) == (2, True, True)
    code, shown = output(capsys, call.replace("version: 1, ", ""), "validate")
    assert (code, "E145" in shown, "E146" in shown) == (2, True, True)


@pytest.mark.usefixtures("here")
def test_a_version_is_run_while_another_is_active_or_none(capsys: pytest.CaptureFixture[str]) -> None:
    call = "{process: UsrTours, version: 1, parameters: {Title: x}}"
    code, shown = output(capsys, call, "run")
    assert (code, "Run UsrTours, version 1" in shown) == (0, True)
    newest = Path("doubles/UsrTours_v2.process.yaml")
    newest.write_text(newest.read_text().replace("active: true", "active: false"))
    root = Path("doubles/UsrTours.process.yaml")
    root.write_text(root.read_text().replace("process: UsrTours", "process: UsrTours\nactive: false"))
    assert output(capsys, call, "run")[0] == 0
    assert "E170" in output(capsys, "{process: UsrTours}", "validate")[1]
    assert "run UsrTours, version 1, until done" in output(capsys, call, "plan")[1]


def test_what_is_not_allowed_is_not_allowed_in_any_version(
    here: ServedSandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("a.job.yaml").write_text(
        "runner: 1\nname: a\ntarget: here\nsteps:\n  - run: {process: UsrTours, version: 1}\n"
    )
    Path("targets.yaml").write_text(here.targets(more="    allow: {processes: [UsrOnly]}\n"))
    assert ended(["run", "a.job.yaml"]) == 6
    assert "UsrTours" in capsys.readouterr().err
    assert here.starts() == []
