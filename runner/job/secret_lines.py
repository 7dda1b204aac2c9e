"""The lines of a job with the value of a secret input, which no problem shows; of an unreadable job all may be."""

from collections.abc import Iterator

from msgspec.structs import replace

from runner.foundation.lazy import lazy_pattern
from runner.foundation.problems import Problem
from runner.foundation.suggestions import did_you_mean
from runner.foundation.values import Json, ValuePath, items, record
from runner.reading.document import Document, without_text

_SECRET = "secret"  # noqa: S105  the name of a key
_OPEN = frozenset({_SECRET, "type", "description", "title", "format", "minLength", "maxLength", "pattern"})
"""Keys of an input that do not hold its value."""
_BEGINS_BLOCK = lazy_pattern(r"[^\s#\-]")
_HOLDS_VALUES = lazy_pattern(r"[\"']?(?:inputs|cases)\b")


def without_secret_lines(document: Document) -> Document:
    """`document`, without these lines in its problems."""
    if _SECRET[:2] not in document.text:
        return document
    lines: set[int] = set()
    for path in _places(document.data):
        span = document.value_span(path)
        lines.update(range(span.line, span.end_line + 1))
    return replace(document, source=replace(document.source, hidden=frozenset(lines))) if lines else document


def without_values(problems: tuple[Problem, ...], text: str) -> tuple[Problem, ...]:
    """Problems of a job that is no YAML, without lines of inputs and cases, which may be secret."""
    if _SECRET not in text:
        return problems
    lines = text.splitlines()
    return tuple(
        shown
        for problem in problems
        for shown in (without_text([problem], text) if _is_in_values(problem, lines) else (problem,))
    )


def _places(data: Json) -> Iterator[ValuePath]:
    inputs = record(record(data).get("inputs"))
    secret = {
        name
        for name, fields in inputs.items()
        if any(value is not False and _means_secret(key) for key, value in record(fields).items())
    }
    for name in secret:
        keys = (key for key in record(inputs[name]) if key not in _OPEN and not _means_secret(key))
        yield from (("inputs", name, key) for key in keys)
    if not secret:
        return
    for index, case in enumerate(items(record(data).get("cases"))):
        given = record(record(case).get("inputs"))
        yield from (("cases", index, "inputs", key) for key in given if key in secret or key not in inputs)


def _means_secret(key: str) -> bool:
    return key == _SECRET or did_you_mean(key, [_SECRET]) is not None


def _is_in_values(problem: Problem, lines: list[str]) -> bool:
    if problem.span is None:
        return False
    last = problem.span.line
    first = next((at for at in range(last - 1, -1, -1) if _BEGINS_BLOCK.match(lines[at])), 0)
    if _HOLDS_VALUES.match(lines[first]) is None:
        return False
    return problem.code != "E102" or _SECRET[:2] in _entry(lines[first:], last - first - 1)


def _entry(block: list[str], at: int) -> str:
    """The text of the input that line `at` is in, or the whole block, unless each line can be read alone (E102)."""
    depth = next((_depth(line) for line in block[1:] if line.strip()), 0)
    begins = [index for index, line in enumerate(block) if index and line.strip() and _depth(line) <= depth]
    first = max((index for index in begins if index <= at), default=0)
    if not block[0].lstrip("\"'").startswith("inputs") or not first:
        return _SECRET
    return "\n".join(block[first : next((index for index in begins if index > at), len(block))])


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())
