"""What no file of a job says by itself."""

import pytest

from runner.lint import jobs as rules
from runner.reading.document import Document
from runner.reading.load import load


def document(text: str, *, file: str = "one.job.yaml") -> Document:
    loaded = load(file, text.encode())
    assert isinstance(loaded, Document), loaded
    return loaded


def test_two_jobs_with_one_name_are_reported_at_the_second() -> None:
    named = [("a", "x.job.yaml"), ("b", "y.job.yaml"), ("a", "z.job.yaml")]
    documents = [document(f"name: {name}", file=file) for name, file in named]

    (problem,) = rules.names_unique(documents)

    assert (problem.file, problem.path) == ("z.job.yaml", ("name",))
    assert "x.job.yaml" in problem.message


def test_one_job_that_was_named_twice_is_no_mistake() -> None:
    assert rules.names_unique([document("name: a"), document("name: a"), document("[]"), document("name: 1")]) == ()


def test_the_target_of_a_job_is_one_of_the_targets() -> None:
    (problem,) = rules.target_known(document("target: stagin"), ["staging", "production"])

    assert (problem.code, problem.hint) == ("E141", "did you mean `staging`?")
    assert rules.target_known(document("target: staging"), ["staging"]) == ()
    assert rules.target_known(document("name: no-target"), []) == ()


@pytest.mark.parametrize("name", ["env", "clio:dev"])
def test_a_target_that_is_in_no_targets_file_is_named_on_the_command_line(name: str) -> None:
    (problem,) = rules.target_known(document(f"target: {name}"), ["staging", "production"])
    assert problem.hint is not None
    assert problem.hint.endswith(f"is named on the command line alone, `-t {name}`")
