"""Whole pieces of other languages in a text that could not be read, and how the same is written here.

The other modules of mistakes know single signs and words. Here a hint is made of what stands there, so that it can be
taken as it is.
"""

import re
from collections.abc import Callable

from runner.expressions.errors import TemplateProblem
from runner.expressions.scan import line_of
from runner.foundation.values import compact

LITERAL = r"""(?s)'[^'\\]*(?:\\.[^'\\]*)*'|"[^"\\]*(?:\\.[^"\\]*)*\""""
_TEXT = r"'_*'"
"""A text in what `without_texts` gives."""
_PATH = r"(?<![\w.])(?!(?:and|or|not|in|is|if|else)\b)[A-Za-z_]\w*(?:\[-?\w+\]|\.\w+)*"
"""It begins where a word begins: so looking for it takes no longer than reading the text."""
_VALUE = rf"(?:{_TEXT}|-?\d+(?:\.\d+)?|{_PATH})"
_COMPARISON = r"===?|!==?|>=|<=|>|<"
SIGNS_AS_TESTS = {"==": "eq", "===": "eq", "!=": "ne", "!==": "ne", ">": "gt", ">=": "ge", "<": "lt", "<=": "le"}
"""The test that says the same of each item of a list."""
_AMOUNTS = {
    **dict.fromkeys(("some", "any", "exists", "contains"), "{chosen} | length > 0"),
    **dict.fromkeys(("every", "all"), "{rejected} | length == 0"),
    **dict.fromkeys(("find", "first", "firstordefault", "single"), "({chosen} | first)"),
    **dict.fromkeys(("count", "findindex"), "{chosen} | length"),
}
_QUOTELESS = (
    (r"(?<![\w-])[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}(?![\w-])", "a GUID"),
    (r"(?<![\w.-])\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])(?:T[\d:.]+(?:Z|[+-]\d\d:\d\d)?)?(?![\w-])", "a date"),
    (r"(?<![\w./])\d{1,2}([./])\d{1,2}\1(?:19|20)\d\d(?![\w./])", "a date"),
    (r"(?<![\w.-])\d{3}-\d{3}-\d{4}(?![\w-])", "a phone number"),
)
_QUOTELESS_IN_VAIN = (
    (r"(?<![\w.])\+\d{1,3}(?:[ -]\(?\d{2,4}\)?){2,}", "a phone number"),
    (r"(?<![\w.:\[{])\d{1,2}:\d\d(?::\d\d)?(?![\w:])", "a time"),
)
"""What an expression with other mistakes may hold as well is looked for only where it cannot be read."""
_MAY_BE_QUOTELESS = re.compile(r"\d[-./]\d")


def without_texts(text: str) -> str:
    """`text` with nothing but `_` in its texts; every position stays."""
    return re.sub(LITERAL, lambda found: "'" + "_" * (len(found[0]) - 2) + "'", text)


def check_quotes(text: str) -> None:
    """Raise `TemplateProblem` where a GUID or a date stands without quotes: it would be read as a calculation."""
    if _MAY_BE_QUOTELESS.search(text) and (wrong := _quoteless(text, without_texts(text), _QUOTELESS)):
        raise wrong


def shape(text: str, bare: str, *, stopped_at: str | None) -> TemplateProblem | None:
    """`bare` is `text` without its texts; the parser read it up to `stopped_at`."""
    made = (make(text, bare) for make in _SHAPES)
    found = next((one for one in made if one is not None), None)
    if found is None and stopped_at == ",":
        found = _list_without_brackets(text, bare) or _decimal_comma(text, bare)
    return found


def beginning(asked: str, text: str) -> str:
    """The question whether something begins with `text`; `asked` is what stands before the test, as `result is`."""
    return f'{asked} match("^{text}")' if _is_plain(text) else f"{asked} match(…)"


def ending(asked: str, text: str) -> str:
    """A pattern is looked for at the start."""
    return f'{asked} match(".*{text}$")' if _is_plain(text) else f"{asked} match(…)"


def _is_plain(text: str) -> bool:
    return re.fullmatch(r"[\w -]+", text) is not None


def _inside(literal: str) -> str:
    return literal[1:-1]


