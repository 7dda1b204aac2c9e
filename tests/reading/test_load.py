import errno
import gc
import os
from pathlib import Path

import pytest

from runner.foundation.problems import Problem, Span
from runner.foundation.values import Json
from runner.reading.encoding import LARGEST_FILE
from runner.reading.files import read_bytes
from runner.reading.load import Document, load, read


def document(text: str) -> Document:
    loaded = load("a.job.yaml", text.encode())
    assert isinstance(loaded, Document), loaded
    return loaded


def problems(content: str | bytes) -> tuple[Problem, ...]:
    loaded = load("a.job.yaml", content.encode() if isinstance(content, str) else content)
    assert isinstance(loaded, tuple), loaded
    assert loaded
    return loaded


def only_problem(content: str | bytes) -> Problem:
    (problem,) = problems(content)
    return problem


def reported(content: str | bytes) -> list[tuple[str, int, int]]:
    return [(p.code, p.span.line, p.span.column) for p in problems(content) if p.span]


def test_a_job_is_read_as_it_is() -> None:
    text = """\
# a comment
runner: 1
name: smoke
tags: [a, 'b', "c\\n"]
on: yes
vars: {when: 2026-01-31, n: 1.5, none: , nil: ~}
steps:
- text: |
    one
      two
  folded: >-
    three
    four
  long: words
    that go on
  empty: {}
  'quoted key': "null"
"""
    assert document(text).data == {
        "runner": 1,
        "name": "smoke",
        "tags": ["a", "b", "c\n"],
        "on": "yes",
        "vars": {"when": "2026-01-31", "n": 1.5, "none": None, "nil": None},
        "steps": [
            {
                "text": "one\n  two\n",
                "folded": "three four",
                "long": "words that go on",
                "empty": {},
                "quoted key": "null",
            }
        ],
    }


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment", "---\n", "\ufeff", "\ufeff# x\n"])
def test_an_empty_file_holds_nothing(text: str) -> None:
    empty = document(text)
    assert empty.data is None
    assert empty.value_span(()).line in (1, 2)


@pytest.mark.parametrize(
    ("text", "value"), [("a", "a"), ("[1]", [1]), ("--- 5\n...\n", 5), ("'x'", "x"), ("- \n", [None])]
)
def test_the_root_may_be_any_value(text: str, value: Json) -> None:
    assert document(text).data == value


def test_a_quoted_scalar_is_always_text() -> None:
    assert document("""['1', "true", '', "~", '.inf']""").data == ["1", "true", "", "~", ".inf"]


def test_json_is_read_also_when_it_is_indented_with_tabs() -> None:
    assert document('{\n\t"a": [1,\n\t\t2],\n\t"b": "\\u00e9\\/"\n}').data == {"a": [1, 2], "b": "é/"}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_line_end_ends_a_line(end: str) -> None:
    loaded = document(end.join(["a: 1", "b:", "- x", "- y", ""]))
    assert loaded.data == {"a": 1, "b": ["x", "y"]}
    assert loaded.lines_of_items(("b",)) == [3, 4]
    assert [loaded.source.line(number) for number in range(1, 6)] == ["a: 1", "b:", "- x", "- y", ""]


@pytest.mark.parametrize("mark", ["\x85", "\u2028", "\u2029"])
def test_separators_that_yaml_1_1_took_for_line_ends_are_characters(mark: str) -> None:
    loaded = document(f'a: "x {mark} y"\nb: x{mark}y # {mark}c: d\n"k{mark}": [z{mark}]\n')
    assert loaded.data == {"a": f"x {mark} y", "b": f"x{mark}y", f"k{mark}": [f"z{mark}"]}
    assert loaded.key_span((f"k{mark}",)) == Span(3, 1, 3, 5)


def test_anchors_and_aliases_are_fine() -> None:
    loaded = document("a: &x {k: [1]}\nb: *x\nc: &t text\n*t : [*t, *x]\nd: &n\ne: *n\n")
    assert loaded.data == {
        "a": {"k": [1]},
        "b": {"k": [1]},
        "c": "text",
        "text": ["text", {"k": [1]}],
        "d": None,
        "e": None,
    }


