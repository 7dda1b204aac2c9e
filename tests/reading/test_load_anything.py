"""Files that nobody wrote: any structure written down in any style, any bytes, a job with a few characters changed."""

import json
import random
import re
from dataclasses import dataclass, field

import pytest
from examples import some
from hypothesis import example, given, settings
from hypothesis import strategies as st

from runner.foundation.values import Json, ValuePath
from runner.reading.load import Document, load

pytestmark = pytest.mark.slow

# A structure in a random style; whoever writes it knows where everything stands.


@dataclass
class Pen:
    """Writes YAML, and down where it wrote what: offsets of values and keys, by path."""

    dice: random.Random
    text: str = ""
    values: dict[ValuePath, tuple[int, int]] = field(default_factory=dict)
    keys: dict[ValuePath, tuple[int, int]] = field(default_factory=dict)
    end_of_block: int = 0

    def write(self, text: str) -> tuple[int, int]:
        start = len(self.text)
        self.text += text
        return start, len(self.text)

    def comment(self) -> None:
        """Only ever at the end of a line, and not behind a block of text, to which it would belong."""
        if self.end_of_block == len(self.text):
            return
        if self.dice.random() < 0.2:
            self.write("  # so: {it} 'is' 😀")
        if self.dice.random() < 0.1:
            self.write("\n\n   # between the lines\n")

    def block(self, value: Json, path: ValuePath, indent: int) -> None:
        """`value` behind a key or a dash, or at the root."""
        if isinstance(value, (dict, list)) and value and self.dice.random() < 0.7:
            if path and (isinstance(path[-1], str) or self.dice.random() < 0.3):
                self.write("\n")
            self.write(" " * (indent - self.column()))
            self.entries(value, path, indent)
        elif isinstance(value, str) and "\n" in value[:-1] and value.strip() == value.removesuffix("\n") and path:
            self.literal(value, path, indent)
        else:
            self.write(" " if path else "")
            self.flow(value, path)

    def literal(self, value: str, path: ValuePath, indent: int) -> None:
        start, end = self.write(f" |{'' if value[-1] == chr(10) else '-'}")
        for line in value.removesuffix("\n").split("\n"):
            _, end = self.write("\n" + " " * indent + line if line else "\n")
        self.values[path] = (start + 1, end)
        self.end_of_block = end

    def column(self) -> int:
        return len(self.text) - self.text.rfind("\n") - 1

    def entries(self, value: dict[str, Json] | list[Json], path: ValuePath, indent: int) -> None:
        start = len(self.text)
        end = start
        for place, (key, item) in enumerate(parts(value)):
            if place:
                self.comment()
                self.write(("" if self.text.endswith("\n") else "\n") + " " * indent)
            inner = (*path, key)
            if isinstance(key, str):
                self.keys[inner] = self.write(self.scalar(key, flow=False))
                self.write(":")
            else:
                self.write("-")
            self.block(item, inner, indent + 2 + self.dice.randrange(2))
            end = self.values[inner][1]
        self.values[path] = (start, end)

    def flow(self, value: Json, path: ValuePath) -> None:
        start = len(self.text)
        if isinstance(value, (dict, list)):
            self.write("{" if isinstance(value, dict) else "[")
            for place, (key, item) in enumerate(parts(value)):
                self.write(self.dice.choice([",", ", ", " ,  "]) if place else "")
                if isinstance(key, str):
                    self.keys[*path, key] = self.write(self.scalar(key, flow=True))
                    self.write(": ")
                self.flow(item, (*path, key))
            self.write("}" if isinstance(value, dict) else "]")
        else:
            self.write(self.scalar(value, flow=True))
        self.values[path] = (start, len(self.text))

    def scalar(self, value: Json, *, flow: bool) -> str:
        if not isinstance(value, str):
            return "~" if value is None and self.dice.random() < 0.5 else json.dumps(value)
        ways = [json.dumps(value, ensure_ascii=False)]
        if "\n" not in value:
            ways.append("'" + value.replace("'", "''") + "'")
        if value.isalpha() and value.lower() not in ("null", "true", "false"):
            ways.append(value)
        if PLAIN_IN_BLOCKS.fullmatch(value) and not flow:
            ways.append(value)
        return self.dice.choice(ways)


def parts(value: dict[str, Json] | list[Json]) -> list[tuple[str | int, Json]]:
    return [*value.items()] if isinstance(value, dict) else [*enumerate(value)]


PLAIN_IN_BLOCKS = re.compile(r"[aZж😀](?:[aZéж😀\-'\"{}\[\],&*!|>%@`~?1.]| (?! |$))*")
CHARACTERS = "aZé😀ж \n#:-'\"{}[],&*!|>%@`~?1."
TEXTS = st.text(CHARACTERS, max_size=8) | st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=5)
LEAVES: st.SearchStrategy[Json] = (
    TEXTS | st.integers(-(2**63), 2**63 - 1) | st.booleans() | st.none() | st.floats(-1e9, 1e9)
)
STRUCTURES: st.SearchStrategy[Json] = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4), max_leaves=15
)


