"""Job files with what they lean on; what each mistake reads like stands in `tests/wrong/`."""

import os
from itertools import pairwise
from pathlib import Path

import pytest

from runner.foundation.problems import Problem
from runner.foundation.values import pointer
from runner.job.actions import IncludedJob
from runner.project.job_files import JobFile, JobFiles
from runner.project.project import open_project

STEP = "execute: {process: A}"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with a `.git`, and another one beside it."""
    (tmp_path / "project" / ".git").mkdir(parents=True)
    (tmp_path / "project" / "below").mkdir()
    return tmp_path / "project"


def write(path: Path, *steps: str, more: str = "") -> Path:
    listed = "".join(f"  - {step}\n" for step in steps or (STEP,))
    name = path.name.removesuffix(".job.yaml")
    path.write_text(f"runner: 1\nname: {name}\n{more}steps:\n{listed}")
    return path


def including(*files: str) -> list[str]:
    return [f"job: {{file: {file}}}" for file in files]


class Reading:
    """Job files opened one after the other, and what was reported of them."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.names: list[str] = []
        self.jobs = JobFiles(called=self.called, problems=self.problems)

    def called(self, path: Path) -> str:
        self.names.append(path.name)
        return path.name

    def open(self, path: Path) -> JobFile:
        opened = self.jobs.open(path)
        assert opened is not None
        return opened

    def reported(self) -> list[str]:
        return [f"{problem.file} {problem.code} {pointer(problem.path)}" for problem in self.problems]


def reported(*paths: Path) -> list[str]:
    reading = Reading()
    for path in paths:
        reading.open(path)
    return reading.reported()


def test_a_path_is_relative_to_the_file_that_holds_it(project: Path) -> None:
    spec = write(project / "a.job.yaml", *including("below/b.job.yaml"))
    write(project / "below" / "b.job.yaml", *including("c.job.yaml", "../d.job.yaml"))
    write(project / "below" / "c.job.yaml")
    write(project / "d.job.yaml")

    reading = Reading()
    opened = reading.open(spec)

    assert reading.reported() == []
    assert list(opened.documents) == ["a.job.yaml", "b.job.yaml", "c.job.yaml", "d.job.yaml"]
    assert opened.depth == 2


def test_a_path_stays_inside_the_project(project: Path) -> None:
    write(project.parent / "outside.job.yaml")
    spec = write(
        project / "below" / "a.job.yaml",
        *including("../../outside.job.yaml", str(project / "a.job.yaml"), "../b.job.yaml"),
    )
    write(project / "b.job.yaml")

    reading = Reading()
    reading.open(spec)
    assert reading.reported() == ["a.job.yaml E119 /steps/0/job/file", "a.job.yaml E119 /steps/1/job/file"]
    assert reading.problems[0].message == "`../../outside.job.yaml` leads out of the folder `project`"


def test_a_link_that_leads_out_of_the_project_is_no_way_around(project: Path) -> None:
    outside = write(project.parent / "outside.job.yaml")
    (project / "link.job.yaml").symlink_to(outside)
    (project.parent / "secrets.csv").write_text("name\npassword\n")
    (project / "cases.csv").symlink_to(project.parent / "secrets.csv")
    spec = write(project / "a.job.yaml", *including("link.job.yaml"), more="cases: cases.csv\n")

    assert sorted(reported(spec)) == ["a.job.yaml E119 /cases", "a.job.yaml E119 /steps/0/job/file"]


def test_a_link_inside_the_project_is_the_file_that_it_leads_to(project: Path) -> None:
    write(project / "below" / "b.job.yaml", *including("c.job.yaml"))
    write(project / "below" / "c.job.yaml")
    (project / "b.job.yaml").symlink_to(project / "below" / "b.job.yaml")
    spec = write(project / "a.job.yaml", *including("b.job.yaml", "below/b.job.yaml"))

    reading = Reading()
    assert reading.open(spec).job is not None
    assert reading.names.count("c.job.yaml") == 1