def _quoted(source: str) -> str:
    """A value as it is written in hints."""
    return compact(_inside(source)) if source[:1] in ("'", '"') and "\\" not in source else source


def _problem(text: str, found: re.Match[str], message: str, hint: str | None, *, code: str = "E120") -> TemplateProblem:
    name = text[slice(*found.span())].strip()
    return TemplateProblem(code, message, hint=hint, name=name, line=line_of(text, found.start()))


def _groups(text: str, found: re.Match[str]) -> list[str]:
    """What its groups have found, with the texts in it."""
    return [text[slice(*found.span(number))] for number in range(1, found.re.groups + 1)]


def _quoteless(text: str, bare: str, shapes: tuple[tuple[str, str], ...]) -> TemplateProblem | None:
    for pattern, what in shapes:
        if (found := re.search(pattern, bare)) is not None:
            return _problem(text, found, f"{what} stands in quotes", f'write `"{found[0]}"`')
    return None


def _in_vain(text: str, bare: str) -> TemplateProblem | None:
    return _quoteless(text, bare, _QUOTELESS_IN_VAIN)


def _function(text: str, bare: str) -> TemplateProblem | None:
    """`result.some(x => x.Amount > 0)`."""
    found = re.search(rf"({_PATH})\.(\w+)\(\s*\(?\s*(\w+)\s*\)?\s*=>\s*([^()]*)\)?", bare)
    if found is None:
        return None
    whole, method, item, body = _groups(text, found)
    chosen = _chosen(whole, item, body.strip(), found[4].strip())
    hint = '`| selectattr("KEY", "eq", …)` chooses among the items of a list'
    if chosen is not None:
        form = _AMOUNTS.get(method.casefold(), "{chosen}")
        hint = f"write `{form.format(chosen=chosen, rejected=chosen.replace('| select', '| reject'))}`"
    return _problem(text, found, f"`{item} => …`: expressions hold no functions", hint, code="E125")


def _chosen(whole: str, item: str, body: str, bare: str) -> str | None:
    found = re.fullmatch(rf"{re.escape(item)}(?:\.(\w+(?:\.\w+)*))?\s*({_COMPARISON})\s*({_VALUE})", bare)
    if found is None:
        return None
    key, sign, value = _groups(body, found)
    return _selected(whole, key, sign, value)


def _selected(whole: str, key: str, sign: str, value: str) -> str:
    test = f'"{SIGNS_AS_TESTS[sign]}", {_quoted(value)}'
    return f'{whole} | selectattr("{key}", {test})' if key else f"{whole} | select({test})"


def _json_path(text: str, bare: str) -> TemplateProblem | None:
    """`$.Total`, `result[*].Total`, `result[?(@.State == "New")]`, `jsonpath "$.Total"`."""
    quoted = re.search(rf"\bjsonpath\s*\(?\s*({_TEXT})\s*\)?", bare)
    root = rf"(\$(?:\.\w+)*|{_PATH})"
    chosen = re.search(rf"{root}\[\?\s*\(?\s*@\.(\w+(?:\.\w+)*)\s*({_COMPARISON})\s*({_VALUE})\s*\)?\s*\]", bare)
    each = re.search(rf"{root}\[\*\](?:\.(\w+(?:\.\w+)*))?", bare)
    alone = re.search(r"\$(?=\.\w|\[[\d'])(?:\.\w+|\[(?:\d+|'_*')\])*", bare)
    if quoted is not None:
        found, here = quoted, re.sub(r"^\$", "result", _inside(_groups(text, quoted)[0]))
    elif chosen is not None:
        whole, key, sign, value = _groups(text, chosen)
        found, here = chosen, _selected(_root(whole), key, sign, value)
    elif each is not None:
        whole, key = _groups(text, each)
        found, here = each, _root(whole) + (f' | map(attribute="{key}")' if key else "")
    elif alone is not None:
        found, here = alone, _root(text[slice(*alone.span())])
    else:
        return None
    message = f"`{text[slice(*found.span())].strip()}` is a path of JSONPath"
    return _problem(text, found, message, f"write `{here}`")


def _root(path: str) -> str:
    return path.replace("$", "result", 1)


