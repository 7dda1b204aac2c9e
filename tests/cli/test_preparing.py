"""From the words of a command to its runs: jobs by cases by targets, and every mistake before anything is sent."""

import json
from pathlib import Path

import pytest
from captured import Capture

from runner.cli.main import ended
from runner.execution.prepare import prepare
from runner.execution.run_spec import RunSet, Wanted
from runner.foundation.problems import UsageError
from runner.targets.model import SiteTarget

JOB = """runner: 1
name: {name}
tags: [{tags}]
target: one
inputs: {{phone: {{type: string, default: none}}, limit: {{type: integer, default: 1}}}}
steps: [{{execute: {{process: UsrSmoke}}, if: inputs.limit > 0}}]
"""
TARGETS = "runner: 1\ntargets:\n" + "".join(
    f"  {name}: {{url: 'https://{name}.example.com'}}\n" for name in ("one", "two", "three")
)


@pytest.fixture(autouse=True)
def _its_files() -> None:
    Path("targets.yaml").write_text(TARGETS)


def job(name: str = "smoke", *, cases: str = "", tags: str = "") -> None:
    Path(f"{name}.job.yaml").write_text(JOB.format(name=name, tags=tags) + cases)


def prepared(*specs: str, **options: object) -> RunSet:
    return prepare(Wanted(specs=[Path(spec) for spec in specs or (".",)], **options))  # type: ignore[arg-type]


def titles(*specs: str, **options: object) -> list[str]:
    return [run.title for run in prepared(*specs, **options).runs]


def mistakes(**options: object) -> list[str]:
    with pytest.raises(UsageError) as refused:
        prepared(**options)
    return [problem.code for problem in refused.value.problems]


TWO = "cases: [{name: red, inputs: {limit: 2}}, {name: Blue, inputs: {phone: '5'}}]\n"


def test_a_job_with_cases_is_a_run_for_each_and_their_inputs_are_converted() -> None:
    job(cases=TWO)
    runs = prepared().runs
    assert [run.title for run in runs] == ["smoke[red]@one", "smoke[Blue]@one"]
    assert [run.inputs for run in runs] == [{"phone": "none", "limit": 2}, {"phone": "5", "limit": 1}]
    assert [run.case_index for run in runs] == [0, 1]


def test_runs_are_in_the_order_of_jobs_then_cases_then_targets_as_they_were_given() -> None:
    job("b", cases=TWO)
    job("a")
    assert titles("b.job.yaml", "a.job.yaml", targets=("two", "one")) == [
        "b[red]@two",
        "b[red]@one",
        "b[Blue]@two",
        "b[Blue]@one",
        "a@two",
        "a@one",
    ]


@pytest.mark.parametrize(
    ("keyword", "chosen"),
    [
        ("smoke", ["smoke[red]@one", "smoke[Blue]@one"]),
        ("BLUE", ["smoke[Blue]@one"]),
        ("e[r", ["smoke[red]@one"]),
        ("green", []),
        ("@one", []),
    ],
)
def test_a_keyword_is_a_part_of_job_and_case_in_any_case(keyword: str, chosen: list[str]) -> None:
    job(cases=TWO)
    assert titles(keywords=[keyword]) == chosen


def test_a_keyword_that_is_a_whole_name_takes_that_run_alone() -> None:
    job(cases="cases: [{name: de}, {name: DE}, {name: fr}]\n")
    assert titles(keywords=["smoke[de]"]) == ["smoke[de]@one"]
    assert titles(keywords=["smoke[de]", "FR"]) == ["smoke[de]@one", "smoke[fr]@one"]
    assert titles(keywords=["[de]"]) == ["smoke[de]@one", "smoke[DE]@one"]


def test_a_case_that_was_not_selected_keeps_the_number_of_the_others() -> None:
    job(cases=TWO)
    (run,) = prepared(keywords=["blue"]).runs
    assert run.case_index == 1


def test_cases_come_from_a_table_and_none_in_it_is_a_mistake_of_all_that_is_run() -> None:
    job(cases="cases: cases.csv\n")
    Path("cases.csv").write_text("name,phone,limit\nred,0049,7\n")
    assert [run.inputs for run in prepared().runs] == [{"phone": "0049", "limit": 7}]
    Path("cases.csv").write_text("name,phone,limit\n")
    assert ended(["run", "."]) == 2
    assert ended(["run", ".", "--allow-empty"]) == 2
    job("other")
    assert mistakes() == ["E108"]