def test_a_circle_of_links_is_no_file(project: Path) -> None:
    (project / "one.job.yaml").symlink_to(project / "other.job.yaml")
    (project / "other.job.yaml").symlink_to(project / "one.job.yaml")
    spec = write(project / "a.job.yaml", *including("one.job.yaml", '"a\\0b"'))

    assert reported(spec) == ["a.job.yaml E100 /steps/0/job/file", "a.job.yaml E100 /steps/1/job/file"]


def test_without_git_the_project_is_the_folder_of_the_job_that_was_named(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    inner = write(tmp_path / "below" / "b.job.yaml", *including("../c.job.yaml"))
    write(tmp_path / "c.job.yaml")
    outer = write(tmp_path / "a.job.yaml", *including("below/b.job.yaml"))

    assert reported(outer) == []
    assert reported(inner) == ["b.job.yaml E119 /steps/0/job/file"]
    assert reported(outer, inner) == ["b.job.yaml E119 /steps/0/job/file"]


def test_jobs_that_include_each_other_are_reported_of_once(project: Path) -> None:
    files = [
        write(project / "a.job.yaml", *including("b.job.yaml")),
        write(project / "b.job.yaml", *including("c.job.yaml")),
        write(project / "c.job.yaml", *including("a.job.yaml")),
        write(project / "d.job.yaml", *including("b.job.yaml")),
    ]
    reading = Reading()
    opened = [reading.open(file) for file in files]

    assert [problem.message for problem in reading.problems] == [
        "a job includes itself: a.job.yaml → b.job.yaml → c.job.yaml → a.job.yaml"
    ]
    assert [one.job for one in opened] == [None] * 4


def chain(project: Path, length: int) -> list[Path]:
    """Jobs of which each includes the next, but for the last."""
    files = [project / f"n{number}.job.yaml" for number in range(length)]
    for file, following in pairwise(files):
        write(file, *including(following.name))
    write(files[-1])
    return files


def test_eight_jobs_may_be_within_each_other(project: Path) -> None:
    files = chain(project, 10)

    assert reported(files[1]) == []
    assert reported(files[0]) == ["n8.job.yaml E118 /steps/0/job/file"]


def test_the_depth_is_the_same_for_jobs_that_were_opened_before(project: Path) -> None:
    files = chain(project, 10)

    assert reported(files[5], files[1]) == []
    assert reported(files[5], files[0]) == ["n4.job.yaml E118 /steps/0/job/file"]


def test_very_many_jobs_within_each_other_are_one_mistake(project: Path) -> None:
    assert reported(chain(project, 500)[0]) == ["n8.job.yaml E118 /steps/0/job/file"]


def test_jobs_that_each_include_the_next_twice_are_read_once_each(project: Path) -> None:
    files = [project / f"n{number}.job.yaml" for number in range(9)]
    for file, following in pairwise(files):
        write(file, *including(*[following.name] * 4))
    write(files[-1])

    reading = Reading()
    assert reading.open(files[0]).job is not None
    assert max(reading.names.count(file.name) for file in files) == 1


def test_the_mistakes_of_an_included_job_are_reported_in_its_own_file_once(project: Path) -> None:
    bad = write(project / "bad.job.yaml", "execute: {proces: A}")
    specs = [write(project / f"{name}.job.yaml", *including("bad.job.yaml", "bad.job.yaml")) for name in "ab"]

    reading = Reading()
    opened = [reading.open(file) for file in (*specs, bad)]

    assert reading.reported() == ["bad.job.yaml E104 /steps/0/execute/proces"]
    assert [one.job for one in opened] == [None, None, None]


def test_a_job_that_is_included_and_named_is_one_job(project: Path) -> None:
    inner = write(project / "inner.job.yaml", more="tags: [smoke]\n")
    outer = write(project / "outer.job.yaml", *including("inner.job.yaml"))

    reading = Reading()
    of_outer, of_inner = reading.open(outer).job, reading.open(inner).job

    assert of_outer is not None
    action = of_outer.steps[0].action
    assert isinstance(action, IncludedJob)
    assert action.job is of_inner


@pytest.mark.parametrize("key", ["target: t", "cases: [{name: a}]", "timeout: 5m", "cleanup_timeout: 5m"])
def test_a_key_of_a_whole_run_is_refused_in_an_included_job_alone(project: Path, key: str) -> None:
    inner = write(project / "inner.job.yaml", more=f"{key}\n")
    outers = [write(project / f"{name}.job.yaml", *including("inner.job.yaml", "inner.job.yaml")) for name in "ab"]

    assert reported(inner) == []
    assert reported(*outers, inner) == [f"inner.job.yaml E107 /{key.partition(':')[0]}"]


def test_a_lock_in_an_included_job_is_reported_of_once(project: Path) -> None:
    write(project / "inner.job.yaml", more="concurrency: a\n")
    outer = write(project / "outer.job.yaml", *including("inner.job.yaml"))

    assert len(reported(outer)) == 1


def test_own_mistakes_come_before_those_of_files_that_are_leant_on(project: Path) -> None:
    write(project / "inner.job.yaml", "execute: {proces: A}")
    (project / "cases.csv").write_text("name,x\na,1\n")
    outer = write(project / "outer.job.yaml", "if: nothing", *including("inner.job.yaml"), more="cases: cases.csv\n")

    assert reported(outer) == [
        "outer.job.yaml E110 /steps/0",
        "outer.job.yaml E126 /steps/0/if",
        "inner.job.yaml E104 /steps/0/execute/proces",
        "cases.csv E131 ",
    ]


def test_cases_in_one_file_serve_several_jobs(project: Path) -> None:
    (project / "cases.csv").write_text("name,a\none,1\ntwo,x\n")
    inputs = "cases: cases.csv\ninputs: {{a: {{type: {}}}}}\noutputs: {{b: inputs.a}}\n"
    texts = write(project / "texts.job.yaml", more=inputs.format("string"))
    numbers = [write(project / f"{name}.job.yaml", more=inputs.format("integer")) for name in "ab"]

    reading = Reading()
    opened = [reading.open(file) for file in (texts, *numbers)]

    assert reading.reported() == ["cases.csv E132 /1/inputs/a"]
    assert reading.names.count("cases.csv") == 1
    assert [one.job is not None for one in opened] == [True, False, False]


def test_a_job_that_cannot_be_read_is_none(project: Path) -> None:
    reading = Reading()
    (project / "a.job.yaml").write_text("name: [")

    assert reading.jobs.open(project / "a.job.yaml") is None
    assert reading.jobs.open(project / "nowhere.job.yaml") is None
    assert [(problem.file, problem.code) for problem in reading.problems] == [
        ("a.job.yaml", "E101"),
        ("nowhere.job.yaml", "E100"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "cases: {a: 1}",
        "cases: 3\nsteps: [{job: 3}, {job: {file: 3}}, {job: {file: ''}}, {job: [a]}, 3, {job: {file: [a]}}]",
        "cases: ''\ninputs: []\nsteps: {a: 1}",
        "cases: '.'\nsteps: [{job: {file: '.'}}, {job: {file: ..}}, {job: {file: a.job.yaml, inputs: 3}}]",
        "cases: [{inputs: {a: 1}}]\ninputs: {a: 1}\nsteps: [{undo: [{job: {file: a.job.yaml}}]}]",
    ],
)
def test_no_file_is_too_strange(project: Path, text: str) -> None:
    (project / "a.job.yaml").write_text(text)
    reading = Reading()
    reading.open(project / "a.job.yaml")

    assert reading.problems
    assert all(problem.span for problem in reading.problems)


@pytest.mark.parametrize(("turns", "is_right"), [(10_000, True), (10_001, False)])
def test_a_step_has_at_most_ten_thousand_turns(project: Path, turns: int, *, is_right: bool) -> None:
    spec = write(project / "a.job.yaml", f"{{{STEP}, for_each: [{'1,' * turns}]}}")

    assert reported(spec) == ([] if is_right else ["a.job.yaml E107 /steps/0/for_each"])


def test_texts_that_this_version_has_checked_before_are_held_against_the_schema_only(project: Path) -> None:
    linted = write(project / "linted.job.yaml", "{execute: {process: A}, expect: [steps.nowhere.outputs.a]}")
    misspelt = write(project / "misspelt.job.yaml", "{execute: {proces: A}}")
    problems: list[Problem] = []
    jobs = JobFiles(called=lambda path: path.name, problems=problems, has_passed=True)

    opened = [jobs.open(linted), jobs.open(misspelt)]

    assert [file is not None and file.job is not None for file in opened] == [True, False]
    assert {problem.file for problem in problems} == {"misspelt.job.yaml"}
    assert reported(linted) != []


def test_a_file_that_cannot_be_read_is_reported_where_it_is_named(project: Path) -> None:
    (project / "inner.job.yaml").mkdir()
    spec = write(project / "a.job.yaml", *including("inner.job.yaml"))

    assert reported(spec) == ["a.job.yaml E100 /steps/0/job/file"]


def test_a_circle_of_links_is_reported_and_a_pipe_in_a_folder_is_not_waited_for(project: Path) -> None:
    (project / "circle.job.yaml").symlink_to("circle.job.yaml")
    os.mkfifo(project / "pipe.job.yaml")

    opened = open_project([project], targets=None, environment={})

    assert [problem.code for problem in opened.problems] == ["E100"]
    assert "circle.job.yaml" in opened.problems[0].message


def test_a_double_in_the_place_of_a_job_is_reported_where_it_is_named(project: Path) -> None:
    (project / "A.process.yaml").write_text("runner: 1\nprocess: A\nactivities: []\n")
    write(project / "a.job.yaml", *including("A.process.yaml"))

    assert reported(project / "a.job.yaml") == ["a.job.yaml E107 /steps/0/job/file"]


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("README.md", "# A\n\n- b: c\n d: e\n", "E101"),
        ("notes.txt", "a: b: c", "E101"),
        ("targets.yaml", "runner: 1\ntargets: {a: {sandbox: b}}\n", "E107"),
        ("a.plan.json", '{"kind": "creatio-runner plan"}', "E107"),
    ],
)
def test_a_file_that_is_no_job_is_reported_in_one_sentence(project: Path, name: str, text: str, code: str) -> None:
    (project / name).write_text(text)
    problems: list[Problem] = []

    assert JobFiles(called=lambda path: path.name, problems=problems).open(project / name) is None
    assert [problem.code for problem in problems] == [code]
    assert "job" in problems[0].message


