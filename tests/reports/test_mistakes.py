import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.foundation.problems import Problem, Severity, Span
from runner.reports import mistakes
from runner.reports.safe import width

ORDERS = "specs/orders.job.yaml"


def problem(excerpt: str, start: int, end: int, **changed: object) -> Problem:
    span = Span(7, start, 7, end)
    fields = {"code": "E104", "message": "unknown key", "file": "a.yaml", "span": span, "excerpt": excerpt}
    return Problem(**(fields | changed))  # type: ignore[arg-type]  # fields by name, for brevity


def source_and_carets(output: str) -> tuple[str, str]:
    lines = output.splitlines()
    return lines[2].removeprefix("7 | "), lines[3].removeprefix("  | ")


def test_a_mistake_shows_its_place_its_line_and_a_hint() -> None:
    found = Problem(
        code="E104",
        message="unknown key `attemps` in `retry`",
        hint="did you mean `max_attempts`?",
        file=ORDERS,
        span=Span(14, 7, 14, 14),
        excerpt="      attemps: 3",
    )
    assert mistakes.text([found]) == (
        "specs/orders.job.yaml:14:7: error[E104]: unknown key `attemps` in `retry`\n"
        "   |\n"
        "14 |       attemps: 3\n"
        "   |       ^^^^^^^\n"
        "   = hint: did you mean `max_attempts`?\n"
    )


def test_a_mistake_of_the_command_line_has_no_place() -> None:
    found = Problem(code="E150", message="no such option", hint="see --help")
    assert mistakes.text([found]) == "error[E150]: no such option\n   = hint: see --help\n"


def test_a_file_that_cannot_be_read_has_no_line() -> None:
    found = Problem(code="E100", message="permission denied", file=ORDERS)
    assert mistakes.text([found]) == "specs/orders.job.yaml: error[E100]: permission denied\n"


def test_a_warning_says_so() -> None:
    found = Problem(code="E107", message="odd", severity=Severity.WARNING)
    assert mistakes.text([found]) == "warning[E107]: odd\n"


def test_files_keep_their_order_and_places_are_sorted_within() -> None:
    found = [
        problem("b: 1", 1, 2, file="b.yaml", span=Span(9, 1, 9, 2)),
        problem("a: 1", 1, 2, file="a.yaml"),
        problem("b: 1", 1, 2, file="b.yaml", span=Span(2, 5, 2, 6)),
        problem("b: 1", 1, 2, file="b.yaml", span=Span(2, 1, 2, 2)),
    ]
    heads = [line for line in mistakes.text(found).splitlines() if "error" in line]
    places = [head.partition(": ")[0] for head in heads]
    assert places == ["b.yaml:2:1", "b.yaml:2:5", "b.yaml:9:1", "a.yaml:7:1"]


def test_carets_are_under_wide_and_combining_characters() -> None:
    source, carets = source_and_carets(mistakes.text([problem("名e\u0301: 宽的", 6, 8)]))
    assert carets == " " * width("名e\u0301: ") + "^^^^"
    assert width(source) == width(carets)


def test_a_tab_is_shown_as_blanks_and_marked_whole() -> None:
    source, carets = source_and_carets(mistakes.text([problem("\tx: 1", 1, 2)]))
    assert source == "    x: 1"
    assert carets == "^^^^"


def test_a_long_line_is_shortened_around_the_place() -> None:
    line = "a" * 300 + "KEY" + "b" * 300
    source, carets = source_and_carets(mistakes.text([problem(line, 301, 304)]))
    assert source.startswith("...a")
    assert source.endswith("b...")
    assert source[carets.index("^") : carets.rindex("^") + 1] == "KEY"
    assert len(source) <= mistakes.LONGEST_LINE + 6


def test_the_beginning_of_a_long_line_stays() -> None:
    source, carets = source_and_carets(mistakes.text([problem("key: " + "v" * 500, 1, 4)]))
    assert source.startswith("key: vvv")
    assert source.endswith("v...")
    assert carets == "^^^"


def test_a_place_over_several_lines_is_marked_to_the_end_of_its_first() -> None:
    found = problem("key: |  ", 2, 9, span=Span(7, 2, 9, 9))
    assert source_and_carets(mistakes.text([found])) == ("key: |", " ^^^^^")


def test_a_place_behind_the_line_still_has_a_caret() -> None:
    assert source_and_carets(mistakes.text([problem("key:", 5, 5)])) == ("key:", "    ^")


def test_a_file_is_never_a_command_to_the_ci_that_prints_it() -> None:
    output = mistakes.text([problem("##vso[x]", 1, 2, file=" ::error::.yaml", message="##[error]no\n::x::")])
    assert output.startswith("./ ::error::.yaml:7:1: error[E104]: ")
    assert "##" not in output
    assert "\n::" not in output


def test_json_holds_every_field() -> None:
    found = Problem(
        code="E104",
        message="unknown key",
        hint="drop it",
        file=ORDERS,
        span=Span(14, 7, 15, 3),
        path=("steps", 0, "a/b"),
        excerpt="x",
    )
    assert json.loads(mistakes.json([found])) == {
        "format": 1,
        "problems": [
            {
                "code": "E104",
                "severity": "error",
                "message": "unknown key",
                "hint": "drop it",
                "file": ORDERS,
                "line": 14,
                "column": 7,
                "end_line": 15,
                "end_column": 3,
                "path": "/steps/0/a~1b",
            }
        ],
    }


def test_json_has_nulls_where_there_is_no_place() -> None:
    (output,) = json.loads(mistakes.json([Problem(code="E150", message="no")]))["problems"]
    absent = ("hint", "file", "line", "column", "end_line", "end_column")
    assert [output[name] for name in absent] == [None] * len(absent)


def test_json_of_no_problems_is_an_empty_list() -> None:
    assert json.loads(mistakes.json([])) == {"format": 1, "problems": []}


def test_json_takes_names_that_are_no_unicode() -> None:
    found = Problem(code="E100", message="no \udcff", hint="\udcff", file="\udcff.yaml", path=("\udcff",))
    (output,) = json.loads(mistakes.json([found]).encode())["problems"]
    assert [output[name] for name in ("message", "hint", "file", "path")] == [
        "no \ufffd",
        "\ufffd",
        "\ufffd.yaml",
        "/\ufffd",
    ]


def test_problems_are_counted_in_words() -> None:
    error = Problem(code="E104", message="x", file="a")
    warning = Problem(code="E104", message="x", file="b", severity=Severity.WARNING)
    assert mistakes.count([error]) == "1 error in 1 file"
    assert mistakes.count([error, error, warning]) == "2 errors, 1 warning in 2 files"
    assert mistakes.count([Problem(code="E150", message="x")]) == "1 error"


@pytest.mark.slow
@given(line=st.text(max_size=300), start=st.integers(1, 310), length=st.integers(0, 300))
def test_any_line_with_any_place_is_shown_on_one_line(line: str, start: int, length: int) -> None:
    output = mistakes.text([problem(line, start, start + length)])
    assert len(output.splitlines()) == len(output.split("\n")) - 1 == 4
    source, carets = source_and_carets(output)
    assert carets.strip(" ").strip("^") == ""
    assert width(carets) <= width(source) + 1 or start > len(line)
    json.loads(mistakes.json([problem(line, start, start + length, message=line)]))
