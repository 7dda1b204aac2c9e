"""Mistakes in files: as text with the source line, which the problem brings along, and as JSON of `format: 1`."""

from collections import Counter
from collections.abc import Iterator, Sequence

from runner.foundation.problems import Problem, Span, errors_in
from runner.foundation.sentences import plural
from runner.foundation.values import Json, JsonObject, pointer, well_formed
from runner.reports.safe import clean, json_document, safe, width

LONGEST_LINE = 100  # cells of a source line that are shown; a longer line is shortened around the place

_BEFORE_PLACE = 40  # characters that are left before the place in a line that is shortened
_LEFT_OUT = "..."


def text(problems: Sequence[Problem]) -> str:
    """All problems, those of a file together and in the order of their places, a blank line between two."""
    return "\n".join("".join(f"{line.rstrip()}\n" for line in _lines(problem)) for problem in in_order(problems))


def json(problems: Sequence[Problem]) -> str:
    """The same as an indented JSON object; what has no place has nulls for it."""
    return json_document({"format": 1, "problems": records(problems)})


def records(problems: Sequence[Problem]) -> list[Json]:
    """The problems as values for JSON."""
    return [_json(problem) for problem in in_order(problems)]


def count(problems: Sequence[Problem]) -> str:
    """`2 errors, 1 warning in 2 files`."""
    errors = len(errors_in(problems))
    kinds = (plural(errors, "error"), plural(len(problems) - errors, "warning"))
    files = len({problem.file for problem in problems if problem.file is not None})
    kinds_there = ", ".join(kind for kind in kinds if not kind.startswith("0 ")) or "no errors"
    return f"{kinds_there} in {plural(files, 'file')}" if files else kinds_there


def in_order(problems: Sequence[Problem]) -> list[Problem]:
    """The problems by file, in the order of the files, and by line; without a line first."""
    files: dict[str | None, int] = {}
    for problem in problems:
        files.setdefault(problem.file, len(files))

    def place(problem: Problem) -> tuple[int, int, int]:
        return (files[problem.file], *((problem.span.line, problem.span.column) if problem.span else (0, 0)))

    return sorted(problems, key=place)


def named_in_ci(problems: Sequence[Problem]) -> Iterator[tuple[str, Problem]]:
    """The problems in order, with stable names, by which a CI knows what was red before."""
    times = Counter[tuple[object, str]]()
    for problem in in_order(problems):
        name = "run" if problem.run is not None else clean(f"{problem.code} {problem.file or ''}".rstrip())
        times[problem.run, name] += 1
        number = times[problem.run, name]
        yield (name if number == 1 else f"{name} ({number})"), problem


def _lines(problem: Problem) -> Iterator[str]:
    yield f"{_place(problem)}{problem.severity}[{problem.code}]: {safe(problem.message)}"
    gutter = "  "
    if problem.span and problem.excerpt is not None:
        number = str(problem.span.line)
        gutter = " " * len(number)
        line, carets = _excerpt(problem.excerpt, problem.span)
        yield f"{gutter} |"
        yield f"{number} | {line}"
        yield f"{gutter} | {carets}"
    if problem.hint:
        yield f"{gutter} = hint: {safe(problem.hint)}"


def _place(problem: Problem) -> str:
    """`file:line:column: `; a file cannot be called so that the line would be a command to the CI that shows it."""
    if problem.file is None:
        return ""
    file = safe(problem.file)
    file = f"./{file}" if file.lstrip().startswith((":", "#")) else file
    return f"{file}:{problem.span.line}:{problem.span.column}: " if problem.span else f"{file}: "


def _excerpt(line: str, span: Span) -> tuple[str, str]:
    """The source line as it is shown, and the carets under the place."""
    start = span.column - 1
    end = span.end_column - 1 if span.end_line == span.line else len(line.rstrip())
    first, last = _window(line, start)
    before = (_LEFT_OUT if first else "") + safe(line[first:start])
    marked = safe(line[start : min(max(end, start), last)])
    after = safe(line[max(start, end) : last]) + (_LEFT_OUT if last < len(line) else "")
    return safe(before + marked + after), " " * width(before) + "^" * max(width(marked), 1)


def _window(line: str, start: int) -> tuple[int, int]:
    """Which characters are shown: all, or as many as fit in from a little before the place."""
    if len(line) <= LONGEST_LINE and width(safe(line)) <= LONGEST_LINE:
        return 0, len(line)
    first = start - _BEFORE_PLACE if start > LONGEST_LINE // 2 else 0
    last, room = first, LONGEST_LINE
    while last < len(line) and (last <= start or room > 0):
        room -= width(safe(line[last]))
        last += 1
    return first, last


def _json(problem: Problem) -> JsonObject:
    places = {name: getattr(problem.span, name, None) for name in ("line", "column", "end_line", "end_column")}
    return {
        "code": problem.code,
        "severity": problem.severity,
        "message": well_formed(problem.message),
        "hint": problem.hint and well_formed(problem.hint),
        "file": problem.file and well_formed(problem.file),
        **places,
        "path": well_formed(pointer(problem.path)),
    }
