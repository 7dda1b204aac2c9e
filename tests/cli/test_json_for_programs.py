"""What verbs print for programs, with `--format json`, fits the shipped schemas, and has no key beside them."""

import json
from pathlib import Path

import pytest
from captured import Capture
from strict_schema import flaws

from runner.cli.main import ended
from runner.foundation.values import JsonObject, items, record

JOB = """runner: 1
name: a
target: sandbox
inputs: {n: {type: integer, default: 1}, gone: {type: boolean, default: false}}
cases: [{name: red, inputs: {n: 2}}, {name: green, inputs: {n: 1}}]
steps:
  - id: look
    pause: 1ms
    expect: ['inputs.n == 1']
  - id: each
    for_each: [1, 2]
    if: not inputs.gone
    execute: {process: UsrA, parameters: {X: "{{ item }}"}}
"""
DOUBLE = "runner: 1\nprocess: UsrA\nparameters: {X: {type: integer, direction: in}}\n"


@pytest.fixture(autouse=True)
def _its_files() -> None:
    Path("sandbox").mkdir()
    Path("sandbox/UsrA.process.yaml").write_text(DOUBLE)
    Path("a.job.yaml").write_text(JOB)


def printed(capsys: Capture, name: str, *arguments: str, exits: int = 0) -> JsonObject:
    """What the verb `name` prints, which fits the schema of this name."""
    capsys.readouterr()
    assert ended([name, *arguments, "--format", "json"]) == exits
    found: JsonObject = json.loads(capsys.readouterr().out)
    assert flaws(name, found) == []
    return found


def records(within: JsonObject, key: str) -> list[JsonObject]:
    return [record(item) for item in items(within[key])]


def stored() -> list[str]:
    return sorted(folder.name for folder in Path(".runner/runs").iterdir())


def test_stored_runs_fit_their_schema_whatever_became_of_them(capsys: Capture) -> None:
    printed(capsys, "runs")
    assert ended(["run", "a.job.yaml"]) == 1
    events = Path(".runner/runs", stored()[0], "events.jsonl")
    whole = events.read_text()
    printed(capsys, "runs")
    events.write_text("".join(whole.splitlines(keepends=True)[:3]))
    broken = printed(capsys, "runs")
    assert not all(run["finished"] for run in broken["runs"])  # type: ignore[index, union-attr, call-overload]  # records
    events.write_text(whole.replace('"a"', '"b"'))
    printed(capsys, "runs")
    events.write_text("")
    printed(capsys, "runs")


