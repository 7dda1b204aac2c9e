"""Keys that are a part of a text after `|` or `>`, since their lines are indented as deep as the text."""

import re
from collections.abc import Collection, Iterable, Iterator

from runner.foundation.lazy import lazy_pattern
from runner.foundation.problems import Finding, Problem, Span
from runner.foundation.values import ValuePath, record, value_at
from runner.reading.document import Document

_BLOCK = lazy_pattern(r"[|>][+-]?[0-9]?[+-]?[ \t]*(?:#.*)?$", re.MULTILINE)
_KEY = lazy_pattern(r"(\w+):(?:\s.*)?")
_PROSE = ("description", "help", "name")


def check(document: Document, steps: Iterable[ValuePath]) -> Iterator[Problem]:
    """Warnings of texts for people that hold keys of the job, or of the step that they are in."""
    if _BLOCK.search(document.text) is None:
        return
    from runner.language.structure import properties, shipped  # noqa: PLC0415  1 ms, for a file with such a text

    job = shipped("job")
    for path in ((), *steps):
        fields = record(value_at(path, document.data))
        known = properties(job.at(path)).keys() - fields.keys()
        known -= set() if job.actions.isdisjoint(fields) else job.actions
        for key in _PROSE:
            if isinstance(fields.get(key), str):
                yield from slipped_keys(document, (*path, key), known)


def slipped_keys(document: Document, path: ValuePath, known: Collection[str]) -> Iterator[Problem]:
    """A warning for each line of a block of text at `path` that begins with one of the keys that are `known`."""
    place, name = document.value_span(path), path[-1]
    if _BLOCK.match(document.source.line(place.line), place.column - 1) is None:
        return
    lines = [(number, document.source.line(number)) for number in range(place.line + 1, place.end_line + 1)]
    depth = next((len(line) - len(line.lstrip()) for _, line in lines if line.strip()), 0)
    for number, line in lines:
        found = None if line[depth : depth + 1].isspace() else _KEY.fullmatch(line.strip())
        if found is not None and found[1] in known:
            message = f"`{found[1]}` is a part of the text of `{name}` here, and no key"
            hint = f"begin its line in the column of `{name}`, if it is a key"
            span = Span(number, depth + 1, number, depth + 1 + len(found[1]))
            yield document.found(Finding(code="E109", message=message, hint=hint, warning=True), path, span=span)