@settings(max_examples=some(200), deadline=None)
@given(STRUCTURES, st.integers(0, 2**32))
def test_every_value_is_read_as_it_was_written_and_its_place_is_where_it_was_written(value: Json, seed: int) -> None:
    pen = Pen(random.Random(seed))
    pen.block(value, (), 0)
    pen.write("\n")  # a block of text at the end of a file has only the line ends that are there
    loaded = load("f", pen.text.encode())
    assert isinstance(loaded, Document), (pen.text, loaded)
    assert json.dumps(loaded.data) == json.dumps(value)
    source = loaded.source
    for path, bounds in pen.values.items():
        assert loaded.value_span(path) == source.span(*bounds), (pen.text, path)
    for path, bounds in pen.keys.items():
        assert loaded.key_span(path) == source.span(*bounds), (pen.text, path)
        assert loaded.line_of(path) == source.line_at(bounds[0])


# Whatever the bytes: an answer, and everything in it has its place.


def look_at(content: bytes) -> None:
    loaded = load("f", content)
    if isinstance(loaded, Document):
        look_into(loaded, loaded.data, ())
        return
    assert loaded
    for problem in loaded:
        assert problem.code in ("E101", "E102", "E103")
        assert problem.span
        assert problem.span.line >= 1
        assert problem.span.column >= 1
        assert (problem.span.line, problem.span.column) <= (problem.span.end_line, problem.span.end_column)
        assert problem.excerpt is not None
        assert problem.span.column <= len(problem.excerpt) + 1
        assert problem.message
        assert "\n" not in problem.message


def look_into(document: Document, value: Json, path: ValuePath) -> None:
    for span in (document.value_span(path), document.key_span(path)):
        assert (1, 1) <= (span.line, span.column) <= (span.end_line, span.end_column)
        assert span.end_line <= len(document.source.line_starts)
    document.name_span(path, line=1, name="a")
    document.quote_hint(path)
    json.dumps(value, allow_nan=False)
    match value:
        case dict():
            for key, item in value.items():
                look_into(document, item, (*path, key))
        case list():
            assert len(document.lines_of_items(path)) == len(value)
            for place, item in enumerate(value):
                look_into(document, item, (*path, place))
        case _:
            pass


@settings(max_examples=some(200), deadline=None)
@given(st.binary(max_size=60))
@example(b"\xff")
@example(b"\xef\xbb\xbf\xef\xbb\xbfa: 1")
@example(b"\r")
@example(b"\x00\x00")
def test_no_bytes_end_in_a_crash(content: bytes) -> None:
    look_at(content)


SNIPPETS = [
    *(
        "\n",
        "\r\n",
        "\t",
        " ",
        "  ",
        "- ",
        ": ",
        "? ",
        ":",
        ",",
        "#",
        " #",
        "[",
        "]",
        "{",
        "}",
        "{{",
        "}}",
        "&a ",
        "*a",
    ),
    *("!t ", "!!", "|", ">", "|2", ">-", "'", '"', "\\", "\\u", "%", "---", "...", "<<", "@", "`", "~", "a", "bc", "1"),
    *("é", "😀", "\x85", "\u2028", "\ufeff", "\x00", "\ud7ff", "%YAML 1.2\n", "\n---\n", "a: b\n", "  a: b\n", "- c\n"),
]


@settings(max_examples=some(400), deadline=None)
@given(st.lists(st.sampled_from(SNIPPETS), max_size=15).map("".join))
def test_no_text_of_yamls_own_signs_ends_in_a_crash(text: str) -> None:
    look_at(text.encode())


JOB = """\
runner: 1
name: contact-smoke
tags: [smoke, contacts]
inputs:
  phone: {type: string, default: "+1 617 440 2498"}
steps:
  - id: add
    execute: &call
      process: UsrAdd
      parameters: {ContactName: "{{ vars.contact }}", Ж: '😀'}
    expect:
      - result | length > 0
      - that: >-
          vars.contact in result
          | map(attribute="Name")
  - id: again
    execute: *call
finally:
  - help: |
      two
      lines
    pause: 1s   # a comment
"""


@settings(max_examples=some(300), deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, len(JOB)), st.integers(0, 6), st.sampled_from(SNIPPETS) | st.just("")),
        min_size=1,
        max_size=4,
    )
)
def test_no_change_to_a_job_ends_in_a_crash(changes: list[tuple[int, int, str]]) -> None:
    text = JOB
    for start, length, put in changes:
        text = text[:start] + put + text[start + length :]
    look_at(text.encode())
