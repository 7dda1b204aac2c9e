import re

import pytest

from runner.foundation.problems import Problem
from runner.foundation.values import Json
from runner.reading.load import Document, load

QUOTE = "put the text in quotes: "


def only_problem(text: str) -> Problem:
    loaded = load("f", text.encode())
    assert isinstance(loaded, tuple), loaded
    (problem,) = loaded
    return problem


@pytest.mark.parametrize(
    ("text", "quoted", "length"),
    [
        ("a: {{ x }}", '"{{ x }}"', 7),
        ("a: {{ x }} # why", '"{{ x }}"', 7),
        ("a: {{ x }} and more", '"{{ x }} and more"', 16),
        ('a: {{ x["k"] }}', "'{{ x[\"k\"] }}'", 12),
        ("a: {{ x | f('%') }}", "\"{{ x | f('%') }}\"", 16),
        ('a: {{ f("it\'s") }}', "'{{ f(\"it''s\") }}'", 15),
        ('a: {{ "x }}', "'{{ \"x }}'", 8),
        ("a: {{ @ }}", '"{{ @ }}"', 7),
        ("a: {{ x, y }}", '"{{ x, y }}"', 10),
        ("- {{ x }}", '"{{ x }}"', 7),
        ("a:\n  {{ x }}\n", '"{{ x }}"', 7),
        ("[{{ x }}, 'b']", '"{{ x }}"', 7),
        ("k: {a: {{ x }}, b: 1}", '"{{ x }}"', 7),
        ("{{ x }}: 1", '"{{ x }}: 1"', 10),
    ],
)
def test_a_template_without_quotes_is_reported_at_its_brace_and_shown_in_quotes(
    text: str, quoted: str, length: int
) -> None:
    problem = only_problem(text)
    assert problem.code == "E102"
    assert problem.message == "a template without quotes: YAML reads `{{` as the start of a mapping"
    assert problem.hint == f"put the template in quotes: {quoted}"
    assert problem.span
    lines = text.split("\n")
    assert problem.span.column == lines[problem.span.line - 1].index("{{") + 1
    assert problem.span.end_column - problem.span.column == length


def test_every_template_without_quotes_is_reported() -> None:
    loaded = load("f", b'a: {{ x }}\nb: [{{ y }}, {{ z }}]\nc: {{ w["k"] }}\n')
    assert isinstance(loaded, tuple)
    assert [(p.span.line, p.span.column) for p in loaded if p.span] == [(1, 4), (2, 5), (2, 14), (3, 4)]


def test_a_long_template_is_not_repeated_in_the_hint() -> None:
    assert only_problem(f"a: {{{{ {'x' * 100} }}}}").hint == "put the template in quotes"


def test_what_is_in_a_template_without_quotes_is_no_further_mistake() -> None:
    assert only_problem("a: {b: {{ 5 }}}").hint == 'put the template in quotes: "{{ 5 }}"'


@pytest.mark.parametrize(
    "text",
    [
        "a: http://x.y\nb: [https://x.y, c:d]",
        "a: {b: c:d, 'e:f': null}",
        "a: b // c",
        "a: |\n  ```\n  // b\n  \u00a0c:d\n",
        "a: b,\nc: d",
    ],
)
def test_what_only_looks_like_a_typo_is_read(text: str) -> None:
    assert isinstance(load("f", text.encode()), Document)


@pytest.mark.parametrize("mark", ["<<<<<<< HEAD", ">>>>>>> branch", "<<<<<<<"])
def test_a_merge_conflict_is_reported_whatever_the_rest_of_the_file_is(mark: str) -> None:
    problem = only_problem(f"a: b\n{mark}\nc: d\n=======\nc: e\n")
    assert (problem.code, problem.message) == ("E101", "the file holds a merge conflict: here is a mark of git")
    assert problem.span
    assert (problem.span.line, problem.span.end_column) == (2, len(mark) + 1)


def test_marks_of_git_inside_of_a_text_are_text() -> None:
    assert isinstance(load("f", b"a: |\n  <<<<<<< HEAD\nb: '>>>>>>>'"), Document)


