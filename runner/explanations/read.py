"""What a code means, with examples: one Markdown file a code, beside this module, in a small fixed shape.

A file begins with the title of the code, and paragraphs that say what it means. Then come sections: of a mistake in
files `Wrong`, `Right` and `Check`; of what a command or a run can meet `Looks like` and `What to do`. An example is a
fenced block, whose first line names its file where that matters.
"""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from msgspec import Struct

from runner.foundation.lazy import lazy_pattern

_SECTION = lazy_pattern(r"^## (.+)\n", re.MULTILINE)
_FILTERS = "<!-- filters and tests -->"
"""Where the lines of all filters and tests go: they are made from the tables of `expressions/filters/`."""
_EXAMPLE = lazy_pattern(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Explanation(Struct, frozen=True, kw_only=True):
    """`meaning` is plain text in paragraphs; `sections` are Markdown, by their headings."""

    code: str
    title: str
    meaning: str
    sections: dict[str, str]


@cache
def titles() -> Mapping[str, str]:
    """The title of each code there is, in the order of their numbers."""
    return {path.stem: _title(path.read_text(encoding="utf-8")) for path in sorted(Path(__file__).parent.glob("E*.md"))}


def _title(text: str) -> str:
    return text.partition("\n")[0].removeprefix("# ")


def explanation(code: str) -> Explanation:
    """What is written of `code`, which must be one of `titles`."""
    text = Path(__file__).with_name(f"{code}.md").read_text(encoding="utf-8")
    if _FILTERS in text:
        from runner.expressions.filters.table import docs  # noqa: PLC0415  Jinja, for one code: 30 ms

        text = text.replace(_FILTERS, docs())
    meaning, *rest = _SECTION.split(text.partition("\n")[2])
    sections = {heading: body.strip() for heading, body in zip(rest[::2], rest[1::2], strict=True)}
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
