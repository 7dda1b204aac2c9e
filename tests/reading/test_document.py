import pytest

from runner.foundation.problems import Finding, Severity, Span
from runner.foundation.values import ValuePath
from runner.reading.load import Document, load

JOB = """\
runner: 1
inputs: {phone: {type: string}, "limit": 5}
steps:
  - id: add   # the first
    execute:
      process: UsrAdd
      parameters: {Name: "Ж 😀", n: [1, 22]}
    expect:
      - that: |
          inputs.phone and
            vars.contact == "vars.contactless"
          or vars.contact

      - >-
        folded words
        and inputs.limit
    vars:

  - &twice
    id: b
    text: "one
      two"
  - *twice
  - [*twice, {k: *twice}]
# the end
"""


def document(text: str) -> Document:
    loaded = load("a.job.yaml", text.encode())
    assert isinstance(loaded, Document), loaded
    return loaded


@pytest.fixture
def job() -> Document:
    return document(JOB)


def cut(job: Document, span: Span) -> str:
    lines = job.text.split("\n")[span.line - 1 : span.end_line]
    lines[-1] = lines[-1][: span.end_column - 1]
    lines[0] = lines[0][span.column - 1 :]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (("runner",), "1"),
        (("inputs",), '{phone: {type: string}, "limit": 5}'),
        (("inputs", "phone"), "{type: string}"),
        (("inputs", "limit"), "5"),
        (("steps", 0, "id"), "add"),
        (("steps", 0, "execute"), 'process: UsrAdd\n      parameters: {Name: "Ж 😀", n: [1, 22]}'),
        (("steps", 0, "execute", "parameters", "Name"), '"Ж 😀"'),
        (("steps", 0, "execute", "parameters", "n"), "[1, 22]"),
        (("steps", 0, "execute", "parameters", "n", 1), "22"),
        (("steps", 0, "vars"), ""),
        (("steps", 0, "expect", 1), ">-\n        folded words\n        and inputs.limit"),
        (("steps", 1), 'id: b\n    text: "one\n      two"'),
        (("steps", 1, "text"), '"one\n      two"'),
        (("steps", 2), "*twice"),
        (("steps", 2, "id"), "b"),
        (("steps", 3, 0, "id"), "b"),
        (("steps", 3, 1), "{k: *twice}"),
        (("steps", 3, 1, "k"), "*twice"),
        ((), JOB.removesuffix("\n# the end\n")),
    ],
)
def test_the_place_of_a_value_is_its_text(job: Document, path: ValuePath, text: str) -> None:
    assert cut(job, job.value_span(path)) == text


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (("runner",), "runner"),
        (("inputs", "limit"), '"limit"'),
        (("steps", 0, "execute"), "execute"),
        (("steps", 0, "execute", "parameters", "n"), "n"),
        (("steps", 0, "execute", "parameters", "n", 0), "1"),
        (("steps", 0), "id: add   # the first"),
        (("steps", 3, 1, "k"), "k"),
        (("steps", 3, 1, "k", "text"), "text"),
        ((), "runner: 1"),
    ],
)
def test_the_place_of_a_key_is_the_key_and_of_an_item_its_first_line(job: Document, path: ValuePath, text: str) -> None:
    assert cut(job, job.key_span(path)) == text


@pytest.mark.parametrize(
    ("path", "nearest"),
    [
        (("steps", 0, "execute", "result"), ("steps", 0, "execute")),
        (("steps", 9, "id"), ("steps",)),
        (("steps", "0"), ("steps",)),
        (("steps", -1), ("steps",)),
        (("runner", "x", 0), ("runner",)),
        (("nothing",), ()),
        ((0,), ()),
    ],
)
def test_what_is_missing_is_where_the_last_part_is_that_exists(
    job: Document, path: ValuePath, nearest: ValuePath
) -> None:
    assert job.value_span(path) == job.value_span(nearest)
    assert job.key_span(path) == job.key_span(nearest)
    assert job.line_of(path) == job.line_of(nearest)


def test_lines_of_items_are_those_on_which_they_begin(job: Document) -> None:
    assert job.lines_of_items(("steps",)) == [4, 20, 23, 24]
    assert job.lines_of_items(("steps", 0, "expect")) == [9, 14]
    assert job.lines_of_items(("steps", 0)) == []
    assert job.lines_of_items(("nothing",)) == []
    assert [job.line_of(("steps", place)) for place in range(4)] == job.lines_of_items(("steps",))