def test_braces_inside_a_text_are_text() -> None:
    problem = only_problem("a: it is {{ x }}: y")
    assert problem.code == "E101"
    assert problem.hint == QUOTE + '"it is {{ x }}: y"'


# The place is marked by ⟦ ⟧ in the text, which are taken out before it is read.
MESSAGES = [
    ("a: b⟦:⟧ c", "a second `:` in one line: mapping values are not allowed here", QUOTE + '"b: c"'),
    ("- name: Step⟦:⟧ one # c", "a second `:` in one line: mapping values are not allowed here", QUOTE + '"Step: one"'),
    (
        "a: x\n  ⟦b⟧: c",
        "mapping values are not allowed here: the text of line 1 goes on in this line",
        "indent this key like the keys that it belongs to, or put the text in quotes",
    ),
    (
        "a: b\n⟦c⟧\nd: e",
        "a `:` is missing after this key",
        "write `c:`",
    ),
    (
        "a: ⟦-⟧ b",
        "a list item cannot begin after a key, on the key's line",
        "begin the list in the next line, or " + QUOTE + '"- b"',
    ),
    ("a: ⟦?⟧ b", "a text cannot begin with `? `", QUOTE + '"? b"'),
    ("a: ⟦@⟧x # c", "a text cannot begin with `@`", QUOTE + '"@x"'),
    ("a: ⟦`⟧x`", "a text cannot begin with ```", QUOTE + '"`x`"'),
    ("a: ⟦%⟧x", "a text cannot begin with `%`", QUOTE + '"%x"'),
    ("a: [⟦@⟧x, y]", "a text cannot begin with `@`", QUOTE + '"@x"'),
    ("a: [x,\n ⟦|⟧]", "a text cannot begin with `|`", QUOTE + '"|"'),
    (
        "a: ⟦{%⟧ if %}",
        "a text cannot begin with `{%`",
        "write each step out, or use `for_each`: no statements are read",
    ),
    ("⟦%⟧x\na: b", "`%` begins a directive, and this is none", QUOTE + '"%x"'),
    ("a: ⟦*⟧.x", "`*` begins an alias, and this is none", QUOTE + '"*.x"'),
    ("- ⟦*⟧*bold**", "`*` begins an alias, and this is none", QUOTE + '"**bold**"'),
    ("a: ⟦&⟧ b", "`&` begins the name of an anchor, and this is none", QUOTE + '"& b"'),
    ("a: ⟦!⟧e!x", "`!` begins a tag, and this is none", QUOTE + '"!e!x"'),
    ("if: ⟦>⟧ 5", "`>` begins a block of text in the next lines, and this is none", QUOTE + '"> 5"'),
    ("a: ⟦|⟧x", "`|` begins a block of text in the next lines, and this is none", QUOTE + '"|x"'),
    (
        "a: ⟦'⟧it",
        "a quote that opens here is never closed",
        "close it with `'`; write a `'` inside the text as `''`",
    ),
    (
        'a: ⟦"⟧it\nb: c\n',
        "a quote that opens here is never closed",
        'close it with `"`; write a `"` inside the text as `\\"`',
    ),
    (
        'a: ⟦"⟧x\nb: "y"\n',
        "a quote that opens here is closed in line 2 only",
        'close it in its own line; a `"` inside the text must be written otherwise',
    ),
    (
        'a: ⟦"⟧x\n  b": c',
        "a quote that opens here is closed in line 2 only",
        'close it in its own line; a `"` inside the text must be written otherwise',
    ),
    (
        "a: 'it⟦'⟧s'",
        "the text ends at this `'`, and more follows",
        "put the text in quotes: \"it's\", or write '' in it",
    ),
    (
        'a: "say ⟦"⟧hi" now"',
        'the text ends at this `"`, and more follows',
        'put the text in quotes: \'say "hi" now\', or write \\" in it',
    ),
    (
        'if: "a" ⟦=⟧= b',
        "text follows a value that has ended",
        "put the whole value in quotes: '\"a\" == b'",
    ),
    (
        '- "x" ⟦i⟧n result',
        "text follows a value that has ended",
        "put the whole value in quotes: '\"x\" in result'",
    ),
    (
        "a: [1] ⟦+⟧ x",
        "text follows a value that has ended",
        'put the whole value in quotes: "[1] + x"',
    ),
    (
        'a: "⟦\\d⟧+"',
        "`\\d` means nothing in double quotes",
        "put the text in single quotes, or double the backslash: `\\\\d`",
    ),
    (
        'a: "⟦\\x⟧zz"',
        "`\\x` means nothing in double quotes",
        "put the text in single quotes, or double the backslash: `\\\\x`",
    ),
    (
        'a: "⟦\\u⟧d83d\\ude00"',
        "half of a surrogate pair, or no character at all",
        "write the character itself, or \\U and its 8 digits",
    ),
    ("a: ⟦[⟧1, 2", "`[` opens here, and no `]` is found for it", None),
    ("a: ⟦[⟧\n", "`[` opens here, and no `]` is found for it", None),
    ("a: ⟦[⟧1, 2\nb: c", "`[` opens here, and no `]` is found for it", None),
    ("a: ⟦{⟧b: c,\n d: e\nf: [1]\n", "`{` opens here, and no `}` is found for it", None),
    ("{a: b c⟦:⟧ d}", "a `,` or `}` is missing before this", None),
    ("a: ⟦]⟧", "a value is missing before `]`", None),
    ("[⟦,⟧ a]", "a value is missing before `,`", None),
    ("a:\n  b: 1\n ⟦c⟧: 2", "the indentation of this line fits nothing above it", None),
    ("a: |\n  x\n ⟦y⟧", "the indentation of this line fits nothing above it", None),
    ("- a\n⟦b⟧: c", "this line belongs to no item of the list that begins in line 1", None),
    (
        "a: 1\n⟦-⟧ b",
        "a list item is among the keys of a mapping",
        "indent it like the other items of its list, deeper than the key that the list belongs to",
    ),
    ("⟦id:⟧add\nname: x", "a space is missing after the `:`", "write `id: add`"),
    ("- ⟦id:⟧add\n  name: x", "a space is missing after the `:`", "write `id: add`"),
    ("a: b\n⟦timeout:⟧10s\nc: d", "a space is missing after the `:`", "write `timeout: 10s`"),
    ("a:\n  ⟦url:⟧https://x.y\n  b: c", "a space is missing after the `:`", "write `url: https://x.y`"),
    ("⟦a:⟧{b: {c: d}}", "a space is missing after the `:`", "write `a: {b: {c: d}}`"),
    ('⟦a:⟧"b"\nc: d', "a space is missing after the `:`", 'write `a: "b"`'),
    ("a: {⟦type:⟧integer}", "a space is missing after the `:`", "write `type: integer`"),
    (
        "a:\n⟦\u00a0⟧ b: c\n  d: e",
        "there is a no-break space (U+00A0) in the indentation: to YAML it is no space",
        "write plain spaces in its place",
    ),
    (
        "a:\n  b:⟦\u3000⟧c\n  d: e",
        "there is an ideographic space (U+3000) after the `:`: to YAML it is no space",
        "write plain spaces in its place",
    ),
    ("⟦```yaml⟧\na: b\n```", "``` is Markdown, not YAML", "delete this line, and the other line that begins with ```"),
    ("a: b\n⟦```⟧\n", "``` is Markdown, not YAML", "delete this line"),
    ("⟦// why⟧\na: b", "a comment begins with `#`, not with `//`", "write `# why`"),
    ('a: "b" ⟦// why⟧', "a comment begins with `#`, not with `//`", "write `# why`"),
    ("a: b\n⟦/* why */⟧\nc: d", "a comment begins with `#`, not with `/*`", "write `# why`"),
    ('a: "b"⟦,⟧\nc: d', "a `,` ends a value in brackets only", "leave the `,` out"),
    ("a: b ? c ⟦:⟧ d", "a condition is not written with `?` and `:`", "write `c if b else d`"),
    (
        "retry: max_attempts⟦:⟧ 3",
        "a second `:` in one line: mapping values are not allowed here",
        "write `{max_attempts: 3}`, or begin a new line with it, indented deeper; or " + QUOTE + '"max_attempts: 3"',
    ),
    ("- a: b\n⟦c⟧: d", "this line belongs to no item of the list that begins in line 1", None),
    ("{a: b} ⟦c⟧", "the text goes on after its only value has ended", None),
    ("⟦%⟧YAML 2.0\n---\na", "a `%YAML` line may appear once, with version 1.2", "leave the line out"),
]


