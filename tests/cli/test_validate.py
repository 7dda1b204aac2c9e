"""What `validate` takes and prints, beyond jobs: see `tests/cases` for these."""

import json
import shutil
from pathlib import Path

import pytest
from captured import Capture

from runner.cli.main import ended

SANDBOX = Path(__file__).parents[2] / "specs" / "sandbox"
JOB = "runner: 1\nname: a\ntarget: sandbox\nsteps:\n  - execute: {process: UsrGetAllContacts}\n"


@pytest.fixture(autouse=True)
def project(tmp_path: Path) -> Path:
    """A right job on a sandbox of its own."""
    shutil.copytree(SANDBOX, tmp_path / "sandbox")
    (tmp_path / "targets.yaml").write_text("runner: 1\ntargets: {sandbox: {sandbox: sandbox}}\n")
    (tmp_path / "a.job.yaml").write_text(JOB)
    return tmp_path


def said(capsys: Capture, *arguments: str) -> tuple[int, str, str]:
    code = ended(["validate", *arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_a_targets_file_is_checked_as_one(project: Path, capsys: Capture) -> None:
    (project / "targets.yaml").write_text("runner: 1\ntargets: {sandbox: {sandbx: sandbox}}\n")
    code, out, _ = said(capsys, "targets.yaml")
    assert code == 2
    assert "targets.yaml:2:21: error[E104]: unknown key `sandbx`" in out


def test_a_targets_file_that_is_right_is_counted(capsys: Capture) -> None:
    assert said(capsys, "targets.yaml") == (0, "", "1 file, no mistakes; checked, too: the doubles in sandbox\n")


def test_the_sandboxes_of_a_targets_file_are_checked_with_it(project: Path, capsys: Capture) -> None:
    (project / "sandbox" / "UsrX.process.yaml").write_text("runner: 1\nproces: UsrX\n")
    code, out, _ = said(capsys, "targets.yaml")
    assert code == 2
    assert "sandbox/UsrX.process.yaml:2:1: error[E104]" in out


def test_a_double_is_checked_with_those_beside_it(project: Path, capsys: Capture) -> None:
    shutil.copy(project / "sandbox" / "UsrGetAllContacts.process.yaml", project / "sandbox" / "UsrX.process.yaml")
    code, out, _ = said(capsys, "sandbox/UsrX.process.yaml")
    assert code == 2
    assert "error[E111]: `UsrGetAllContacts` has a double already" in out


def test_a_mistake_that_is_met_on_two_ways_is_reported_once(project: Path, capsys: Capture) -> None:
    (project / "sandbox" / "UsrX.process.yaml").write_text("runner: 1\nproces: UsrX\n")
    _, out, err = said(capsys, "a.job.yaml", "targets.yaml", "sandbox/UsrX.process.yaml")
    assert out.count("unknown key `proces`") == 1
    assert err.startswith("1 error in 1 file;")


def test_all_that_was_named_is_counted(capsys: Capture) -> None:
    *_, err = said(capsys, ".", "targets.yaml", "sandbox/UsrGetAllContacts.process.yaml")
    assert err == "3 files, no mistakes; checked, too: the doubles in sandbox\n"


def test_warnings_are_counted_beside_what_is_right(project: Path, capsys: Capture) -> None:
    job = "runner: 1\nname: b\nsteps:\n  - execute: {process: UsrAdd, result: Rows}\n    expect: [result is defined]\n"
    (project / "b.job.yaml").write_text(job)
    code, out, err = said(capsys, "b.job.yaml")
    none = "checked against no target, as they name none: `b.job.yaml`; `-t NAME` names a target\n"
    assert (code, err) == (0, f"1 file, no mistakes, 1 warning in 1 file; checked, too: targets.yaml\n{none}")
    assert "b.job.yaml:5:14: warning[E117]: " in out


def test_a_folder_without_jobs_is_no_pass(capsys: Capture) -> None:
    Path("empty").mkdir()
    assert said(capsys, "empty") == (5, "", "there is no *.job.yaml in empty\n")


def test_a_folder_of_doubles_is_checked_as_one(project: Path, capsys: Capture) -> None:
    doubles = len(list((project / "sandbox").glob("*.process.yaml")))
    assert said(capsys, "sandbox") == (0, "", f"{doubles} files, no mistakes\n")
    (project / "sandbox" / "UsrX.process.yaml").write_text("runner: 1\nproces: UsrX\n")
    code, out, _ = said(capsys, "sandbox")
    assert code == 2
    assert "sandbox/UsrX.process.yaml:2:1: error[E104]" in out


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("sandbox/records.yaml", "Contact: 1\n", "sandbox/records.yaml:1:10: error"),
        ("staging.catalog.yaml", "runner: 1\nsite: 1\nprocesses: {}\n", "staging.catalog.yaml:2:7: error[E106]"),
    ],
)
def test_what_jobs_lean_on_is_checked_as_what_it_is(
    name: str, text: str, *, expected: str, project: Path, capsys: Capture
) -> None:
    (project / name).write_text(text)
    code, out, _ = said(capsys, name)
    assert code == 2
    assert expected in out


