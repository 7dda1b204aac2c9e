"""Texts into expressions and templates: what they hold, what they use, and what is wrong with them.

A plain path (`steps.read.outputs.id`) never reaches Jinja's parser; the rest is then checked by the allow-list.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from sys import intern
from typing import Any, Never, TypeVar

from jinja2 import nodes
from jinja2.exceptions import TemplateSyntaxError
from jinja2.lexer import TOKEN_FLOAT, TOKEN_NAME, Lexer, TokenStream
from jinja2.parser import Parser
from msgspec import Struct
from msgspec.structs import replace

from runner.expressions.allowed import DEEPEST, Uses, check_depth, check_node
from runner.expressions.errors import TemplateProblem
from runner.expressions.mistakes import mistake
from runner.expressions.names import FOREIGN_NAMES, JOB_FUNCTIONS, TARGET_FUNCTIONS, Functions, Name
from runner.expressions.scan import LONGEST, check_expression, check_quotes, closing_braces, line_of
from runner.foundation.lazy import lazy_pattern, lazy_patterns
from runner.foundation.values import SURE_DIGITS, Json, ValuePath, is_long_amount, leaves

__all__ = ["Expression", "Name", "Template", "TemplateProblem"]
__all__ += ["expression", "expressions_in", "target_template", "template", "texts_in"]

_PATH = lazy_pattern(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*|\[-?[0-9]{1,9}\]|\['[^'\\\n]*'\]|\[\"[^\"\\\n]*\"\])*", re.ASCII)
_NAME = lazy_pattern(r"\w+", re.ASCII)
_PART = lazy_pattern(r"\.?(\w+)|\[(-?[0-9]+)\]|\[(['\"])(.*?)\3\]", re.ASCII)
_NO_PATHS = frozenset({"true", "false", "none", "True", "False", "None", "not", "and", "or", "if", "else", "in", "is"})
_ESCAPE = lazy_pattern(r"""\\(?:[\\'"nrt\n]|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U00(?:0[0-9a-fA-F]|10)[0-9a-fA-F]{4}|())""")
_SECRET_OF_GITHUB = lazy_pattern(r"\{\{\s*(?:secrets|env)\.(\w+)\s*\}\}", re.ASCII)
_UNEXPECTED = lazy_pattern(r"unexpected char (?P<quoted>'.*'|\".*\") at [0-9]+", re.DOTALL)


class _Syntax:
    """What Jinja's lexer and parser ask of an `Environment`, without its compiler, 4 % of a start."""

    block_start_string, block_end_string = "\0%", "%\0"
    variable_start_string, variable_end_string = "\0{", "}\0"
    comment_start_string, comment_end_string = "\0#", "#\0"
    line_statement_prefix = line_comment_prefix = None
    trim_blocks = lstrip_blocks = keep_trailing_newline = False
    newline_sequence = "\n"

    def iter_extensions(self) -> Iterator[Never]:
        return iter(())

    def _tokenize(self, source: str, name: None, filename: None, state: str) -> TokenStream:
        lexer = _LEXER_OF_ASCII if source.isascii() else _LEXER
        tokens = lexer.tokeniter(source, name, filename, state)
        return TokenStream(lexer.wrap(_exact(tokens) if len(source) > SURE_DIGITS else tokens), name, filename)


def _exact(tokens: Iterable[tuple[int, str, str]]) -> Iterator[tuple[int, str, str]]:
    for line, token, text in tokens:
        if token == TOKEN_FLOAT and is_long_amount(text.replace("_", "")):
            message = f"`{text}` has more digits than a number keeps, and would be rounded"
            raise TemplateProblem("E120", message, hint="a text in quotes keeps them all", name=text, line=line - 1)
        yield line, token, text


_JINJA: Any = _Syntax()
with lazy_patterns():  # of those for text around expressions none is ever used
    _LEXER, _LEXER_OF_ASCII = Lexer(_JINJA), Lexer(_JINJA)
# for texts without other letters: what Jinja compiles for those of all alphabets takes 1 % of `validate`
_LEXER_OF_ASCII.rules = {
    state: [rule._replace(pattern=_NAME) if rule.tokens == TOKEN_NAME else rule for rule in rules]
    for state, rules in _LEXER.rules.items()
}
Read = TypeVar("Read", "Expression", "Template")


class Expression(Struct, frozen=True, kw_only=True, gc=False):
    """A checked expression."""

    text: str
    names: tuple[Name, ...]  # in the order of the text
    functions: frozenset[str] = frozenset()
    path: ValuePath | None = None  # of what is nothing else
    tree: nodes.Expr | None = None  # of what is more than a path
    constants: str = ""  # the first comparison without names: mostly a name in quotes
    compares_itself: bool = False  # as `x == x`

    @property
    def is_constant(self) -> bool:
        return not self.names and not self.functions


class Template(Struct, frozen=True, kw_only=True, gc=False):
    """A text and its expressions, in order."""

    text: str
    parts: tuple[str | Expression, ...]
    lines: tuple[int, ...] = ()  # of the text before each expression
    names: tuple[Name, ...] = ()
    functions: frozenset[str] = frozenset()

    @property
    def is_plain(self) -> bool:
        return all(isinstance(part, str) for part in self.parts)


_MOST = 1 << 14  # parsed texts that are remembered: a worker lives for weeks, and the jobs change meanwhile


@lru_cache(maxsize=_MOST)
def expression(text: str) -> Expression:
    """Parse the bare expression of a job. Raises `TemplateProblem`."""
    return _expression(text, JOB_FUNCTIONS)


@lru_cache(maxsize=_MOST)
def template(text: str) -> Template:
    """Parse a value of a job. Raises `TemplateProblem`."""
    return _template(text, expression)


@lru_cache(maxsize=_MOST)
def target_template(text: str) -> Template:
    """Parse a value of a targets file, where `file()` is the only function. Raises `TemplateProblem`."""
    return _template(text, _target_expression)


def readable(read: Callable[[str], Read], text: str) -> Read | None:
    """What `expression` or `template` makes of `text`; None where it cannot be read, which is reported elsewhere."""
    try:
        return read(text)
    except TemplateProblem:
        return None


def texts_in(value: Json) -> Iterator[tuple[ValuePath, str]]:
    """Every text inside `value` that is a template, and the path to it; keys are none."""
    return ((path, text) for path, text in leaves(value) if isinstance(text, str) and "{{" in text)


def expressions_in(value: Json) -> Iterator[tuple[ValuePath, Template]]:
    """Every template of a job inside `value`, parsed. Raises `TemplateProblem` at the first that is wrong."""
    for path, text in texts_in(value):
        yield path, template(text)


@lru_cache(maxsize=_MOST)
def _target_expression(text: str) -> Expression:
    return _expression(text, TARGET_FUNCTIONS)


def _expression(text: str, available: Functions) -> Expression:
    source = text.rstrip()
    bare = source.lstrip()
    return _plain_path(bare, line_of(source, len(source) - len(bare)), available) or _parsed(source, bare, available)


def _plain_path(text: str, line: int, available: Functions) -> Expression | None:
    if len(text) > LONGEST or _PATH.fullmatch(text) is None or "__" in text:
        return None
    if "[" not in text:
        path: ValuePath = tuple(map(intern, text.split(".")))
    else:
        path = tuple(int(index) if index else name or quoted for name, index, _, quoted in _PART.findall(text))
    root = path[0]
    if root in _NO_PATHS or root in available or root in FOREIGN_NAMES:
        return None
    return Expression(text=text, names=(Name(path, line),), path=path)


def _parsed(source: str, bare: str, available: Functions) -> Expression:
    """Lines count from the start of `source`, which begins with blanks where `bare` does not."""
    check_expression(source)
    check_quotes(source)
    tree = _tree(source)
    if len(source) > DEEPEST:  # a level takes a character
        check_depth(tree)
    uses = Uses(available)
    check_node(tree, uses)
    uses.check()
    return Expression(
        text=bare,
        names=tuple(dict.fromkeys(uses.names)),
        functions=frozenset(uses.functions),
        tree=tree,
        constants=uses.constants,
        compares_itself=uses.compares_itself,
    )


def _tree(text: str) -> nodes.Expr:
    if not text or text.isspace():
        raise TemplateProblem("E120", "the expression is empty")
    if "\0" in text:
        raise TemplateProblem("E120", "the expression holds a control character")
    source = _ESCAPE.sub(_escaped, text) if "\\" in text else text
    parser: Parser | None = None
    try:
        parser = Parser(_JINJA, source, state="variable")
        tree = parser.parse_expression()
    except TemplateSyntaxError as error:
        if error.message == "Invalid character in identifier":
            message = "a name holds a character that no name can have"
            raise TemplateProblem("E120", message, line=error.lineno - 1) from None
        raise mistake(text, stopped_at=_stopped_at(parser, error), line=error.lineno - 1) from None
    except RecursionError:
        raise TemplateProblem("E120", "the expression is nested too deep") from None
    except ValueError:
        raise TemplateProblem("E120", "a number is too large: integers have 64 bits") from None
    if not parser.stream.eos:
        rest = parser.stream.current
        raise mistake(text, stopped_at=str(rest.value), line=rest.lineno - 1)
    return tree


def _escaped(escape: re.Match[str]) -> str:
    r"""An escape as it is, or, where it is none (`\d`, `\1`), with its backslash made to stay: patterns need it."""
    return escape[0] if escape[1] is None else "\\\\"


def _stopped_at(parser: Parser | None, error: TemplateSyntaxError) -> str | None:
    found = _UNEXPECTED.fullmatch(error.message or "")
    if found is not None:
        return found["quoted"][1:-1]
    if parser is None or parser.stream.eos:
        return None
    return str(parser.stream.current.value)


_NONE = frozenset[str]()
_SINGLE_LINE = (0,)
_MOST_PROBLEMS = 100  # the hundredth problem of a text is the last that is reported


def _template(text: str, read: Callable[[str], Expression]) -> Template:
    parts: list[str | Expression] = []
    names: dict[Name, None] = {}
    lines: list[int] = []
    wrong: list[TemplateProblem] = []
    done = lines_before = counted = 0
    while (start := text.find("{{", done)) >= 0 and len(wrong) < _MOST_PROBLEMS:
        if start and text.startswith("$", start - 1):
            wrong.append(_dollar(text[start:], line_of(text, start)))
        end = _closed(text, start)
        if start > done:
            parts.append(text[done:start])
        lines_before, counted = lines_before + text.count("\n", counted, start), start
        done = end + 2
        try:
            part = read(_bare(text[start + 2 : end]))
        except TemplateProblem as problem:
            problem.move(lines_before)
            wrong.append(problem)
            continue
        parts.append(part)
        lines.append(lines_before)
        names.update(dict.fromkeys(_moved(part.names, lines_before)))
    if wrong:
        raise _together(wrong, names)
    if done < len(text) or not parts:
        parts.append(text[done:])
    functions = _NONE.union(*(part.functions for part in parts if isinstance(part, Expression))) or _NONE
    counted_lines = _SINGLE_LINE if lines == [0] else tuple(lines)
    return Template(text=text, parts=tuple(parts), lines=counted_lines, names=tuple(names), functions=functions)


def _moved(names: tuple[Name, ...], lines: int) -> Iterable[Name]:
    """The names so many lines further down."""
    return [replace(name, line=name.line + lines) for name in names] if lines else names


def _bare(text: str) -> str:
    """Without blanks around it, but where they have lines that count: so it is the text of its expression itself."""
    return text if "\n" in text else text.strip()


def _together(problems: list[TemplateProblem], names: Iterable[Name]) -> TemplateProblem:
    """The first problem, with those of all other expressions of the template."""
    first, *others = problems
    first.others += tuple(inner for problem in others for inner in (problem, *problem.others))
    first.names = (*names, *(name for problem in problems for name in problem.names))
    return first


def _dollar(rest: str, line: int) -> TemplateProblem:
    hint = 'leave out the `$`; a dollar before a value is `{{ "$" }}{{ … }}`'
    if found := _SECRET_OF_GITHUB.match(rest):
        hint = f"write `{{{{ env.{found[1]} }}}}` in a targets file; in a job declare an input, and write `inputs.NAME`"
    return TemplateProblem("E123", "`${{` is of another language", hint=hint, name="${{", line=line)


def _closed(text: str, start: int) -> int:
    """The position of the `}}` that belongs to the `{{` at `start`."""
    end = closing_braces(text, start + 2)
    for sign, at in ((text[start + 2], f"{{{{{text[start + 2]}"), (text[end - 1], f"{text[end - 1]}}}}}")):
        if sign in "+-":
            hint = "leave out the sign, or put a blank before a minus: blanks around `{{ }}` always stay"
            raise TemplateProblem("E120", f"`{at}` is not known", hint=hint, name=at, line=line_of(text, start))
    return end
