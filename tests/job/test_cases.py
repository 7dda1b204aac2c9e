import pytest
from msgspec.structs import replace

from runner.foundation.problems import Severity
from runner.foundation.values import Json, JsonObject
from runner.job.cases import MOST_PROBLEMS, Cases, in_list, in_table
from runner.job.model import Case, Input
from runner.reading import load, table
from runner.reading.document import Document, without_lines
from runner.reading.source import EVERY_LINE
from runner.reading.table import Table

INPUTS = (
    Input(name="phone", schema={"type": "string", "minLength": 2}, required=False),
    Input(name="limit", schema={"type": "integer", "minimum": 1}, required=False),
    Input(name="free", schema={}, required=False),
    Input(name="maybe", schema={"type": ["string", "null"]}, required=False),
    Input(name="broken", schema={"type": "nothing"}, required=False),
)
TOKEN = Input(name="token", schema={"type": "string", "minLength": 8}, secret=True, required=False)


def cases_of_list(text: str, *inputs: Input) -> Cases:
    document = load.load("a.job.yaml", text.encode())
    assert isinstance(document, Document), document
    return in_list(without_lines(document) if inputs else document, ("cases",), (*INPUTS, *inputs))


def cases_of_table(text: str, *inputs: Input) -> Cases:
    found = table.load("a.csv", text.encode())
    assert isinstance(found, Table), found
    source = replace(found.source, hidden=EVERY_LINE if inputs else ())
    return in_table(replace(found, source=source), (*INPUTS, *inputs))


def reported(found: Cases) -> list[str]:
    return [f"{problem.code} {problem.span and problem.span.line} {problem.message}" for problem in found.problems]


def test_a_list_gives_cases_in_its_order_with_values_as_they_stand() -> None:
    found = cases_of_list("cases:\n  - {name: b, inputs: {limit: 2, phone: '07'}}\n  - {name: a}\n")

    assert found == Cases(cases=(Case(name="b", inputs={"limit": 2, "phone": "07"}), Case(name="a", inputs={})))


@pytest.mark.parametrize(
    ("column", "cell", "value"),
    [
        ("phone", "007", "007"),
        ("phone", "true", "true"),
        ("limit", "3", 3),
        ("limit", "3.0", 3.0),
        ("free", "null", None),
        ("free", "[1]", [1]),
        ("free", '"""text"""', "text"),
        ("maybe", "null", None),
        ("broken", "1", 1),
    ],
)
def test_a_cell_is_read_by_the_type_of_its_input(column: str, cell: str, value: Json) -> None:
    expected: JsonObject = {column: value}
    assert cases_of_table(f"name,{column}\na,{cell}\n") == Cases(cases=(Case(name="a", inputs=expected),))


def test_rows_without_a_text_are_passed_over() -> None:
    assert cases_of_table("name,phone\n,\na,22\n,\n , \n").cases == (Case(name="a", inputs={"phone": "22"}),)


def test_an_empty_cell_gives_nothing() -> None:
    assert cases_of_table('name,phone,limit\na,,""\n').cases == (Case(name="a", inputs={}),)


def test_a_table_without_rows_gives_no_cases() -> None:
    assert cases_of_table("name,limit\n\n") == Cases()


def test_all_mistakes_of_all_cases_are_reported_in_one_pass() -> None:
    in_a_table = cases_of_table('name,phone,limit\na,1,0\na,"22\n22",x\n,22,1\nb,22\n')
    in_a_list = cases_of_list("""cases:
  - name: a
    inputs: {phone: 1, limit: 0}
  - {name: a, inputs: {lmit: 1}}
""")

    assert reported(in_a_table) == [
        "E132 2 input `phone`: it has 1 character, and needs at least 2",
        "E132 2 input `limit`: 0 is less than 1",
        "E111 3 two cases are called `a`: this case and that in line 2",
        "E132 4 input `limit`: `x` is not a whole number",
        "E108 5 this case has no name",
        "E136 6 this line has 2 cells, and the header 3 columns",
    ]
    assert reported(in_a_list) == [
        "E132 3 input `phone`: 1 is not a text",
        "E132 3 input `limit`: 0 is less than 1",
        "E111 4 two cases are called `a`: this case and that in line 2",
        "E131 4 the job has no input `lmit`",
    ]


def test_a_table_without_a_header_is_reported_once() -> None:
    (problem,) = cases_of_table("a,1,2\nb,3,4\n").problems

    assert (problem.code, problem.hint) == ("E105", "begin it with `name,phone,limit`")


