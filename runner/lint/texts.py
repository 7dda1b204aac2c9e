"""Reads every text of a job as what it is at its place: an expression, a value with templates, or a plain text.

Each mistake inside a text becomes a problem at the text itself, inside a block scalar on the line on which it stands.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from runner.expressions import parse
from runner.expressions.names import TextComparison
from runner.expressions.parse import Expression, Name, Template, TemplateProblem
from runner.foundation.problems import Finding
from runner.foundation.raw import record
from runner.foundation.values import Json, Path, is_number
from runner.job.outline import Outline
from runner.lint.name_mistakes import Mistake, a_minus, as_asked, dashes_in, unquoted, with_dashes
from runner.lint.scopes import CONDITIONS, Scope
from runner.lint.status_names import status_mistake
from runner.lint.unknown_names import function_mistake, is_unknown, mistake
from runner.lint.unread import MARKS, unread
from runner.reading.collector import MOST_IN_A_TEXT, ProblemCollector

_BRACES = "{{"
_GUESS = "YAML may have "
_READ_IN = (
    "`vars`, `parameters`, `uid`, `of`, the `name` of an element, `process_id`, `since`, `id`, `values`, `filter`, "
    "the `inputs` of a `job`, "
    "`for_each`, `confirm` and `message`"
)
_DURATIONS = ("timeout", "cleanup_timeout", "initial", "max", "pause", "every", "max_every")


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts(ProblemCollector):
    known: Outline

    def expression(self, value: Json, path: Path, scope: Scope) -> Expression | None:
        """A bare expression, None where it cannot be read. A boolean or a number, which stands for itself, is none."""
        if not isinstance(value, str):
            return None
        try:
            parsed = parse.expression(value)
        except TemplateProblem as problem:
            self._unreadable(problem, value, path, scope)
            return None
        self._check(parsed, value, path, scope)
        return parsed

    def value(self, value: Json, path: Path, scope: Scope) -> None:
        """A value in which every text may be a template, and no key."""
        match value:
            case str():
                if _BRACES in value:
                    self._template(value, path, scope)
                else:
                    self._unread(value, value, path, scope)
            case dict():
                for key, item in value.items():
                    self._key(key, path)
                    self.value(item, (*path, key), scope)
            case list():
                for index, item in enumerate(value):
                    self.value(item, (*path, index), scope)

    def plain(self, value: Json, path: Path) -> None:
        """A value in which no template is read."""
        match value:
            case str():
                if _BRACES in value:
                    self._template_in_vain(value, path)
            case dict():
                for key, item in value.items():
                    self._key(key, path)
                    self.plain(item, (*path, key))
            case list():
                for index, item in enumerate(value):
                    self.plain(item, (*path, index))

    def _template(self, text: str, path: Path, scope: Scope) -> None:
        try:
            parsed = parse.template(text)
        except TemplateProblem as problem:
            self._unreadable(problem, text, path, scope)
        else:
            most = len(self.problems) + MOST_IN_A_TEXT
            self._check(parsed, text, path, scope)
            is_odd = text.endswith('"') and text.count('"') % 2 == 1 and not _ends_in_inches(parsed, self.known)
            if is_odd and self.document.is_bare(path):
                message, hint = 'a `"` ends this text, and none begins it', "put the whole text in quotes"
                self.report("E101", message, path, hint=hint, warning=True)
            for part in parsed.parts:
                if isinstance(part, str) and MARKS.search(part) and len(self.problems) < most:
                    self._unread(part, text, path, scope)

    def _unread(self, part: str, text: str, path: Path, scope: Scope) -> None:
        """`part` of `text`, which stands outside of its templates."""
        for wrong in islice(unread(part, scope, self.known), MOST_IN_A_TEXT):
            line = text.count("\n", 0, max(0, text.find(wrong.part)))
            self.add_in_text(replace(wrong, line=line), path, text)

    def _check(self, parsed: Expression | Template, text: str, path: Path, scope: Scope) -> None:
        self._names(parsed.names, text, path, scope)
        for compared, wrong in islice(self._wrong_statuses(parsed, scope), MOST_IN_A_TEXT):
            self.add_in_text(replace(wrong, line=compared.line), path, text)
        for function in sorted(parsed.functions & CONDITIONS - scope.functions):
            self.add_in_text(function_mistake(function), path, text)

    def _wrong_statuses(self, parsed: Expression | Template, scope: Scope) -> Iterator[tuple[TextComparison, Mistake]]:
        for part in (parsed,) if isinstance(parsed, Expression) else parsed.parts:
            for compared in part.compared if isinstance(part, Expression) else ():
                wrong = status_mistake(compared, scope, self.known)
                if wrong is not None:
                    yield compared, wrong

    def _names(self, names: Sequence[Name], text: str, path: Path, scope: Scope) -> None:
        for name, wrong in islice(self._wrong_names(names, text, scope), MOST_IN_A_TEXT):
            found = unquoted(wrong, text)
            self.add_in_text(replace(found, part=_written(name, found, text), line=name.line), path, text)

    def _wrong_names(self, names: Sequence[Name], text: str, scope: Scope) -> Iterator[tuple[Name, Mistake]]:
        joined: set[str] = set()  # what a dash joins to the name before it
        dashes = dashes_in(text) if names else {}
        for name in names:
            if name.path[0] in joined:
                continue
            wrong = self._dashed(name, dashes, scope, joined) or mistake(name, scope, self.known)
            wrong = wrong and as_asked(wrong, text, names)
            if wrong is not None:
                yield name, wrong

    def _dashed(
        self, name: Name, dashes: Mapping[str, re.Match[str]], scope: Scope, joined: set[str]
    ) -> Mistake | None:
        """What is wrong with a name that is written with dashes, where nothing is called what stands behind them."""
        whole = with_dashes(name, dashes)
        if whole is None:
            return None
        _, *others = str(whole.path[len(name.path) - 1]).split("-")
        if not all(is_unknown(other, scope) for other in others):
            return None
        joined.update(others)
        return mistake(whole, scope, self.known) or a_minus(name, whole)

    def _unreadable(self, problem: TemplateProblem, text: str, path: Path, scope: Scope) -> None:
        for one in (problem, *problem.others):
            self.add_in_text(replace(one.finding, hint=self._hint(one, path)), path, text)
        self._names(problem.names, text, path, scope)

    def _hint(self, problem: TemplateProblem, path: Path) -> str | None:
        """Whether YAML has eaten a part of the text is known here, and only guessed by who reads the text alone."""
        eaten = self.document.quote_hint(path) if problem.code == "E120" else None
        is_a_guess = problem.hint is not None and problem.hint.startswith(_GUESS)
        return eaten or (None if is_a_guess else problem.hint)

    def _template_in_vain(self, text: str, path: Path) -> None:
        line = text[: text.index(_BRACES)].count("\n")
        message, hint = "no template is read here", _why_not(path)
        self.add_in_text(Finding(code="E122", message=message, hint=hint, part=_BRACES, line=line), path, text)

    def _key(self, key: str, path: Path) -> None:
        if _BRACES in key:
            hint = "only values are worked out, never their names"
            self.report("E122", "no template is read in a key", (*path, key), hint=hint, at_key=True)


def _ends_in_inches(parsed: Template, known: Outline) -> bool:
    """Whether the `"` that ends a text stands behind a number."""
    *before, end = parsed.parts
    if end != '"':
        return isinstance(end, str) and end[-2:-1].isdecimal()
    path = before[-1].path if before and isinstance(before[-1], Expression) else None
    if path is None or len(path) != 2:  # noqa: PLR2004  a root and a name
        return False
    declared = record(known.inputs.get(str(path[1])))
    is_input = path[0] == "inputs" and (
        declared.get("type") in ("integer", "number") or is_number(declared.get("default"))
    )
    return is_input or (path[0] == "vars" and is_number(known.vars.get(str(path[1]))))


def _written(name: Name, wrong: Mistake, text: str) -> str:
    """As much of a name as leads to its wrong part, where it is written with dots: there may be more such parts."""
    parts = [str(part) for part in name.path]
    dotted = ".".join(parts[: parts.index(wrong.part) + 1]) if wrong.part in parts else wrong.part
    return dotted if dotted in _line(text, name.line) else wrong.part


def _line(text: str, number: int) -> str:
    lines = text.split("\n")
    return lines[number].strip() if number < len(lines) else ""


def _why_not(path: Path) -> str:
    """Why no template is read at `path`, or where one is."""
    if path[-1] in _DURATIONS:
        return "a duration is written out, never worked out"
    if path[0] == "inputs":
        return "an input's schema and default stand as they are: a value that is worked out belongs into `vars`"
    if "schema" in path:
        return "a schema stands as it is: compare with an expression instead"
    if path[-2:] == ("job", "file") or path == ("cases",):
        return "the path of a file is written out, never worked out"
    return f"templates are read in {_READ_IN}"