def test_a_job_with_a_mistake_is_reported_of_whatever_its_name_is(project: Path) -> None:
    (project / "job.txt").write_text(f"runner: 1\nname: a\nsteps: [{{{STEP}, zebra: 1}}]\n")

    assert reported(project / "job.txt") == ["job.txt E104 /steps/0/zebra"]


@pytest.mark.parametrize(
    "written",
    [
        "inputs: [{name: a}]",
        "inputs: 5",
        "vars: [a]",
        "variables: {a: 1}",
        "input: {a: {type: string}}",
    ],
)
def test_what_refers_to_a_part_that_cannot_be_read_is_no_mistake(project: Path, written: str) -> None:
    uses = (
        '{process: A, parameters: {B: "{{ inputs.a }}"}}'
        if "input" in written
        else '{process: "A", parameters: {B: "{{ vars.a }}"}}'
    )
    write(project / "a.job.yaml", f"execute: {uses}", more=f"{written}\n")

    assert len(reported(project / "a.job.yaml")) == 1


def test_a_mistake_behind_a_mended_key_is_at_the_key_as_it_is_written(project: Path) -> None:
    write(project / "a.job.yaml", f"{{id: a, loop: [1], {STEP}, outputs: {{b: zebra}}}}")

    assert reported(project / "a.job.yaml") == [
        "a.job.yaml E104 /steps/0/loop",
        "a.job.yaml E126 /steps/0/outputs/b",
    ]