STAGING = "runner: 1\ntargets: {sandbox: {sandbox: sandbox}, staging: {url: https://staging.example.com}}\n"
CATALOGUE = "runner: 1\nsite: https://staging.example.com\nprocesses: {UsrOther: {runnable: true}}\n"


def test_jobs_are_held_against_a_target_that_is_named(
    project: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "targets.yaml").write_text(STAGING)
    (project / "staging.catalog.yaml").write_text(CATALOGUE)
    (project / "a.job.yaml").write_text(JOB.replace("target: sandbox\n", ""))
    assert said(capsys, ".")[0] == 0
    code, out, _ = said(capsys, ".", "-t", "staging")
    assert code == 2
    assert "a.job.yaml:4:24: error[E144]" in out
    (project / "b.job.yaml").write_text(JOB.replace("sandbox\n", "stagign\n").replace("name: a", "name: b"))
    assert "b.job.yaml:3:9: warning[E141]: unknown target `stagign`" in said(capsys, ".", "-t", "env")[1]
    (project / "b.job.yaml").write_text(JOB.replace("sandbox\n", "elsewhere\n").replace("name: a", "name: b"))
    assert "elsewhere" not in said(capsys, ".", "-t", "env")[1], "another targets file may have it"
    (project / "b.job.yaml").unlink()
    assert said(capsys, ".", "-t", "env")[0] == 0, "it reads no environment, so nothing is known of `env`"
    monkeypatch.setenv("CREATIO_RUNNER_TARGET", "stagin")
    code, out, _ = said(capsys, ".")
    assert code == 2
    assert "error[E141]: unknown target `stagin`\n   = hint: did you mean `staging`?" in out


def test_a_mistake_names_the_command_that_explains_it(project: Path, capsys: Capture) -> None:
    (project / "a.job.yaml").write_text(JOB + "stepz: []\n")
    *_, err = said(capsys, ".")
    assert err == "1 error in 1 file; `runner explain E104` says more\n"


def test_github_gets_a_command_a_mistake(project: Path, capsys: Capture) -> None:
    (project / "a.job.yaml").write_text(JOB + "stepz: []\n")
    code, out, _ = said(capsys, ".", "--format", "github")
    assert code == 2
    assert out.startswith("::error title=E104,file=a.job.yaml,line=6,endLine=6,col=1,endColumn=6::a.job.yaml:6:1: ")


def test_a_site_without_a_catalogue_is_named_since_its_processes_and_parameters_were_not_checked(
    project: Path, capsys: Capture
) -> None:
    sites = "a: {url: 'https://a.example.com', runtime: net}, b: {url: 'https://b.example.com', runtime: net}"
    (project / "targets.yaml").write_text(f"runner: 1\ntargets: {{sandbox: {{sandbox: sandbox}}, {sites}}}\n")
    unchecked = "names of processes and parameters were not checked: "
    assert unchecked not in said(capsys, "a.job.yaml")[2]
    code, _, err = said(capsys, "a.job.yaml", "-t", "a", "-t", "b")
    assert code == 0
    assert f"{unchecked}`a` and `b` have no catalogue; `runner catalog pull -t a` fetches what the site has\n" in err
    err = said(capsys, "a.job.yaml", "-t", "a", "--targets", "targets.yaml")[2]
    assert "; `runner catalog pull -t a --targets targets.yaml` fetches" in err
    (project / "my jobs").mkdir()
    for name in ("a.job.yaml", "targets.yaml"):
        (project / "my jobs" / name).write_bytes((project / name).read_bytes())
    err = said(capsys, "my jobs", "-t", "a")[2]
    assert "; `runner catalog pull -t a --targets 'my jobs/targets.yaml'` fetches" in err
    (project / "a.catalog.yaml").write_text(
        "runner: 1\nsite: https://a.example.com\npulled: {at: '2026-01-31T09:00:00Z', by: alice}\n"
        "processes:\n  UsrGetAllContacts: {version: 1, runnable: true, parameters: {}, elements: {}}\n"
    )
    assert f"{unchecked}`b` has no catalogue; " in said(capsys, "a.job.yaml", "-t", "a", "-t", "b")[2]
    (project / "a.job.yaml").write_text(JOB.replace("execute: {process: UsrGetAllContacts}", "pause: 1s"))
    assert unchecked not in said(capsys, "a.job.yaml", "-t", "b")[2]


