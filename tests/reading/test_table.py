import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.foundation.problems import Problem, Span
from runner.reading import table
from runner.reading.table import Table


def loaded(text: str) -> Table:
    found = table.load("a.csv", text.encode())
    assert isinstance(found, Table), found
    return found


def cells(text: str) -> list[tuple[str, ...]]:
    found = loaded(text)
    return [found.header.cells, *(row.cells for row in found.rows)]


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_a_line_may_end_as_it_likes(line_end: str) -> None:
    assert cells(line_end.join(["name,a", "one,1", "", '"tw""o",', ""])) == [("name", "a"), ("one", "1"), ('tw"o', "")]


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_semicolons_separate_cells_where_the_header_has_them_and_no_comma(line_end: str) -> None:
    text = line_end.join(["", "name;a", "one;1,5", '"tw;o";"x,y"', ""])
    found = loaded(text)
    assert cells(text) == [("name", "a"), ("one", "1,5"), ("tw;o", "x,y")]
    assert found.cell_span(found.rows[0], 1) == Span(3, 5, 3, 8)


@pytest.mark.parametrize("header", ["name,a;b", "name,a"])
def test_a_header_with_a_comma_is_separated_by_commas(header: str) -> None:
    assert cells(f"{header}\none,1;2\n") == [tuple(header.split(",")), ("one", "1;2")]


def test_a_byte_order_mark_is_no_part_of_the_first_name() -> None:
    assert cells("\ufeffname\none") == [("name",), ("one",)]


def test_a_row_knows_its_lines_and_a_cell_its_place() -> None:
    found = loaded('name,note,a\none,"1\n2, ""3""",x\n\ntwo,,y\n')
    one, two = found.rows

    assert [(row.first, row.last) for row in (one, two)] == [(2, 3), (5, 5)]
    assert [found.cell_span(one, column) for column in range(3)] == [
        Span(2, 1, 2, 4),
        Span(2, 5, 3, 10),
        Span(3, 11, 3, 12),
    ]
    assert found.cell_span(two, 1) == Span(5, 5, 5, 5)
    assert found.cell_span(two, 9) == found.row_span(two) == Span(5, 1, 5, 7)


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=8)
ROWS = st.lists(TEXTS, min_size=2, max_size=4).filter(lambda row: any(map(str.strip, row)) and "#" not in row[0])


@pytest.mark.slow
@given(st.lists(ROWS, min_size=1, max_size=6), st.sampled_from([1, 0]))
@settings(deadline=None)
def test_what_a_writer_of_csv_writes_is_read_with_the_place_of_each_cell(rows: list[list[str]], quoting: int) -> None:
    written = io.StringIO(newline="")
    csv.writer(written, quoting=quoting).writerows(rows)  # type: ignore[arg-type]  # QUOTE_ALL or QUOTE_MINIMAL
    found = loaded(written.getvalue())

    assert [row.cells for row in (found.header, *found.rows)] == [tuple(row) for row in rows]
    for row in (found.header, *found.rows):
        for column, cell in enumerate(row.cells):
            assert between(found, found.cell_span(row, column)) in (cell, '"' + cell.replace('"', '""') + '"')


def between(found: Table, span: Span) -> str:
    starts = found.source.line_starts
    return found.source.text[starts[span.line - 1] + span.column - 1 : starts[span.end_line - 1] + span.end_column - 1]


@pytest.mark.parametrize(
    ("text", "message", "line"),
    [
        ("name\ta\none\t1", "the cells of a CSV are separated by commas, those of this file by tabs", 1),
        ("# people\nname,a\none,1", "a CSV has no comments: a CSV of cases begins with the names of its columns", 1),
        ("sep=;\nname;a", "`sep=` is for spreadsheets: a CSV of cases begins with the names of its columns", 1),
        (
            "sep=,\nname,a",
            "`sep=` is for spreadsheets: a CSV of cases begins with the names of its columns",
            1,
        ),
        ("", "there is nothing in this file", 1),
        ("\n\n", "there is nothing in this file", 1),
    ],
)
def test_a_file_that_is_no_csv_has_one_problem(text: str, message: str, line: int) -> None:
    found = table.load("a.csv", text.encode())

    assert isinstance(found, Problem)
    assert (found.message, found.span and found.span.line, found.file) == (message, line, "a.csv")


def test_a_file_that_is_not_utf_8_has_its_first_bad_byte_as_place() -> None:
    found = table.load("a.csv", b"name\none\nJ\xfcrgen\n")

    assert isinstance(found, Problem)
    assert found.span == Span(3, 2, 3, 3)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('name\none\n"two\nthree', "a cell begins with a quote here, and no quote ends it"),
        ('name\none\n"two" \n', "the separator must follow the quote that ends a cell"),
        (f"name\none\n{'x' * 200_000}\n", "a cell is longer than 131,072 characters"),
    ],
)
def test_what_is_before_a_flaw_is_read(text: str, message: str) -> None:
    found = loaded(text)

    assert [row.cells for row in found.rows] == [("one",)]
    assert found.flaw is not None
    assert (found.flaw.message, found.flaw.span and found.flaw.span.line) == (message, 3)