@pytest.mark.parametrize(
    ("column", "written", "hint"),
    [
        ("limit", '"5"', "write `5` without quotes"),
        ("phone", "1617", 'put it in quotes: "1617"'),
        ("ratio", '"120,5"', "write `120.5`"),
    ],
)
def test_a_value_of_another_type_is_shown_as_it_is_wanted(column: str, written: str, hint: str) -> None:
    ratio = Input(name="ratio", schema={"type": "number"})
    found = cases_of_list(f"cases: [{{name: a, inputs: {{{column}: {written}}}}}]", ratio)

    assert [problem.hint for problem in found.problems] == [hint]


@pytest.mark.parametrize(
    ("cell", "hint"),
    [
        ('"120,5"', "write `120.5`"),
        ('"1,000"', "write `1000`, or `1.000` if the comma begins a fraction"),
        ("5%", "write the number alone: `5`"),
        ("12.50 EUR", "write the number alone: `12.50`"),
        ("€ 7", "write the number alone: `7`"),
    ],
)
def test_a_number_as_people_write_it_in_a_cell_is_shown_as_it_is_wanted(cell: str, hint: str) -> None:
    found = cases_of_table(f"name,ratio\na,{cell}\n", Input(name="ratio", schema={"type": "number"}))

    assert [problem.hint for problem in found.problems] == [hint]


def test_a_secret_of_another_type_is_not_repeated_in_the_hint() -> None:
    pin = Input(name="pin", schema={"type": "string"}, secret=True)
    found = cases_of_list("cases: [{name: a, inputs: {pin: 161744}}]", pin)

    assert not any("161744" in repr(problem) for problem in found.problems)


def test_a_mistake_deep_in_a_value_is_reported_there() -> None:
    records = Input(name="rows", schema={"type": "array", "items": {"type": "object", "required": ["Name"]}})
    found = cases_of_list("cases:\n- name: a\n  inputs:\n    rows:\n    - {Name: x}\n    - {Nam: x}\n", records)

    assert [(problem.path, problem.span and problem.span.line) for problem in found.problems] == [
        (("cases", 0, "inputs", "rows", 1), 6)
    ]


@pytest.mark.parametrize(
    "text", ["cases: x", "cases: {a: 1}", "cases: [1, null, [], {name: 3, inputs: 4}, {}]", "a: 1"]
)
def test_what_is_no_case_is_left_to_the_schema(text: str) -> None:
    assert cases_of_list(text).problems == ()


def test_templates_are_read_nowhere_in_cases() -> None:
    deep = cases_of_list('cases:\n- name: "{{ a }}"\n  inputs:\n    free:\n      - |\n        one\n        {{ a }}\n')
    flat = cases_of_table("name,limit,phone\n{{ a }},{{ a }},{{ a }}\n")

    assert reported(deep) == ["E122 2 no template is read here", "E122 7 no template is read here"]
    assert reported(flat) == ["E122 2 no template is read here"] * 3


def test_a_secret_in_cases_is_warned_of_once_and_never_shown() -> None:
    in_a_list = cases_of_list(
        "cases: [{name: a, inputs: {token: hunter2, limit: 0}}, {name: b, inputs: {token: long-enough}}]", TOKEN
    )
    in_a_table = cases_of_table("name,token,limit\na,hunter2,0\nb,hunter2\nc,long-enough,1\n", TOKEN)

    for found in (in_a_list, in_a_table):
        warnings = [problem for problem in found.problems if problem.severity is Severity.WARNING]
        assert [problem.code for problem in warnings] == ["E107"]
        assert "input `token`: it does not fit `minLength`" in [problem.message for problem in found.problems]
        assert not any("hunter2" in repr(problem) for problem in found.problems)


def test_an_empty_secret_is_refused() -> None:
    assert "E134 2 input `token` is secret, and empty" in reported(
        cases_of_list("cases:\n- {name: a, inputs: {token: ''}}", TOKEN)
    )


def test_the_first_hundred_of_very_many_mistakes_are_reported() -> None:
    found = cases_of_table("name,limit\n" + "".join(f"{number},x\n" for number in range(1_000)))

    assert len(found.problems) == MOST_PROBLEMS
    assert found.problems[-1].hint == "900 more mistakes in the cases are not shown"
    assert found.problems[-2].hint is None


def test_rows_before_a_flaw_are_held_against_their_inputs_too() -> None:
    assert reported(cases_of_table('name,limit\na,0\nb,"1\n')) == [
        "E132 2 input `limit`: 0 is less than 1",
        "E136 3 a cell begins with a quote here, and no quote ends it",
    ]