def test_sarif_is_written_also_where_there_is_no_mistake(capsys: Capture) -> None:
    code, out, _ = said(capsys, ".", "--format", "sarif")
    assert code == 0
    assert json.loads(out)["runs"][0]["results"] == []


def test_what_a_job_leans_on_is_named_where_it_was_checked_and_what_was_not(project: Path, capsys: Capture) -> None:
    checked = "1 file, no mistakes; checked, too: targets.yaml, the doubles in sandbox\n"
    assert said(capsys, "a.job.yaml") == (0, "", checked)
    assert said(capsys, "a.job.yaml", "targets.yaml", "sandbox")[2].endswith("; checked, too: the doubles in sandbox\n")
    (project / "targets.yaml").unlink()
    (project / "a.job.yaml").write_text(JOB.replace("target: sandbox\n", ""))
    assert said(capsys, "a.job.yaml")[2].endswith("; there is no targets file, so no doubles were checked\n")


@pytest.mark.parametrize(
    ("allow", "hint"),
    [("", "ask who runs the target"), (", allow: {entities: [Contact]}", "did you mean `Contact`? else ask who runs")],
)
def test_a_change_of_a_record_that_the_target_does_not_allow_is_a_mistake(
    project: Path, capsys: pytest.CaptureFixture[str], allow: str, hint: str
) -> None:
    (project / "targets.yaml").write_text(f"runner: 1\ntargets: {{live: {{url: 'https://example.com'{allow}}}}}\n")
    signal = "{update: {entity: Contacts, id: 410a6e1c-5f3a-4b7e-9d21-0a1b2c3d4e01, values: {Name: x}}}"
    (project / "a.job.yaml").write_text(f"runner: 1\nname: a\ntarget: live\nsteps: [{{signal: {signal}}}]\n")
    code, out, _ = said(capsys, "a.job.yaml")
    assert code == 2
    assert "error[E161]" in out
    assert hint in out


OF_A_LIST = """runner: 1
name: a
steps:
  - query: {entity: Contact, select: [Total]}
    expect:
      - %s
"""


@pytest.mark.parametrize(
    ("written", "pasted"),
    [
        ("{that: result.Total > 0, message: none}", 'that: "result[0].Total > 0"'),
        ("{that: result.Total == 'a', message: none}", "that: \"result[0].Total == 'a'\""),
        ('{that: result.Total == "a", message: none}', "that: 'result[0].Total == \"a\"'"),
    ],
)
def test_a_proposed_text_that_would_break_a_flow_mapping_is_proposed_in_quotes(
    project: Path, capsys: Capture, written: str, pasted: str
) -> None:
    (project / "a.job.yaml").write_text(OF_A_LIST % written)
    code, out, _ = said(capsys, "a.job.yaml")
    assert code == 2
    assert f"; inside `{{ }}` put the whole text in quotes: `{pasted}`\n" in out
    (project / "a.job.yaml").write_text(OF_A_LIST % f"{{{pasted}, message: none}}")
    assert said(capsys, "a.job.yaml")[0] == 0


def test_an_item_of_a_flow_list_is_proposed_in_quotes_and_other_texts_as_they_are(
    project: Path, capsys: Capture
) -> None:
    quotes = "put the whole text in quotes"
    (project / "a.job.yaml").write_text(OF_A_LIST.replace("\n      - %s", " [result.Total > 0]"))
    assert f'inside `[ ]` {quotes}: `"result[0].Total > 0"`' in said(capsys, "a.job.yaml")[1]
    for text in ("result.Total > 0", '{that: "result.Total > 0", message: none}'):
        (project / "a.job.yaml").write_text(OF_A_LIST % text)
        code, out, _ = said(capsys, "a.job.yaml")
        assert code == 2
        assert quotes not in out


def test_a_path_from_outside_is_shown_without_the_way_back(
    project: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "a.job.yaml").write_text(JOB.replace("name:", "nmae:"))
    (project / "below").mkdir()
    monkeypatch.chdir(project / "below")
    assert said(capsys, "../a.job.yaml")[1].startswith(f"{project}/a.job.yaml:")


