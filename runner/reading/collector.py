"""The problems of a document: every rule that reads a document reports to a collector."""

from collections.abc import Collection, Iterable, Iterator
from itertools import islice

from msgspec import Struct, field
from msgspec.structs import replace

from runner.foundation.problems import Finding, Problem, Span
from runner.foundation.values import ValuePath
from runner.reading.document import Document

MOST_IN_A_TEXT = 100  # more problems of the same text are not reported


_WHOLLY_WRONG = ("E104", "E106")
"""Nothing inside a value with such a problem is worth another."""


def not_reported(found: Iterable[Problem], reported: Collection[Problem]) -> Iterator[Problem]:
    """Those of `found` that are at no place of `reported`, nor in a value that is wrong as a whole."""
    exact = {path for problem in reported for path in (problem.path, *problem.also)}
    whole = {path for each in reported if each.code in _WHOLLY_WRONG for path in (each.path, *each.also)}
    for each in found:
        if each.path not in exact and not any(each.path[:at] in whole for at in range(1, len(each.path))):
            yield each


class ProblemCollector(Struct, frozen=True, kw_only=True):
    document: Document
    problems: list[Problem] = field(default_factory=list)

    def report(
        self,
        code: str,
        message: str,
        path: ValuePath,
        *,
        hint: str | None = None,
        at_key: bool = False,
        warning: bool = False,
        hidden: bool = False,
    ) -> None:
        """`hidden`: the line is not shown, since it holds a secret."""
        found = Finding(code=code, message=message, hint=hint, at_key=at_key, warning=warning)
        self.add(found, path, hidden=hidden)

    def add(self, found: Finding, path: ValuePath, *, hidden: bool = False, span: Span | None = None) -> None:
        problem = self.document.found(found, path, span=span)
        self.problems.append(replace(problem, excerpt=None) if hidden else problem)

    def add_quoted(self, found: Finding, path: ValuePath) -> None:
        """Add what was found in the text at `path` as a whole; the hint has the quotes that the text needs there."""
        self.add(replace(found, hint=self.document.in_quotes(path, found.hint, part="") or found.hint), path)

    def add_in_text(self, found: Finding, path: ValuePath, text: str) -> None:
        """Add what was found in the text at `path`: its place is that of its part, else of its line."""
        lines = text.split("\n")
        line = lines[found.line].strip() if found.line < len(lines) else ""
        part = found.part or ""
        name = next((name for name in (part, part.rpartition(".")[2]) if name and name in line), line)
        quoted = self.document.in_quotes(path, found.hint, part=part)
        found = replace(found, hint=quoted or found.hint)
        self.add(found, path, span=self.document.name_span(path, line=found.line, name=name))

    def add_unreadable(self, found: Finding, path: ValuePath, text: str) -> None:
        """Add why the text at `path` cannot be read: YAML may have cut it."""
        cut = self.document.quote_hint(path) if found.code == "E120" else None
        self.add_in_text(replace(found, hint=found.hint or cut), path, text)

    def add_all_in_text(self, found: Iterable[Finding], path: ValuePath, text: str) -> None:
        for each in islice(found, MOST_IN_A_TEXT):
            self.add_in_text(each, path, text)
