"""A file of another kind than the one that is wanted is reported as that, and nothing else is."""

import pytest

from runner.language import schema
from runner.reading import load
from runner.reading.document import Document

FILES = {
    "job": "runner: 1\nname: a\nsteps: [{pause: 1s}]\n",
    "targets": "runner: 1\ntargets: {a: {sandbox: a}}\n",
    "catalog": "runner: 1\nsite: https://a.creatio.com\nprocesses: {}\n",
    "process": "runner: 1\nprocess: A\nactivities: []\n",
    "a typed double": "runner: 1\nprocess: A\nparameters: {B: {type: text, direction: in}}\n",
    "plan": '{"kind": "creatio-runner plan", "format": 1, "runs": []}',
    "report": '{"format": 1, "tool": {}, "runs": []}',
    "records": "Contact:\n- {Name: Ann}\n",
}
CALLED = {
    "job": "a job",
    "targets": "a targets file",
    "catalog": "a catalogue",
    "process": "a double of a process",
    "a typed double": "a double of a process",
    "plan": "a stored plan",
    "report": "a report of runs",
    "records": "a file of first records",
}
WANTED = ("job", "targets", "catalog", "process")


def linted(text: str, wanted: str) -> list[tuple[str, str]]:
    document = load.load("a.yaml", text.encode())
    assert isinstance(document, Document), document
    return [(problem.code, problem.message) for problem in schema.check(document, wanted)]


@pytest.mark.parametrize("wanted", WANTED)
@pytest.mark.parametrize("kind", FILES)
def test_a_file_of_another_kind_is_reported_once(kind: str, wanted: str) -> None:
    is_same = CALLED[kind] == CALLED[wanted]

    said = [] if is_same else [("E107", f"this is {CALLED[kind]}, not {CALLED[wanted]}")]
    assert [one for one in linted(FILES[kind], wanted) if one[0] == "E107"] == said
    assert len(linted(FILES[kind], wanted)) == 1 or is_same


@pytest.mark.parametrize(
    "text",
    [
        "runner: 1\nname: a\nprocess: UsrA\nparameters: {A: 1}\n",
        "runner: 1\nname: a\nstages: [{pause: 1s}]\n",
        "Steps: 1\n",
        "{}",
    ],
)
def test_what_is_only_a_job_with_mistakes_is_reported_as_one(text: str) -> None:
    assert not any("this is" in message for _, message in linted(text, "job"))


@pytest.mark.parametrize(
    ("file", "kind", "hint"),
    [
        ("sites/t.yaml", "targets", "call it `sites/targets.yaml`"),
        ("a.yaml", "process", "call it `a.process.yaml`"),
        ("a.job.yaml", "catalog", "call it `a.catalog.yaml`"),
        (
            "sandbox/UsrA.process.yaml",
            "process",
            (
                "name a job whose target is this sandbox: doubles answer its calls; "
                "`runner validate sandbox/UsrA.process.yaml` checks it"
            ),
        ),
        (
            "targets.yaml",
            "targets",
            "name a job, and with `-t NAME` a target of this file; `runner validate targets.yaml` checks it",
        ),
        ("a.catalog.yaml", "catalog", "`runner validate a.catalog.yaml` checks it"),
        ("a.yaml", "plan", "`runner run a.yaml` carries it out"),
    ],
)
def test_a_file_that_is_read_as_a_job_is_to_have_the_name_of_its_kind(file: str, kind: str, hint: str) -> None:
    document = load.load(file, FILES[kind].encode())
    assert isinstance(document, Document), document

    (problem,) = schema.check(document, "job")

    assert problem.hint == hint