def test_a_path_through_a_link_is_not_shortened(
    project: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "other" / "inner").mkdir(parents=True)
    (project / "below").mkdir()
    (project / "below" / "link").symlink_to(project / "other" / "inner")
    (project / "other" / "b.job.yaml").write_text(JOB.replace("name:", "nmae:"))
    monkeypatch.chdir(project / "sandbox")
    path = f"{project}/below/link/../b.job.yaml"
    assert said(capsys, path)[1].startswith(f"{path}:")


def test_a_target_that_cannot_be_read_is_not_reported_as_unknown_too(capsys: Capture) -> None:
    Path("targets.yaml").write_text("runner: 1\ntargets: {staging: {url: https://staging.example.com}}\n")
    Path("a.job.yaml").write_text("runner: 1\nname: a\ntarget: !vault |\n  abc\nsteps: [{pause: 1ms}]\n")
    assert ended(["validate", "a.job.yaml"]) == 2
    printed = capsys.readouterr()
    assert "error[E102]: tags are not read here, as `!vault`" in printed.out
    assert "E141" not in printed.out
    assert "1 error in 1 file" in printed.err


SANDBOX_WITH = "runner: 1\ntargets: {sandbox: {sandbox: sandbox, allow: {%s}}, live: {url: 'https://x.example.com'}}\n"


@pytest.mark.parametrize("named", ["targets.yaml", "a.job.yaml"])
def test_what_a_target_allows_is_held_against_what_it_has(named: str, project: Path, capsys: Capture) -> None:
    allow = "processes: [UsrGetAllContact, Usr*Smoke*, Usr*], entities: [Contakt, Con*]"
    (project / "targets.yaml").write_text(SANDBOX_WITH % allow)
    code, out, _ = said(capsys, named)
    assert code == 0
    assert [line.partition(": ")[2] for line in out.splitlines() if "warning[" in line or "hint" in line] == [
        "warning[E198]: `sandbox` has no process that fits `UsrGetAllContact`",
        "did you mean `UsrGetAllContacts`?",
        "warning[E198]: `sandbox` has no process that fits `Usr*Smoke*`",
        (
            "it has `UsrAddNewExternalContact`, `UsrCancelOnboarding`, `UsrCheckDiscount`, `UsrDeleteContact`, "
            "`UsrGetAllContacts`, `UsrGetOnboardingStage`, `UsrOnboardContact`, `UsrRecalculateScores` and 1 more"
        ),
        "warning[E198]: `sandbox` has no entity that fits `Contakt`",
        "did you mean `Contact`?",
    ]


def test_a_reading_whose_double_changes_records_is_warned_of(project: Path, capsys: Capture) -> None:
    delete = "{process: UsrDeleteContact, parameters: {ContactId: 11111111-1111-1111-1111-111111111111}}"
    job = JOB.replace("{process: UsrGetAllContacts}", delete)
    for effect, count in (("read", 1), ("idempotent", 0)):
        (project / "a.job.yaml").write_text(f"{job}    effect: {effect}\n")
        code, out, _ = said(capsys, "a.job.yaml")
        assert (code, out.count("warning[E107]")) == (0, count)
    assert out.count("warning[") == 0


def test_what_a_target_allows_is_not_judged_where_nobody_knows_what_it_has(project: Path, capsys: Capture) -> None:
    live = "runner: 1\ntargets: {live: {url: 'https://x.example.com', allow: {processes: [UsrX], entities: [Y]}}}\n"
    (project / "targets.yaml").write_text(live)
    assert said(capsys, "targets.yaml") == (0, "", "1 file, no mistakes\n")
    assert "warning" not in said(capsys, "a.job.yaml", "-t", "live")[1]


def test_a_pattern_that_is_no_pattern_is_reported_once(project: Path, capsys: Capture) -> None:
    (project / "targets.yaml").write_text(SANDBOX_WITH % "processes: ['^Usr.*$']")
    assert said(capsys, "targets.yaml")[1].count("warning[") == 1


def test_with_strict_a_warning_is_exit_2(project: Path, capsys: Capture) -> None:
    assert said(capsys, "a.job.yaml", "--strict")[0] == 0
    (project / "a.job.yaml").write_text(JOB.replace("steps:", "inputs: {password: {type: string}}\nsteps:"))
    code, out, _ = said(capsys, "a.job.yaml")
    assert (code, "warning[E166]" in out) == (0, True)
    code, strict_out, err = said(capsys, "a.job.yaml", "--strict")
    assert (code, strict_out) == (2, out)
    assert err == "1 warning in 1 file; `runner explain E166` says more\n"
