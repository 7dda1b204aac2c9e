"""The mistakes of one file, in the sentences they are told with. Finding them is `runner.reading.load`'s business."""

import re
from dataclasses import replace
from typing import NoReturn

from runner.foundation.problems import Problem, in_order
from runner.foundation.values import Json, JsonObject, kind_of
from runner.reading import syntax, typos
from runner.reading.lines import Complaint, quote, rest_of_line
from runner.reading.source import Source

MOST_PROBLEMS = 100
"""The hundredth is the last: a file that repeats one key a million times must not be told so a million times."""

_TAG = re.compile(r"!<[^>\s]*>|![^\s,\[\]{}]*")
_NEGATED = re.compile(r"!((?:inputs|vars|steps|result|item)\b[\w.]*)", re.ASCII)
"""A condition of other languages, which YAML reads as a tag."""
_DECIMAL_COMMA = re.compile(r"(?<=[ :])([0-9]+),[0-9]+\Z")
_LOOKS = 20
"""So many places are looked at for the first of two keys."""

Bounds = tuple[int, int]
"""Offsets of the first character and behind the last."""


class StopError(Exception):
    """Reading cannot go on; why is the last of the mistakes."""


class Mistakes:
    def __init__(self, source: Source) -> None:
        self._source = source
        self._found: list[Problem] = []
        self._item_begun_at: Bounds | None = None
        self._passable: list[Problem] = []

    @property
    def are_passable(self) -> bool:
        """Whether all that was found is a value or a key alone, and everything around it was read."""
        return len(self._passable) == len(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def in_order(self) -> tuple[Problem, ...]:
        return in_order(self._found)

    def add(self, problem: Problem) -> None:
        """Raises `StopError` where there are enough."""
        self._found.append(problem)
        if len(self._found) == MOST_PROBLEMS:
            self._found[-1] = replace(problem, hint="there may be more: a file is read up to its hundredth mistake")
            raise StopError

    def stop(self, message: str, *, at: Bounds) -> NoReturn:
        self._found.append(self._source.problem("E102", message, at=at))
        raise StopError

    def too_deep(self, deepest: int, *, at: int) -> None:
        message = f"lists and records nest deeper than {deepest} here"
        self._found.append(self._source.problem("E102", message, at=(at, at + 1)))

    def unreadable(self) -> None:
        """The parser met a character that it does not read."""
        self._found.append(syntax.unreadable_character(self._source))

    def syntax(self, complaint: Complaint) -> None:
        """What the parser ended with. What only follows from a mistake that is known is left out."""
        problem = syntax.explain(complaint, self._source)
        told = (problem.span, self._source.span(*complaint.last))
        if not any(known.span in told for known in self._found):
            self._found.append(problem)

    def bare_template(self, at: int) -> None:
        self.add(syntax.bare_template(self._source, at))

    def forget(self, *, behind: int) -> None:
        """Leave out what has been found after so many mistakes: what stands in a template is not written as YAML."""
        del self._found[behind:]

    def no_blanks(self, record: JsonObject, *, at: Bounds) -> None:
        """Keys of a record in braces that are `key:value` as a whole, with nothing behind them."""
        for key in record:
            if record[key] is None and ":" in key:
                bare = re.compile(rf"(?<=[{{,\s]){re.escape(key)}(?=\s*[,}}])").search(self._source.text, *at)
                found = typos.no_blank(self._source, bare.start(), end=bare.end()) if bare else None
                if found is not None:
                    self.add(found)

    def number(self, message: str, *, at: Bounds) -> None:
        self._report("E102", message, at=at, hint="put it in quotes if it is a text", is_passable=True)

    def second_document(self, at: int) -> None:
        self._report("E102", "a second document begins here: a file holds one", at=(at, at + len("---")))

    def tag(self, *, at: int) -> None:
        """A tag that stands at `at` or behind, after an anchor."""
        found = _TAG.search(self._source.text, at)
        bounds = found.span() if found else (at, at + 1)
        message = f"tags are not read here, as `{self._source.text[slice(*bounds)]}`"
        name = _NEGATED.fullmatch(self._source.text, *bounds)
        hint = f"write `not {name[1]}`" if name else "leave it out; a text that begins with `!` needs quotes"
        self._report("E102", message, at=bounds, hint=hint, is_passable=name is None)

    def unknown_anchor(self, name: str, *, at: Bounds) -> None:
        hint = quote("it", rest_of_line(self._source, at[0])) + ", if it is a text"
        self._report("E101", f"`*` begins an alias, and no anchor `&{name}` stands before it", at=at, hint=hint)

    def endless_alias(self, *, at: Bounds) -> None:
        self._report("E102", "an alias stands inside the value that it stands for", at=at)

    def second_key(self, key: str, *, at: Bounds) -> None:
        earlier, hint = self._earlier(at), None
        if earlier is not None and self._is_first_of_item(earlier):
            self._item_begun_at = at
            hint = f"it begins the item in line {earlier} already: a new one begins with `-`, as in `- {key}: …`"
        elif self._follows_a_missing_dash(at):
            return
        elif earlier is not None:
            hint = f"it stands in line {earlier} already"
        self._report("E103", f"the key `{key}` stands twice", at=at, hint=hint)

    def _is_first_of_item(self, line: int) -> bool:
        return self._source.line(line).lstrip(" ").startswith("- ")

    def _follows_a_missing_dash(self, at: Bounds) -> bool:
        """Whether this key stands twice only because the item that it belongs to was not begun."""
        if self._item_begun_at is None:
            return False
        (began, column), (line, here) = self._source.position(self._item_begun_at[0]), self._source.position(at[0])
        between = map(self._source.line, range(began, line))
        return here == column and not any(
            text.strip() and len(text) - len(text.lstrip(" ")) < column - 1 for text in between
        )

    def merge_key(self, *, at: Bounds) -> None:
        hint = "write its keys out, or use an alias as the whole value"
        self._report("E102", "merge keys (`<<`) are not read here", at=at, hint=hint)

    def no_text_as_key(self, key: Json, *, at: Bounds) -> None:
        written = self._source.text[slice(*at)]
        if not written:
            self._report("E102", "a key is missing before the `:`", at=(at[0], at[0] + 1))
            return
        comma = _DECIMAL_COMMA.search(self._source.text, max(0, at[0] - _LOOKS), at[1])
        if comma:
            hint = f"write `{comma[1]}.{written}`: a comma ends an item"
            self._report("E102", "a number is written with a point, not with a comma", at=comma.span(), hint=hint)
            return
        message = f"a key must be a text, and `{written}` is {kind_of(key)}"
        self._report("E102", message, at=at, hint=f'put it in quotes: "{written}"', is_passable=True)

    def value_as_key(self, value: Json, *, at: int) -> None:
        self._report("E102", f"a key must be a text, not {kind_of(value)}", at=(at, at + 1))

    def _report(
        self, code: str, message: str, *, at: Bounds, hint: str | None = None, is_passable: bool = False
    ) -> None:
        found = self._source.problem(code, message, at=at, hint=hint)
        if is_passable:
            self._passable.append(found)
        self.add(found)

    def _earlier(self, at: Bounds) -> int | None:
        """The line of the first of two keys: in block style, in the same column above."""
        written, (line, column) = self._source.text[slice(*at)], self._source.position(at[0])
        end = at[0]
        for _ in range(_LOOKS):
            end = self._source.text.rfind(f"{written}:", 0, end)
            if end < 0:
                break
            found = self._source.position(end)
            if found[1] == column and found[0] != line:
                return found[0]
        return None