def test_an_anchor_may_be_used_again() -> None:
    assert document("- &x 1\n- *x\n- &x 2\n- *x\n").data == [1, 1, 2, 2]


# what is not read


def test_a_key_that_is_there_twice_is_reported_at_the_second() -> None:
    text = "a: 1\nb:\n  a: 1\nc: {a: 1, a: 2}\na: 3\n"
    assert reported(text) == [("E103", 4, 11), ("E103", 5, 1)]
    assert problems(text)[1].message == "the key `a` is written twice"
    assert problems(text)[1].hint == "leave one of them out: the other is in line 1"
    assert problems(text)[1].excerpt == "a: 3"


def test_keys_are_the_same_whatever_their_quotes() -> None:
    assert reported("a: 1\n'a': 2\n") == [("E103", 2, 1)]


def test_tags_are_reported_each_at_its_place() -> None:
    text = "a: !!str 1\nb: &x !include f.yaml\nc: !x [1]\nd: !<tag:a,b> {}\n! e: 1\n"
    assert reported(text) == [("E102", line, column) for line, column in ((1, 4), (2, 7), (3, 4), (4, 4), (5, 1))]
    assert "`!include`" in problems(text)[1].message


def test_merge_keys_are_reported_but_a_quoted_one_is_a_key() -> None:
    assert reported("a: &a {x: 1}\nb:\n  <<: *a\n  y: 2\n") == [("E102", 3, 3)]
    assert document('"<<": 1').data == {"<<": 1}


def test_a_second_document_is_reported_where_it_begins() -> None:
    assert reported("a: 1\n---\nb: 2\n") == [("E102", 2, 1)]


@pytest.mark.parametrize(
    ("text", "kind", "column"),
    [
        *(("1: x", "a number", 1), ("true: x", "a boolean", 1), ("~: x", "null", 1), ("{null: x}", "null", 2)),
        *(("? [a]\n: b", "a list", 3), ("? {a: b}\n: c", "a record", 3), ("{[a, b]: c}", "a list", 2)),
    ],
)
def test_a_key_must_be_a_text(text: str, kind: str, column: int) -> None:
    problem = only_problem(text)
    assert (problem.code, problem.span and problem.span.column) == ("E102", column)
    assert problem.message.startswith("a key must be a text")
    assert problem.message.endswith(kind)


def test_a_key_that_is_missing_is_reported() -> None:
    assert reported("? \n: b\n") == [("E102", 1, 2)]
    assert reported("{: x}") == [("E101", 1, 2)]
    assert reported("a: 1\n: b\n") == [("E101", 2, 1)]


@pytest.mark.parametrize("scalar", [".inf", "-.INF", ".nan", "9223372036854775808", "1e999"])
def test_numbers_that_json_does_not_have_are_reported(scalar: str) -> None:
    problem = only_problem(f"ok: 1\na: {scalar}\n")
    assert (problem.code, problem.span) == ("E102", Span(2, 4, 2, 4 + len(scalar)))
    assert problem.hint == "put it in quotes if it is a text"


def test_all_mistakes_of_one_pass_are_reported_in_the_order_of_the_file() -> None:
    text = "a: !t 1\n<<: {}\n2: b\na: .nan\nc: *no\nd: {{ x }}\ne: [1\n"
    assert [code for code, *_ in reported(text)] == ["E102", "E102", "E102", "E103", "E102", "E101", "E102", "E101"]
    assert [line for _, line, _ in reported(text)] == [1, 2, 3, 4, 4, 5, 6, 7]


def test_a_hundred_of_very_many_mistakes_are_reported() -> None:
    found = problems("a: 1\n" * 100_000)
    assert len(found) == 100
    assert found[-1].hint == "there may be more: a file is read up to its hundredth mistake"