@pytest.mark.parametrize(("marked", "message", "hint"), MESSAGES, ids=[marked for marked, *_ in MESSAGES])
def test_a_typo_of_syntax_is_reported_in_plain_words_where_it_must_be_mended(
    marked: str, message: str, hint: str | None
) -> None:
    text = re.sub("[⟦⟧]", "", marked)
    problem = only_problem(text)
    assert (problem.code, problem.message) == ("E101", message)
    assert hint in (None, problem.hint)
    assert problem.span
    before, _, rest = marked.partition("⟦")
    assert problem.span.line == before.count("\n") + 1
    assert problem.span.column == len(before.rpartition("\n")[2]) + 1
    assert problem.span.end_column - problem.span.column == rest.index("⟧")


TABS = [
    *("a:\n⟦\t⟧b: c", "a: b\n⟦\t⟧c: d", "a:\n  b: c\n  ⟦\t⟧d: e", "a:\n  - b\n⟦\t⟧- c", "-⟦\t⟧x", "- ⟦\t⟧x: y"),
    *("a: |\n⟦\t⟧x", "\t# comment\na: b\n\t\n⟦\t⟧c: d", 'a: "x"\n⟦\t⟧b: c', "a: |\n  x\n⟦\t⟧\t\t\nb: c"),
]


