"""Reads every text of a job as what it is at its place: an expression, a value with templates, or a plain text."""

import re
from collections.abc import Iterator, Mapping, Sequence

from msgspec import field
from msgspec.structs import replace

from runner.expressions import parse
from runner.expressions.parse import Expression, Name, Template, TemplateProblem
from runner.foundation import hints
from runner.foundation.lazy import lazy_pattern
from runner.foundation.problems import Finding
from runner.foundation.values import Json, JsonObject, ValuePath, items, pointer, record
from runner.job.outline import Outline
from runner.lint.names import is_unknown, wrong_function, wrong_name
from runner.lint.near_templates import MARKS, near_templates
from runner.lint.places import CONDITIONS, NameScope
from runner.lint.step_names import WrongName
from runner.reading.collector import MOST_IN_A_TEXT, ProblemCollector

_BRACES = "{{"
_ASKS = lazy_pattern(r"\|\s*default\b|\bdefined\b|\bundefined\b|\bnone\b")
_DASHED = lazy_pattern(r"(?<![\w.])([A-Za-z_]\w*(?:\.\w+)*)((?:-[A-Za-z_]\w*)+)((?:\.\w+)*)(?![\w(-])")
"""A path that goes on with a dash, which is a minus to an expression: `steps.a.outputs.order-id`."""

_QUOTED = lazy_pattern(r"""\{\{\s*(["'])((?:inputs|vars|steps|run|target|case|item)\.[\w.]+)\1\s*\}\}""")


class JobLint(ProblemCollector, frozen=True, kw_only=True):
    """Collects the problems of a job file, with its included jobs."""

    outline: Outline

    used: set[ValuePath] = field(default_factory=set)
    """The inputs and vars that a text of the job names; a root alone means all of its names."""

    @property
    def defaults(self) -> JsonObject:
        return record(record(self.document.data).get("defaults"))

    def expression(self, value: Json, path: ValuePath, scope: NameScope) -> Expression | None:
        """A bare expression, None where it cannot be read, or is a boolean or a number itself."""
        if not isinstance(value, str):
            return None
        try:
            parsed = parse.expression(value)
        except TemplateProblem as problem:
            self._unreadable(problem, value, path, scope)
            return None
        self._check(parsed, value, path, scope)
        return parsed

    def value(self, value: Json, path: ValuePath, scope: NameScope) -> None:
        """Check a value whose texts, but not its keys, may be templates."""
        for at, text in self._texts(value, path):
            if _BRACES in text:
                self._template(text, at, scope)
            else:
                self.add_all_in_text(near_templates(text, text, scope), at, text)

    def plain(self, value: Json, path: ValuePath) -> None:
        """Check a value without templates."""
        if isinstance(value, str) and _BRACES not in value:
            return
        for at, text in self._texts(value, path):
            if _BRACES in text:
                line = text[: text.index(_BRACES)].count("\n")
                message, hint = "no template is read here", hints.hint("places", pointer(at), text)
                self.add_in_text(Finding(code="E122", message=message, hint=hint, part=_BRACES, line=line), at, text)

    def _texts(self, value: Json, path: ValuePath) -> Iterator[tuple[ValuePath, str]]:
        """The texts in a value, and their paths; reports templates in its keys."""
        if isinstance(value, str):
            yield path, value
        for key, item in value.items() if isinstance(value, dict) else enumerate(items(value)):
            if isinstance(key, str) and _BRACES in key:
                hint = "write the name of the key itself: only values are evaluated"
                self.report("E122", "no template is read in a key", (*path, key), hint=hint, at_key=True)
            yield from self._texts(item, (*path, key))

    def _template(self, text: str, path: ValuePath, scope: NameScope) -> None:
        try:
            parsed = parse.template(text)
        except TemplateProblem as problem:
            self._unreadable(problem, text, path, scope)
            return
        most = len(self.problems) + MOST_IN_A_TEXT
        self._check(parsed, text, path, scope)
        if ("'" in text or '"' in text) and (quoted := _QUOTED.fullmatch(text)) is not None:
            hint = f"write `{{{{ {quoted[2]} }}}}`: a name has no quotes"
            self.report("E123", f"`{quoted[2]}` is a text here, as it is in quotes", path, hint=hint, warning=True)
        is_odd = text.endswith('"') and text.count('"') % 2 == 1 and not text[-2].isdecimal()
        if is_odd and self.document.is_bare(path):
            message, hint = 'a `"` ends this text, and none begins it', "put the whole text in quotes"
            self.report("E101", message, path, hint=hint, warning=True)
        for part in parsed.parts:
            if isinstance(part, str) and MARKS.search(part) and len(self.problems) < most:
                self.add_all_in_text(near_templates(part, text, scope), path, text)

    def _check(self, parsed: Expression | Template, text: str, path: ValuePath, scope: NameScope) -> None:
        self.used.update(name.path[:2] for name in parsed.names)
        self.add_all_in_text(_wrong_names(parsed.names, text, scope, path), path, text)
        for function in sorted(parsed.functions & CONDITIONS - scope.functions) if parsed.functions else ():
            self.add_in_text(wrong_function(function), path, text)

    def _unreadable(self, problem: TemplateProblem, text: str, path: ValuePath, scope: NameScope) -> None:
        for each in (problem, *problem.others):
            self.add_unreadable(each.finding, path, text)
        is_of_github = problem.finding.part == "${{"  # its hint says what to write for `env` and `secrets`
        names = [name for name in problem.names if not (is_of_github and name.path[0] in ("env", "secrets"))]
        self.add_all_in_text(_wrong_names(names, text, scope, path), path, text)


