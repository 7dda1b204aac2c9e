"""Where something is in a file. Lines and columns count from 1, columns in characters; an end is exclusive."""

from msgspec import Struct


class Span(Struct, frozen=True):
    line: int
    column: int
    end_line: int
    end_column: int


START_OF_FILE = Span(1, 1, 1, 1)