def test_an_unknown_alias_is_reported_with_the_whole_text_in_quotes() -> None:
    problem = only_problem("a: *.x\n")
    assert problem.hint == 'put the text in quotes: "*.x"'
    problem = only_problem("a: *bold* text\n")
    assert (problem.code, problem.span) == ("E101", Span(1, 4, 1, 5))
    problem = only_problem("a: *star # c\n")
    assert (problem.code, problem.span) == ("E101", Span(1, 4, 1, 9))
    assert problem.hint == 'write `&star` before the value to repeat; put it in quotes: "*star", if it is a text'


def test_an_alias_inside_its_own_anchor_is_reported() -> None:
    assert reported("a: &x [1, {b: *x}]\n") == [("E102", 1, 15)]


# limits


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ("{a: ", "}"), ("[&x ", "]")])
def test_nesting_up_to_64_is_read_and_the_65th_is_reported(opening: str, closing: str) -> None:
    assert isinstance(load("f", (opening * 64 + closing * 64).encode()), Document)
    assert reported(opening * 65 + closing * 65) == [("E102", 1, 64 * len(opening) + (-2 if "&" in opening else 1))]


def test_nesting_in_block_style_is_counted_alike() -> None:
    text = "".join(f"{' ' * depth}a:\n" for depth in range(64))
    assert isinstance(load("f", text.encode()), Document)
    assert reported(text + " " * 64 + "a:\n") == [("E102", 65, 65)]


def test_nesting_through_aliases_is_counted() -> None:
    chain = "- &a0 []\n" + "".join(f"- &a{level} [*a{level - 1}]\n" for level in range(1, 63))
    assert isinstance(load("f", chain.encode()), Document)
    assert reported(chain + "- [*a62]\n") == [("E102", 64, 4)]


@pytest.mark.parametrize("bracket", "[{")
def test_brackets_by_the_million_are_reported_and_do_not_end_the_program(bracket: str) -> None:
    assert problems(bracket * 1_000_000)[-1].message == "lists and records nest deeper than 64 here"


def test_aliases_cannot_make_more_than_a_million_nodes() -> None:
    text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]\n" for level in range(1, 12)
    )
    problem = only_problem(text)
    assert problem.code == "E102"
    assert problem.message == "more than 1,000,000 keys and values, with aliases expanded"
    assert problem.span
    assert problem.span.line == 6


@pytest.mark.parametrize("item", ["a", "{}", "[]", "*s"])
def test_a_million_nodes_are_read_and_one_more_is_reported(item: str) -> None:
    thousand = f"- &t [{'x,' * 999}]\n"
    text = "- &s x\n" + thousand + "- *t\n" * 998 + f"- {item}\n" * 998
    assert isinstance(load("f", text.encode()), Document)
    assert reported(text + f"- {item}\n") == [("E102", 1999, 3)]


@pytest.mark.parametrize("anchored", ["&a {text}", "&a [{text}]", "&a {{k: {text}}}", "&a\n  - {text}"])
def test_aliases_cannot_make_more_than_ten_mebibytes_of_text(anchored: str) -> None:
    begun = "a:\n- " + anchored.format(text="x" * 2**20).replace("\n", "\n  ") + "\nb:\n"
    assert isinstance(load("f", (begun + "- *a\n" * 8).encode()), Document)
    problem = only_problem(begun + "- *a\n" * 3_000)
    assert (problem.code, problem.message) == ("E102", "more than 10 MiB of text, with aliases expanded")
    assert problem.span
    lines = begun.count("\n")
    assert (problem.span.line, problem.span.column, problem.span.end_column) == (lines + 9, 3, 5)


def test_text_that_aliases_of_aliases_make_is_counted() -> None:
    text = f"a0: &a0 {'x' * 1_000}\n" + "".join(
        f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]\n" for level in range(1, 9)
    )
    problem = only_problem(text)
    assert problem.message == "more than 10 MiB of text, with aliases expanded"
    assert problem.span
    assert problem.span.line == 5


def test_a_file_over_five_mebibytes_is_reported_unread() -> None:
    assert isinstance(load("f", b"#" * 5 * 2**20), Document)
    problem = only_problem(b"#" * (5 * 2**20 + 1))
    assert (problem.code, problem.message) == ("E102", "the file is larger than 5 MiB")