def test_the_line_of_a_key_is_the_keys_own(job: Document) -> None:
    assert job.line_of(("steps", 0, "execute")) == 5
    assert job.line_of(("steps", 0, "expect", 0, "that")) == 9


@pytest.mark.parametrize(
    ("path", "looked_for", "span"),
    [
        (("steps", 0, "expect", 0, "that"), (0, "inputs.phone"), Span(10, 11, 10, 23)),
        (("steps", 0, "expect", 0, "that"), (1, "vars.contact"), Span(11, 13, 11, 25)),
        (("steps", 0, "expect", 0, "that"), (2, "vars.contact"), Span(12, 14, 12, 26)),
        (("steps", 0, "expect", 0, "that"), (2, "gone"), Span(12, 11, 12, 26)),
        (("steps", 0, "expect", 0, "that"), (99, "gone"), Span(12, 11, 12, 26)),
        (("steps", 0, "expect", 1), (0, "inputs.limit"), Span(16, 13, 16, 25)),
        (("steps", 0, "expect", 1), (0, "gone"), Span(15, 9, 15, 21)),
        (("steps", 0, "execute", "process"), (0, "Usr"), Span(6, 16, 6, 22)),
        (("steps", 1, "text"), (0, "two"), Span(22, 7, 22, 10)),
        (("steps", 1, "text"), (0, "one two"), Span(21, 12, 22, 10)),
        (("steps", 1, "text"), (0, "gone"), Span(21, 11, 22, 11)),
    ],
)
def test_a_name_in_a_block_of_text_is_found_there(
    job: Document, path: ValuePath, looked_for: tuple[int, str], span: Span
) -> None:
    line, name = looked_for
    assert job.name_span(path, line=line, name=name) == span


def test_a_name_is_no_part_of_a_longer_name() -> None:
    block = document("a: |\n  x.id my.id id2 id\n")
    assert block.name_span(("a",), line=0, name="id") == Span(2, 18, 2, 20)


def test_columns_count_characters() -> None:
    text = document('"ключ 😀": {ж: 😀, z: x}\n')
    assert text.key_span(("ключ 😀",)) == Span(1, 1, 1, 9)
    assert text.value_span(("ключ 😀", "ж")) == Span(1, 15, 1, 16)
    assert text.value_span(("ключ 😀", "z")) == Span(1, 21, 1, 22)


@pytest.mark.parametrize(
    ("text", "path", "sign"),
    [
        ('- x == "a #1"', (0,), "` #`"),
        ('- x == "a: b"', (0,), "`: `"),
        ("a: [f(a, b)]", ("a", 0), "comma"),
        ("a: [f(a, b)]", ("a", 1), "comma"),
        ("- plain", (0,), None),
        ("- 'x' # c", (0,), None),
        ("- 5 # c", (0,), None),
        ("- a: b", (0,), None),
        ("- [a]", (0,), None),
        ("- |\n x # y", (0,), None),
        ("-", (0,), None),
        ("a: &x b\nc: *x # d", ("c",), None),
        ("x", ("gone",), None),
    ],
)
def test_advice_to_use_quotes_is_given_where_yaml_ate_something(text: str, path: ValuePath, sign: str | None) -> None:
    hint = document(text).quote_hint(path)
    assert hint is None if sign is None else hint is not None and sign in hint


def test_a_problem_knows_its_file_its_place_and_its_line(job: Document) -> None:
    path: ValuePath = ("steps", 0, "execute", "process")
    problem = job.problem("E107", "no", path=path, hint="yes")
    assert (problem.code, problem.message, problem.hint) == ("E107", "no", "yes")
    assert (problem.file, problem.path, problem.severity) == ("a.job.yaml", path, Severity.ERROR)
    assert (problem.span, problem.excerpt) == (Span(6, 16, 6, 22), "      process: UsrAdd")


def test_a_problem_may_be_at_the_key_or_where_the_caller_says(job: Document) -> None:
    path: ValuePath = ("steps", 0, "execute")
    assert job.problem("E104", "x", path=path, at_key=True).span == Span(5, 5, 5, 12)
    reported = job.found(Finding(code="E104", message="x", warning=True), path, span=Span(12, 1, 12, 2))
    assert (reported.span, reported.excerpt, reported.severity) == (
        Span(12, 1, 12, 2),
        "          or vars.contact",
        Severity.WARNING,
    )


def test_lines_are_those_of_the_file(job: Document) -> None:
    assert "\n".join(job.source.line(number + 1) for number in range(len(job.source.line_starts))) == JOB
