"""What a code means: a Markdown file a code, beside this module.

It has a title, paragraphs, and of a mistake the sections `Wrong`, `Right`, and a list of what to check; else how it
looks, and what to do. An example is a fenced block, whose first line may name its file.
"""

import re
from collections.abc import Mapping
from functools import cache
from itertools import groupby
from pathlib import Path

from msgspec import Struct

from runner.foundation.lazy import lazy_pattern

_SECTION = lazy_pattern(r"^## (.+)\n", re.MULTILINE)
_FILTERS = "<!-- filters and tests -->"
"""Where the lines of all filters and tests go: they are made from the tables of `expressions/filters/`."""
_EXAMPLE = lazy_pattern(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)

_GROUPS = (
    ("E100", "files, and what is in them"),
    ("E120", "templates and expressions"),
    ("E130", "inputs and cases"),
    ("E140", "targets, and what they have"),
    ("E150", "the command line, and stored runs"),
    ("E160", "guards"),
    ("E170", "catalogues, and the types that flow from them"),
    ("E180", "what a command selects"),
    ("E181", "runs that are not settled"),
    ("E182", "calls of stored runs"),
    ("E183", "versions that were applied"),
    ("E187", "what has changed in git"),
    ("E191", "packages, and the processes in them"),
    ("E197", "processes that are watched"),
    ("E201", "what the process, an expectation or a person decided"),
    ("E301", "no usable answer"),
    ("E401", "nobody knows, or a result is lost"),
    ("E700", "a fault of this program"),
)
"""Codes by what they speak of: their number says so."""


class Explanation(Struct, frozen=True, kw_only=True):
    """`meaning` is plain text; `sections` are Markdown by heading, as `Wrong`, `Right`, `Check`, `What to do`."""

    code: str
    title: str
    meaning: str
    sections: dict[str, str]


@cache
def titles() -> Mapping[str, str]:
    """The title of each code there is, in the order of their numbers."""
    return {path.stem: _title(path.read_text(encoding="utf-8")) for path in sorted(Path(__file__).parent.glob("E*.md"))}


def grouped() -> list[tuple[str, list[str]]]:

    def group(code: str) -> str:
        return [words for first, words in _GROUPS if first <= code][-1]

    return [(words, list(found)) for words, found in groupby(titles(), key=group)]


def _title(text: str) -> str:
    return text.partition("\n")[0].removeprefix("# ")


def explanation(code: str) -> Explanation:
    text = Path(__file__).with_name(f"{code}.md").read_text(encoding="utf-8")
    if _FILTERS in text:
        from runner.expressions.filters.table import docs  # noqa: PLC0415  Jinja, for a code: 30 ms

        text = text.replace(_FILTERS, docs())
    before, fence, todo = text.partition("\n")[2].rpartition("```\n")
    meaning, *parts = _SECTION.split(before + fence)
    if parts:
        parts += ["Check", todo]
    else:
        meaning, console, example = meaning.partition("```console\n")
        parts = ["Looks like", console + example, "What to do", todo]
    sections = {heading: body.strip() for heading, body in zip(parts[::2], parts[1::2], strict=True)}
    return Explanation(code=code, title=_title(text), meaning=meaning.strip(), sections=sections)


def as_markdown(explained: Explanation) -> str:
    """The whole as Markdown, under a heading."""
    parts = (f"## {heading}\n\n{body}\n" for heading, body in explained.sections.items())
    return "\n".join([f"# {explained.code}: {explained.title}\n", f"{explained.meaning}\n", *parts])


def as_text(explained: Explanation) -> str:
    """The whole for a terminal: examples are indented, and no line is broken."""
    sections = (f"{heading}:\n\n{_EXAMPLE.sub(_indented, body)}\n" for heading, body in explained.sections.items())
    return "\n".join([f"{explained.code}: {explained.title}\n", f"{explained.meaning}\n", *sections])


def _indented(found: re.Match[str]) -> str:
    name = f"  {found[2]}\n" if found[2] else ""
    lines = "\n".join(f"    {line}".rstrip() for line in found[3].splitlines())
    return name + lines
