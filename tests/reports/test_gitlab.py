import json

from runner.foundation.problems import Problem, Severity, Span
from runner.reports.gitlab import gitlab

SPAN = Span(line=3, column=1, end_line=3, end_column=5)
MISTAKE = Problem(code="E104", message="unknown key", hint="write `steps`", file="./a.job.yaml", span=SPAN)


def test_a_mistake_has_what_gitlab_needs() -> None:
    (record,) = json.loads(gitlab([MISTAKE]))
    assert len(record.pop("fingerprint")) == 64
    assert record == {
        "check_name": "E104",
        "description": "E104: unknown key; write `steps`",
        "severity": "major",
        "location": {"path": "a.job.yaml", "lines": {"begin": 3}},
    }


def test_a_mistake_without_a_place_has_one_for_gitlab() -> None:
    (record,) = json.loads(gitlab([Problem(code="E150", message="x", severity=Severity.WARNING)]))
    assert (record["severity"], record["location"]) == ("minor", {"path": ".", "lines": {"begin": 1}})


def test_equal_mistakes_have_fingerprints_of_their_own() -> None:
    first, second = json.loads(gitlab([MISTAKE, MISTAKE]))
    assert first["fingerprint"] != second["fingerprint"]


def test_no_mistake_is_an_empty_list() -> None:
    assert gitlab([]) == "[]\n"