def test_what_is_given_counts_more_than_a_case_and_a_case_more_than_a_default(monkeypatch: pytest.MonkeyPatch) -> None:
    job(cases=TWO)
    monkeypatch.setenv("CREATIO_RUNNER_INPUT_PHONE", "from the environment")
    assert [run.inputs for run in prepared(given=["limit=9"]).runs] == [
        {"phone": "from the environment", "limit": 9}
    ] * 2


def test_the_inputs_of_all_runs_are_checked_before_any_of_them_begins() -> None:
    job("a", cases="cases: [{name: red, inputs: {limit: many}}]\n")
    job("b")
    assert mistakes() == ["E132"]
    job("a", cases=TWO.replace("}]", "}, {name: green}]"))
    Path("b.job.yaml").write_text(JOB.format(name="b", tags="").replace(", default: none", ""))
    assert mistakes() == ["E130"]


@pytest.mark.parametrize(
    ("cases", "place"),
    [("cases: cases.csv\n", ("cases.csv", 1)), ("cases: [{name: red}, {name: blue}]\n", ("a.job.yaml", 7))],
)
def test_a_required_input_that_no_case_gives_is_one_mistake_at_the_head_of_the_cases(
    cases: str, place: tuple[str, int]
) -> None:
    Path("cases.csv").write_text("name,limit\nred,1\nblue,2\n")
    Path("a.job.yaml").write_text(JOB.format(name="a", tags="").replace(", default: none", "") + cases)
    with pytest.raises(UsageError) as refused:
        prepared()
    (problem,) = refused.value.problems
    assert (problem.code, problem.message) == ("E130", "no case gives the input `phone`, which is required")
    assert problem.span is not None
    assert (problem.file, problem.span.line) == place


def test_an_input_called_name_is_not_what_the_column_name_gives() -> None:
    text = JOB.format(name="a", tags="").replace("phone: {type: string, default: none}", "name: {type: string}")
    Path("a.job.yaml").write_text(f"{text}cases: [{{name: red}}]\n")
    with pytest.raises(UsageError) as refused:
        prepared()
    assert refused.value.problems[0].hint == "write `case.name`, or call the input otherwise: `name` names a case"


def test_a_secret_that_no_case_gives_is_not_to_be_written_into_the_cases() -> None:
    job = JOB.format(name="a", tags="").replace(", default: none", ", secret: true")
    Path("a.job.yaml").write_text(f"{job}cases: [{{name: red}}]\n")

    with pytest.raises(UsageError) as refused:
        prepared()

    (problem,) = refused.value.problems
    assert problem.hint == "give it with `-i phone=@FILE`, `-i phone=@-`, `CREATIO_RUNNER_INPUT_PHONE` or `--inputs`"


def test_an_input_that_no_case_gives_may_come_from_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREATIO_RUNNER_INPUT_PHONE", "5")
    text = JOB.format(name="a", tags="").replace(", default: none", "")
    Path("a.job.yaml").write_text(text + "cases: [{name: red}, {name: blue}]\n")
    assert [run.inputs["phone"] for run in prepared().runs] == ["5", "5"]


def test_a_mistake_in_a_given_value_is_reported_once_however_many_cases_there_are() -> None:
    job(cases=TWO)
    assert mistakes(given=["limit=x", "other=1"]) == ["E131", "E132"]


def test_a_target_that_is_named_twice_is_one_and_one_that_is_not_known_refuses_all(capsys: Capture) -> None:
    job()
    assert ended(["plan", ".", "-t", "two", "-t", "two"]) == 0
    assert capsys.readouterr().out.count("smoke on two") == 1
    assert mistakes(targets=("one", "thre")) == ["E141"]
    assert ended(["plan", ".", "-t", "two,thre"]) == 2
    assert "`-t two -t thre`" in capsys.readouterr().err