def _wrong_names(names: Sequence[Name], text: str, scope: NameScope, path: ValuePath) -> Iterator[WrongName]:
    after_dashes: set[str] = set()
    dashed = {found[1]: found for found in _DASHED.finditer(text)} if names and "-" in text else {}
    for name in names:
        if name.path[0] in after_dashes:
            continue
        wrong = _with_dashes(name, dashed, scope, after_dashes=after_dashes) if dashed else None
        wrong = wrong or wrong_name(name, scope)
        wrong = wrong and _if_asked(wrong, text, names, path=path)
        if wrong is not None:
            is_value = "expect" in path and wrong.is_like_no_other and text.strip() == wrong.part
            hint = f'write `result == "{wrong.part}"`' if is_value else wrong.hint
            wrong = _without_quotes(replace(wrong, hint=hint), text)
            yield replace(wrong, part=_as_written(name, wrong.part, text), line=name.line)


def _with_dashes(
    name: Name, dashed: Mapping[str, re.Match[str]], scope: NameScope, *, after_dashes: set[str]
) -> WrongName | None:
    """What is wrong with a name that is written with dashes, if nothing is called what comes after them."""
    found = dashed.get(".".join(map(str, name.path)))
    if found is None or not all(isinstance(part, str) for part in name.path):
        return None
    key = f"{name.path[-1]}{found[2]}"
    others = found[2].split("-")[1:]
    if not all(is_unknown(other, scope) for other in others):
        return None
    after_dashes.update(others)
    whole = replace(name, path=(*name.path[:-1], key, *found[3].split(".")[1:]))
    around = ".".join(map(str, name.path[:-1]))
    hint = f'write `{around}["{key}"]`' if around else None
    return wrong_name(whole, scope) or WrongName(message=f"the `-` in `{key}` is a minus here", hint=hint, part=key)


def _if_asked(wrong: WrongName, text: str, names: Sequence[Name], *, path: ValuePath) -> WrongName | None:
    """What is left of `wrong` in a text that may itself ask whether there is a value."""
    asks = _ASKS.search(text) is not None
    if asks and "expect" in path and all(name.path[0] == wrong.part for name in names) and _is_unmet(text, wrong.part):
        return wrong
    if wrong.if_asked == "nothing" and (asks or any(name.path == (wrong.part,) for name in names)):
        return None
    return replace(wrong, warning=True) if asks and wrong.if_asked == "a warning" else wrong


def _is_unmet(that: str, null: str) -> bool:
    """Whether an expectation is not met where what is called `null` is null; not where it cannot be read."""
    from runner.expressions.evaluate import EvaluationError, Scope, evaluate  # noqa: PLC0415  1 ms, for a mistake

    try:
        return evaluate(parse.expression(that), Scope(names={null: None})) is not True
    except TemplateProblem:
        return False
    except EvaluationError:
        return True


def _without_quotes(wrong: WrongName, text: str) -> WrongName:
    """A word that is compared, and like no name: a text that lost its quotes."""
    word = re.escape(wrong.part)
    compared = rf"(?:[=!]=\s*{word}|\battribute\s*=\s*{word}|attr\(\s*{word}|\bin\s*\[[^\]]*\b{word})(?![\w.])"
    if wrong.is_like_no_other and (found := re.search(rf"(?:{compared})(?P<rest>(?:-\w+)*)", text)):
        return replace(wrong, hint=f'write a text in quotes: `"{wrong.part}{found["rest"]}"`')
    return wrong


def _as_written(name: Name, part: str, text: str) -> str:
    """The name up to its wrong part, as written with dots: there may be more such parts."""
    parts, lines = [str(key) for key in name.path], text.split("\n")
    dotted = ".".join(parts[: parts.index(part) + 1]) if part in parts else part
    return dotted if name.line < len(lines) and dotted in lines[name.line] else part