def test_a_run_is_shown_as_its_json_report(capsys: Capture) -> None:
    assert ended(["run", "a.job.yaml", "-k", "red", "--report-json", "report.json"]) == 1
    capsys.readouterr()
    assert ended(["show", "last", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(Path("report.json").read_text())
    assert ended(["show", "last", "look", "--format", "json"]) == 2
    assert flaws("validate", json.loads(capsys.readouterr().out)) == []


def test_the_history_fits_its_schema(capsys: Capture) -> None:
    printed(capsys, "history")
    for _ in range(2):
        assert ended(["run", "a.job.yaml"]) == 1
    names = printed(capsys, "history")["names"]
    assert isinstance(names, list)
    assert len(names) == 2


def test_differences_of_runs_fit_their_schema(capsys: Capture) -> None:
    assert ended(["run", "a.job.yaml"]) == 1
    assert ended(["run", "a.job.yaml", "-k", "green", "-i", "gone=true"]) == 0
    red, green, gone = stored()
    assert printed(capsys, "diff", red, red)["same"] is True
    assert printed(capsys, "diff", red, green, exits=1)["same"] is False
    assert printed(capsys, "diff", green, gone, exits=1)["rows"]


def test_mistakes_and_jobs_fit_their_schemas(capsys: Capture) -> None:
    assert printed(capsys, "validate", "a.job.yaml")["problems"] == []
    more = "inputs: {t: {type: string, secret: true}, x: {}, y: {type: [string, 'null'], default: null}}"
    Path("b.job.yaml").write_text(f"runner: 1\nname: b\n{more}\nsteps: [{{pause: 1ms}}]\n")
    found = printed(capsys, "list", ".")
    (_, listed) = records(found, "jobs")
    assert found["problems"] == []
    assert [list(declared) for declared in records(listed, "inputs")][2][-1] == "default"
    Path("b.job.yaml").write_text("runner: 1\nname: b\ntargte: sandbox\nsteps: [{pause: 1ms}]\n")
    (problem,) = records(printed(capsys, "validate", ".", exits=2), "problems")
    assert (problem["code"], problem["line"], problem["hint"]) == ("E104", 3, "did you mean `target`?")
    found = printed(capsys, "list", ".", exits=2)
    assert [job["name"] for job in records(found, "jobs")] == ["a"]
    assert found["problems"] == [problem]


def test_what_was_found_on_the_way_to_a_target_fits_its_schema_and_has_what_the_text_says(capsys: Capture) -> None:
    sites = "  here: {url: 'http://127.0.0.1:9', auth: {username: a, password: '{{ env.NO_SUCH_WORD }}'}}\n"
    Path("targets.yaml").write_text(f"runner: 1\ntargets:\n  sandbox: {{sandbox: sandbox}}\n{sites}")
    found = printed(capsys, "doctor", "-t", "sandbox", "-t", "here", exits=2)
    assert found["exit_code"] == 2
    assert ended(["doctor", "-t", "sandbox", "-t", "here"]) == 2
    text = capsys.readouterr().out
    for target in records(found, "targets"):
        assert f"doctor {target['target']}\n" in text
        for finding in records(target, "findings"):
            verdict = str(finding["verdict"]).replace("_", " ")
            assert f"  {verdict:9}  {finding['step']:15}  " in text
            assert finding["hint"] is None or f"try: {finding['hint']}\n" in text


@pytest.mark.parametrize(
    ("command", "exits"),
    [
        ("validate nowhere", 2),
        ("list nowhere", 2),
        ("list a.job.yaml --lsit", 2),
        ("apply a.job.yaml -t nowhere", 2),
        ("apply wrong.job.yaml", 2),
        ("runs --since never", 2),
        ("history nothing", 2),
        ("diff last", 2),
        ("status", 2),
        ("doctor -t nowhere", 2),
        ("explain E999", 2),
        ("catalog check -t nowhere", 2),
        ("catalog check -t here --catalog here.catalog.yaml", 3),
        ("catalog diff here here", 3),
        ("catalog lint nowhere", 2),
    ],
)
def test_a_command_that_ends_early_prints_why_for_programs_too(capsys: Capture, command: str, exits: int) -> None:
    site = "{url: 'http://127.0.0.1:9', auth: {username: a, password: b}}"
    Path("targets.yaml").write_text(f"runner: 1\ntargets:\n  sandbox: {{sandbox: sandbox}}\n  here: {site}\n")
    Path("here.catalog.yaml").write_text("runner: 1\nprocesses: {}\n")
    Path("wrong.job.yaml").write_text(JOB.replace("target:", "targte:"))
    assert ended([*command.split(), "--format", "json"]) == exits
    printed = capsys.readouterr()
    found = json.loads(printed.out)
    assert flaws("validate", found) == []
    assert all(f"{problem['severity']}[{problem['code']}]" in printed.err for problem in found["problems"])
    assert found["problems"]
    assert ended(command.split()) == exits
    assert "{" not in capsys.readouterr().out


def test_mistakes_that_end_a_command_are_in_the_form_that_was_asked_for(capsys: Capture) -> None:
    assert ended(["validate", "nowhere", "--format=github"]) == 2
    assert capsys.readouterr().out.startswith("::error title=E100::there is no file `nowhere`")
    assert ended(["run", "nowhere", "--format", "json"]) == 2
    assert capsys.readouterr().out == ""


def test_which_targets_are_ready_fits_its_schema(capsys: Capture) -> None:
    site = "{url: 'http://127.0.0.1:9', auth: {username: a, password: b}, ready: {for: 200ms, every: 20ms}}"
    Path("targets.yaml").write_text(f"runner: 1\ntargets:\n  sandbox: {{sandbox: sandbox}}\n  here: {site}\n")
    assert printed(capsys, "ready", "-t", "sandbox")["targets"] == [{"target": "sandbox", "ready": True}]
    found = printed(capsys, "ready", "-t", "sandbox", "-t", "here", exits=3)
    assert found["targets"] == [{"target": "sandbox", "ready": True}, {"target": "here", "ready": False}]
    assert [problem["code"] for problem in records(found, "problems")] == ["E317"]


def test_where_nothing_is_selected_apply_prints_its_document(capsys: Capture) -> None:
    assert printed(capsys, "apply", "a.job.yaml", "--tags", "nightly", exits=5)["exit_code"] == 5
    assert printed(capsys, "apply", "a.job.yaml", "--tags", "nightly", "--allow-empty")["versions"] == []


def test_differences_of_catalogues_and_explanations_fit_their_schemas(capsys: Capture) -> None:
    for name, code in (("one", "UsrA"), ("two", "UsrB")):
        Path(f"{name}.catalog.yaml").write_text(f"runner: 1\nprocesses:\n  {code}: {{runnable: true}}\n")
    assert ended(["catalog", "diff", "one.catalog.yaml", "two.catalog.yaml", "--format", "json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert flaws("catalog-diff", found) == []
    assert [each["process"] for each in found["differences"]] == ["UsrA", "UsrB"]
    explained = printed(capsys, "explain")
    assert len(records(explained, "codes")) > 100


@pytest.mark.parametrize(
    "name",
    [
        *(
            "validate",
            "list",
            "runs",
            "history",
            "diff",
            "apply",
            "status",
            "doctor",
            "ready",
            "catalog-diff",
            "explain",
        ),
    ],
)
def test_schemas_of_what_is_printed_are_printed_too(capsys: Capture, name: str) -> None:
    assert ended(["schema", name]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == name