@pytest.mark.parametrize("marked", TABS)
def test_a_tab_in_the_indentation_is_reported_at_the_tab(marked: str) -> None:
    problem = only_problem(re.sub("[⟦⟧]", "", marked))
    assert (problem.code, problem.message) == ("E101", "there is a tab in the indentation")
    before = marked.partition("⟦")[0]
    assert problem.span
    assert (problem.span.line, problem.span.column) == (before.count("\n") + 1, len(before.rpartition("\n")[2]) + 1)


def test_further_lines_with_tabs_are_counted() -> None:
    assert (
        only_problem("a:\n\tb: 1\n\tc: 2\n\t\n\t# c\n  \td: 3\n").hint
        == "write spaces in its place; 2 more lines begin with a tab"
    )


def test_tabs_elsewhere_are_fine() -> None:
    assert not isinstance(load("f", b"a:\tb\t# c\nd: x\ty\ne: |\n  x\n  \tz\n"), tuple)


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("a: b\n\t\nc: d\n", {"a": "b", "c": "d"}),
        ("\t# one\na:\n  \t # two\n  - 1\r\n\t\r\n\t\t\t# three\n  - 2\n  \t", {"a": [1, 2]}),
        ("a: |\n  x\n\t\n  \t# y\n  \t\n  z\n\t\n\t\t\t# no text\nb: 1\n", {"a": "x\n\n\t# y\n\t\nz\n", "b": 1}),
        ("a: x\n\t\n  y\nb: 'x\n\t# y\n\t\n  z'\n\t\n", {"a": "x\ny", "b": "x # y\nz"}),
        ("a: &a |2\n   x\n  \t# y\nb: *a\n\t#\n", {"a": " x\n\t# y\n", "b": " x\n\t# y\n"}),
        ("\t\n", None),
    ],
)
def test_a_tab_that_indents_nothing_is_fine_and_stays_where_it_is_a_part_of_a_text(text: str, data: Json) -> None:
    loaded = load("f", text.encode())
    assert not isinstance(loaded, tuple), loaded
    assert (loaded.data, loaded.text) == (data, text)


def test_a_line_end_is_never_shown_in_a_message() -> None:
    loaded = load("a.yaml", "\ufeff\ufeff\n]".encode())
    assert isinstance(loaded, tuple)
    assert [problem.message.isprintable() for problem in loaded] == [True]
