import re
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.foundation.problems import Problem, Severity, Span
from runner.reports.github import github

ORDERS = "specs/orders.job.yaml"


def test_a_mistake_is_a_command_with_its_place_and_the_log_shows_the_place_too() -> None:
    found = Problem(
        code="E104",
        message="unknown key `attemps` in `retry`",
        hint="did you mean `max_attempts`?",
        file=ORDERS,
        span=Span(14, 7, 14, 14),
    )
    assert github([found]) == (
        "::error title=E104,file=specs/orders.job.yaml,line=14,endLine=14,col=7,endColumn=14"
        "::specs/orders.job.yaml:14:7: unknown key `attemps` in `retry`%0Ahint: did you mean `max_attempts`?\n"
    )


def test_a_warning_is_a_warning() -> None:
    output = github([Problem(code="E117", message="says nothing", severity=Severity.WARNING, file="a.yaml")])
    assert output == "::warning title=E117,file=a.yaml::a.yaml: says nothing\n"


def test_a_mistake_without_a_file_has_no_place() -> None:
    assert github([Problem(code="E100", message="no folder")]) == "::error title=E100::no folder\n"


def test_what_would_end_a_property_or_a_command_is_escaped() -> None:
    found = Problem(code="E104", message="100%\r\n::error::x", file="a,b:c%.yaml", span=Span(1, 1, 1, 2))
    assert github([found]) == (
        "::error title=E104,file=a%2Cb%3Ac%25.yaml,line=1,endLine=1,col=1,endColumn=2"
        "::a,b:c%25.yaml:1:1: 100%25\\u000d\\u000a::error::x\n"
    )


def test_no_mistakes_are_no_lines() -> None:
    assert github([]) == ""


@pytest.mark.slow
@given(message=st.text(), hint=st.text(min_size=1), file=st.text(min_size=1))
def test_any_text_makes_one_line_that_github_reads_back(message: str, hint: str, file: str) -> None:
    output = github([Problem(code="E104", message=message, hint=hint, file=file, span=Span(1, 2, 3, 4))])

    assert len(output.splitlines()) == 1
    read = re.fullmatch(r"::error ([^:]*)::(.*)\n", output)
    assert read
    properties = dict(one.split("=", 1) for one in read[1].split(","))
    assert {name: unquote(value) for name, value in properties.items() if name != "file"} == {
        "title": "E104",
        "line": "1",
        "col": "2",
        "endLine": "3",
        "endColumn": "4",
    }