def test_several_targets_have_a_twin_in_the_environment(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    job()
    monkeypatch.setenv("CREATIO_RUNNER_TARGET", "two three")
    assert ended(["plan", "."]) == 0
    out = capsys.readouterr().out
    assert out.index("smoke on two") < out.index("smoke on three")


def test_the_environment_is_a_target_of_its_own_and_needs_no_targets_file(monkeypatch: pytest.MonkeyPatch) -> None:
    job()
    Path("targets.yaml").unlink()
    Path("smoke.job.yaml").write_text(JOB.format(name="smoke", tags="").replace("target: one\n", ""))
    monkeypatch.setenv("CREATIO_URL", "https://env.example.com")
    monkeypatch.setenv("CREATIO_USERNAME", "somebody")
    assert mistakes(targets=("env",)) == ["E142"]
    monkeypatch.setenv("CREATIO_PASSWORD", "pa55-w0rd")
    (run,) = prepared(targets=("env",)).runs
    assert isinstance(run.target, SiteTarget)
    assert run.title == "smoke@env"


def test_an_environment_of_clio_is_a_target_and_a_safe_one_is_protected(monkeypatch: pytest.MonkeyPatch) -> None:
    job()
    registry = {"Environments": {"live": {"Uri": "https://x", "Login": "u", "Password": "p", "Safe": True}}}
    Path("appsettings.json").write_text(json.dumps(registry))
    monkeypatch.setenv("CLIO_HOME", str(Path.cwd()))
    runs = prepared(targets=("one", "clio:live")).runs
    assert [run.title for run in runs] == ["smoke@one", "smoke@clio:live"]
    assert isinstance(runs[1].target, SiteTarget)
    assert runs[1].target.protected
    assert mistakes(targets=("clio:lve",)) == ["E141"]


def test_the_texts_of_included_jobs_travel_with_the_run() -> None:
    Path("inner").mkdir()
    Path("inner/inner.job.yaml").write_text(JOB.format(name="inner", tags="").replace("target: one\n", ""))
    Path("outer.job.yaml").write_text(
        "runner: 1\nname: outer\ntarget: one\nsteps: [{job: {file: inner/inner.job.yaml}}]\n"
    )
    (run,) = prepared("outer.job.yaml").runs
    assert run.sources == {name: Path(name).read_text() for name in ("outer.job.yaml", "inner/inner.job.yaml")}


def test_tags_and_keywords_choose_together() -> None:
    job("a", cases=TWO, tags="fast")
    job("b", cases=TWO, tags="slow")
    assert titles(tags="not slow", keywords=["red"]) == ["a[red]@one"]


def test_only_a_job_that_is_selected_is_checked_against_the_target_that_the_command_names() -> None:
    job("a")
    job("b", tags="fast")
    Path("two.catalog.yaml").write_text("runner: 1\nsite: https://two.example.com\nprocesses: {}\n")
    assert mistakes(targets=("two",), keywords=["b"]) == ["E144"]
    Path("two.catalog.yaml").write_text(
        "runner: 1\nsite: https://two.example.com\nprocesses:\n  UsrOther: {runnable: true}\n"
    )
    Path("b.job.yaml").write_text(Path("b.job.yaml").read_text().replace("UsrSmoke", "UsrOther"))
    assert titles(targets=("two",), keywords=["b"]) == ["b@two"]
    assert titles(targets=("two",), tags="fast") == ["b@two"]
    assert mistakes(targets=("two",)) == ["E144"]


def test_a_job_is_held_against_the_targets_that_the_command_names_and_not_against_its_own() -> None:
    job()
    Path("one.catalog.yaml").write_text("runner: 1\nsite: https://one.example.com\nprocesses: {}\n")
    assert mistakes() == ["E144"]
    assert titles(targets=("two",)) == ["smoke@two"]
    Path("two.catalog.yaml").write_text("runner: 1\nsite: https://two.example.com\nprocesses: {}\n")
    assert mistakes(targets=("two", "three")) == ["E144"]
    assert titles(targets=("three",)) == ["smoke@three"]


def test_of_a_targets_file_a_command_is_warned_of_the_targets_that_it_uses() -> None:
    job()
    sites = "".join(
        f"  {name}: {{url: https://{name}.example.com, runtime: net, auth: {{username: a, password: plain-{name}}}}}\n"
        for name in ("one", "two", "three")
    )
    Path("targets.yaml").write_text(f"runner: 1\ntargets:\n{sites}")
    warned = [warning.path[1] for warning in prepared(targets=("two", "three")).warnings if warning.code == "E166"]
    assert warned == ["two", "three"]