def _word_before(text: str, bare: str) -> TemplateProblem | None:
    """`len result`, `typeof result`."""
    before = r"(?:\A|[(=<>]|\b(?:and|or|not)\b)\s*"
    found = re.search(rf"(?i){before}\b(len|length|count|size|typeof)\s+({_PATH})", bare)
    if found is None:
        return None
    word, value = _groups(text, found)
    asks = word.casefold() == "typeof"
    hint = f"write `{value} is string`, or another test of what it is" if asks else f"write `{value} | length`"
    return _problem(text, found, f"`{word}` does not stand before a value", hint)


def _between(text: str, bare: str) -> TemplateProblem | None:
    found = re.search(rf"(?i)({_PATH})\s+between\s+({_VALUE})\s+and\s+({_VALUE})", bare)
    if found is None:
        return None
    value, low, high = map(_quoted, _groups(text, found))
    hint = f"write `{low} <= {value} and {value} <= {high}`"
    return _problem(text, found, "`between` is not an operator here", hint)


def _word_between(text: str, bare: str) -> TemplateProblem | None:
    """`result startsWith "N"`, `result not contains "N"`."""
    words = "starts_?with|begins_?with|ends_?with|contains|includes"
    found = re.search(rf"(?i)({_PATH})\s+((?:does\s+)?not\s+)?({words})\s+({_VALUE})", bare)
    if found is None:
        return None
    value, negated, word, part = _groups(text, found)
    folded = word.casefold().replace("_", "")
    if folded in ("contains", "includes"):
        here = f"{_quoted(part)} {'not in' if negated else 'in'} {value}"
    else:
        make = ending if folded == "endswith" else beginning
        here = make(f"{value} is not" if negated else f"{value} is", _inside(part) if part[0] in "'\"" else "")
    return _problem(text, found, f"`{word}` is not an operator here", f"write `{here}`")


def _two_dots(text: str, bare: str) -> TemplateProblem | None:
    found = re.search(rf"({_PATH})\.{{2,}}(\w+)", bare)
    if found is None:
        return None
    whole, key = _groups(text, found)
    return _problem(text, found, "one dot leads to a key", f"write `{whole}.{key}`")


def _text_of_python(text: str, bare: str) -> TemplateProblem | None:
    """`f"order {x}"`: its parts, put together by `~`."""
    found = re.search(rf"(?<![\w.])f({_TEXT})", bare)
    if found is None:
        return None
    parts = re.split(r"\{([^{}]*)\}", _inside(_groups(text, found)[0]))
    sources = [part.strip() if number % 2 else compact(part) for number, part in enumerate(parts) if part]
    return _problem(
        text, found, "`f` before a text is of Python", f"`~` puts texts together: `{' ~ '.join(sources) or '…'}`"
    )


def _file_without_quotes(text: str, bare: str) -> TemplateProblem | None:
    found = re.search(r"\bfile\(\s*([^'\"()\s]+)\s*\)", bare)
    if found is None:
        return None
    return _problem(text, found, "a path stands in quotes", f"write `file('{found[1]}')`")


def _list_without_brackets(text: str, bare: str) -> TemplateProblem | None:
    """`x in "a", "b"`."""
    found = re.search(rf"\bin\s+({_VALUE}(?:\s*,\s*{_VALUE})+)\s*\Z", bare)
    if found is None:
        return None
    listed = ", ".join(_quoted(text[slice(*one.span())]) for one in re.compile(_VALUE).finditer(bare, *found.span(1)))
    return _problem(text, found, "a list stands in `[ ]`", f"write `in [{listed}]`")


def _decimal_comma(text: str, bare: str) -> TemplateProblem | None:
    found = re.search(r"(?<![\w.,])(\d+),(\d+)(?![\w.,])", bare)
    if found is None:
        return None
    return _problem(text, found, "a number is written with a dot", f"write `{found[1]}.{found[2]}`")


_SHAPES: tuple[Callable[[str, str], TemplateProblem | None], ...] = (
    _function,
    _json_path,
    _text_of_python,
    _file_without_quotes,
    _between,
    _word_between,
    _word_before,
    _two_dots,
    _in_vain,
)
