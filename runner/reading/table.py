"""CSV as a `Table`: rows of texts with their places. A header, UTF-8; empty lines do not count.

Cells are separated by commas, or by semicolons where the header has these and no comma, as where a comma is the sign
of decimals: Excel writes the list separator of the system's region settings, whatever its menu says.
"""

import csv
import io
from collections.abc import Iterator

from msgspec import Struct

from runner.foundation.lazy import lazy_pattern
from runner.foundation.problems import Finding, Problem, Span
from runner.foundation.values import ValuePath
from runner.reading import encoding
from runner.reading.encoding import AS_CSV
from runner.reading.source import Source

_CELLS = {
    ",": lazy_pattern(r'"(?:[^"]|"")*"|[^,\r\n]*'),
    ";": lazy_pattern(r'"(?:[^"]|"")*"|[^;\r\n]*'),
}
"""A cell, by the separator."""
_OTHER_SEPARATORS = {"\t": "by tabs", "|": "by bars"}
_SAVE = "replace them by commas in a text editor, with values that hold a comma in quotes"
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_HEADER = "begin the file with the names of its columns: `name,phone`"
_FAULTS = {
    "expected after": (
        "the separator must follow the quote that ends a cell",
        'write each quote twice within a cell in quotes: `""`',
    ),
    "unexpected end of data": ("a cell begins with a quote here, and no quote ends it", None),
    "field larger": (f"a cell is longer than {csv.field_size_limit():,} characters", None),
}


class TableRow(Struct, frozen=True, kw_only=True):
    """`first` and `last` are the lines of the file on which it is, counted from 1."""

    cells: tuple[str, ...]
    first: int
    last: int


class Table(Struct, frozen=True, kw_only=True):
    """`flaw` is where reading had to end, None where the whole file was read."""

    source: Source
    separator: str
    header: TableRow
    rows: tuple[TableRow, ...]
    flaw: Problem | None = None

    def begins_with_sign(self, row: TableRow) -> bool:
        """Whether the line of a row begins with `#`, without a quote before it."""
        start, end = self.source.line_bounds(row.first)
        return self.source.text[start:end].lstrip().startswith("#")

    def row_span(self, row: TableRow) -> Span:
        return self.source.span(self.source.line_bounds(row.first)[0], self.source.line_bounds(row.last)[1])

    def cell_span(self, row: TableRow, column: int) -> Span:
        """A cell with its quotes; the whole row where there is no such cell."""
        cells = list(self._cells(row))
        return self.source.span(*cells[column]) if column < len(cells) else self.row_span(row)

    def found(self, finding: Finding, row: TableRow, *, column: int | None = None, path: ValuePath = ()) -> Problem:
        """What was found in a row, or in a cell of it; `path` leads to it as in a list of cases."""
        span = self.row_span(row) if column is None else self.cell_span(row, column)
        return self.source.found(finding, span, path=path)

    def _cells(self, row: TableRow) -> Iterator[tuple[int, int]]:
        """Offsets of the cells, as the `csv` module reads them."""
        at, end = self.source.line_bounds(row.first)[0], self.source.line_bounds(row.last)[1]
        while found := _CELLS[self.separator].match(self.source.text, at, end):
            yield found.span()
            at = found.end() + 1
            if at > end:
                return


def load(name: str, content: bytes) -> Table | Problem:
    """The table in `content`. A file without a header has none."""
    if content.startswith(_WORKBOOKS):
        message = "this is a workbook of a spreadsheet, and no CSV"
        return Source(name, "").problem("E136", message, at=(0, 0), hint=f"save it as a CSV: {AS_CSV}")
    source = encoding.decode(name, content, save=f"save the file as UTF-8; {AS_CSV}")
    if isinstance(source, Problem):
        return source
    rows, flaw = _rows(source, separator := _separator(source))
    if not rows:
        return flaw or source.problem("E108", "there is nothing in this file", at=(0, 0), hint=_HEADER)
    return _separated_otherwise(source, rows[0]) or Table(
        source=source, separator=separator, header=rows[0], rows=tuple(rows[1:]), flaw=flaw
    )


def _separator(source: Source) -> str:
    """By the first line that is not blank."""
    header = next(filter(None, map(str.strip, io.StringIO(source.text, newline=None))), "")
    return ";" if ";" in header and "," not in header else ","


def _rows(source: Source, separator: str) -> tuple[list[TableRow], Problem | None]:
    rows: list[TableRow] = []
    reader = csv.reader(io.StringIO(source.text, newline=""), delimiter=separator, strict=True)
    first = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                rows.append(TableRow(cells=tuple(cells), first=first, last=reader.line_num))
            first = reader.line_num + 1
    except csv.Error as error:
        return rows, _fault(source, first, str(error))
    return rows, None


def _fault(source: Source, line: int, message: str) -> Problem:
    message, hint = next((known for part, known in _FAULTS.items() if part in message), (message, None))
    return source.problem("E136", message, at=source.line_bounds(line), hint=hint)


def _separated_otherwise(source: Source, header: TableRow) -> Problem | None:
    """A header of a single cell that holds another separator, or a line that names it for a spreadsheet."""
    for sign, words in _OTHER_SEPARATORS.items():
        if len(header.cells) == 1 and sign in header.cells[0]:
            message = f"the cells of a CSV are separated by commas, those of this file {words}"
            return source.problem("E136", message, at=source.line_bounds(header.first), hint=_SAVE)
    first = header.cells[0].strip().casefold()
    if first.startswith(("sep=", "#")):
        what = "a CSV has no comments" if first[0] == "#" else "`sep=` is for spreadsheets"
        message = f"{what}: a CSV of cases begins with the names of its columns"
        return source.problem("E136", message, at=source.line_bounds(header.first), hint="leave this line out")
    return None