def test_the_garbage_collector_rests_only_while_a_file_is_read() -> None:
    assert gc.isenabled()
    load("f", b"a: [")
    assert gc.isenabled()
    gc.disable()
    try:
        load("f", b"a: 1")
        assert not gc.isenabled()
    finally:
        gc.enable()


# bytes


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be"])
def test_another_encoding_is_reported(encoding: str) -> None:
    problem = only_problem("runner: 1\n".encode(encoding))
    assert problem.code == "E101"
    assert "must be UTF-8" in problem.message


def test_a_byte_order_mark_of_utf_8_moves_no_column() -> None:
    loaded = document("\ufeffa: b\n")
    assert loaded.value_span(("a",)) == Span(1, 4, 1, 5)


def test_the_first_byte_that_is_not_utf_8_is_reported() -> None:
    problem = only_problem("a: 1\nж: ".encode() + "Привет".encode("cp1251") + b"\nc: d\n")
    assert (problem.code, problem.span) == ("E101", Span(2, 4, 2, 5))
    assert problem.message == "the byte 0xCF is not UTF-8"
    assert problem.excerpt is not None
    assert problem.excerpt.startswith("ж: \ufffd")


def test_a_surrogate_in_utf_8_is_not_utf_8() -> None:
    assert reported(b"a: \xed\xa0\x80\n") == [("E101", 1, 4)]


@pytest.mark.parametrize("char", ["\x01", "\x1b", "\x7f", "\x9b", "\ufffe", "\uffff"])
def test_a_character_that_yaml_refuses_is_reported_at_its_place(char: str) -> None:
    problem = only_problem(f"ok: 😀\na: ж{char}\n")
    assert (problem.code, problem.span) == ("E101", Span(2, 5, 2, 6))
    assert problem.message == f"the character \\u{ord(char):04x} is not allowed in YAML"


def test_a_nul_is_reported() -> None:
    assert reported("a: 1\nb: x\0y") == [("E101", 2, 5)]


# files


def test_a_file_is_read_under_the_name_that_it_is_given(tmp_path: Path) -> None:
    path = tmp_path / "ü.job.yaml"
    path.write_bytes(b"a: 1\n")
    loaded = read(path, name="jobs/ü.job.yaml")
    assert isinstance(loaded, Document)
    assert (loaded.file, loaded.text, loaded.data) == ("jobs/ü.job.yaml", "a: 1\n", {"a": 1})


def test_a_file_that_cannot_be_read_is_one_more_answer(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    for path, message in [
        (tmp_path / "none", "there is no file `n`"),
        (tmp_path / "folder", "`n` is a folder, not a file"),
        (tmp_path / "folder" / "x" / "y", "there is no file `n`"),
        (Path("a\0b"), "this cannot be the name of a file"),
        (tmp_path / ("x" * 300), "`n` cannot be read: File name too long"),
    ]:
        assert read(path, name="n") == (Problem(code="E100", message=message, file="n"),)


def test_a_missing_file_is_not_looked_for_in_a_folder_that_may_not_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Path.stat

    def stat(path: Path, *, follow_symlinks: bool = True) -> os.stat_result:
        if path.parent.name == "private":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return real(path, follow_symlinks=follow_symlinks)

    (tmp_path / "a.job.yaml").touch()
    (tmp_path / "private").mkdir()
    monkeypatch.setattr(Path, "stat", stat)
    found = read(tmp_path / "c.job.yaml", name="c.job.yaml")
    assert isinstance(found, tuple)
    assert [problem.message for problem in found] == ["there is no file `c.job.yaml`"]


def test_no_more_of_a_large_file_is_read_than_a_file_may_hold(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(b"x" * (LARGEST_FILE + 10))
    assert len(read_bytes(tmp_path / "large")) == LARGEST_FILE + 1


def test_a_folder_that_is_no_file_is_not_left_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[int] = []
    really = os.open

    def noted(path: Path, flags: int) -> int:
        opened.append(really(path, flags))
        return opened[-1]

    with monkeypatch.context() as patched:
        patched.setattr(os, "open", noted)
        with pytest.raises(IsADirectoryError):
            read_bytes(tmp_path)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(*opened)
