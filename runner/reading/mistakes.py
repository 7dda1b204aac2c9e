"""The mistakes of a YAML file, collected while it is read. Finding them is `runner.reading.load`'s business."""

import re
from typing import NoReturn

from msgspec.structs import replace

from runner.foundation.lazy import lazy_pattern
from runner.foundation.problems import Problem, in_order
from runner.foundation.values import Json, JsonObject, kind_of
from runner.reading import syntax, typos
from runner.reading.source import Complaint, Source, quote

MOST_PROBLEMS = 100  # the hundredth is the last: a file that repeats a key a million times has a hundred problems

_TAG = lazy_pattern(r"!<[^>\s]*>|![^\s,\[\]{}]*")
_NEGATED = lazy_pattern(r"!((?:inputs|vars|steps|result|item)\b[\w.]*)", re.ASCII)
"""A condition of other languages, which YAML reads as a tag."""
_DECIMAL_COMMA = lazy_pattern(r"(?<=[ :])((?:[0-9]{1,3}(?:[ .'\u00a0\u202f][0-9]{3})+|[0-9]+)),[0-9]+\Z")
_FRACTION = lazy_pattern(r"[0-9]+ ?[A-Za-z%\u20ac$]{1,4}")
"""What is after the comma of `1,5m` and `12,5 %`."""
_LOOKS = 20  # so many places are searched for the first of two keys
_OF_ITEMS = lazy_pattern(r"(?:- )?(steps|finally|undo|cases|expect|elements|activities):(?:\s+#.*)?")

Bounds = tuple[int, int]  # offsets of the first character and after the last


class StopError(Exception):
    """Reading cannot go on; why is the last of the mistakes."""


class Mistakes:
    def __init__(self, source: Source) -> None:
        self._source = source
        self._found: list[Problem] = []
        self._item_begun_at: Bounds | None = None
        self._passable = 0

    @property
    def are_passable(self) -> bool:
        """Whether all that was found is a value or a key alone, and everything around it was read."""
        return self._passable == len(self._found)

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

    def report(self, message: str, *, at: Bounds, hint: str | None = None, code: str = "E102") -> None:
        self.add(self._source.problem(code, message, at=at, hint=hint))

    def pass_over(self, message: str, *, at: Bounds, hint: str | None = None) -> None:
        """Report what leaves everything around it readable."""
        self._passable += 1
        self.report(message, at=at, hint=hint)

    def stop(self, message: str, *, at: Bounds) -> NoReturn:
        self._found.append(self._source.problem("E102", message, at=at))
        raise StopError

    def syntax(self, complaint: Complaint) -> None:
        """What the parser ended with. What only follows from a mistake that is known is left out."""
        problem = syntax.explain(complaint)
        places = (problem.span, self._source.span(*complaint.last))
        if not any(known.span in places for known in self._found):
            self._found.append(problem)

    def forget(self, *, after: int) -> None:
        """Leave out what has been found after so many mistakes: the inside of a template is not written as YAML."""
        del self._found[after:]

    def odd_keys(self, record: JsonObject, *, at: Bounds) -> None:
        """Keys without a value of a record in braces: `key:value` as a whole, or what is after a comma of a number."""
        for key in record:
            if record[key] is None and _FRACTION.fullmatch(key):
                number = re.compile(rf"(?<=[ :])([0-9]+),{re.escape(key)}(?=\s*[,}}])").search(self._source.text, *at)
                if number is not None:
                    self._decimal_comma(number, key)
            if record[key] is None and ":" in key:
                bare = re.compile(rf"(?<=[{{,\s]){re.escape(key)}(?=\s*[,}}])").search(self._source.text, *at)
                found = typos.no_space(self._source, bare.start(), end=bare.end()) if bare else None
                if found is not None:
                    self.add(found)

    def tag(self, *, at: int) -> None:
        """A tag that is at `at` or after it, after an anchor."""
        found = _TAG.search(self._source.text, at)
        bounds = found.span() if found else (at, at + 1)
        message = f"tags are not read here, as `{self._source.text[slice(*bounds)]}`"
        if name := _NEGATED.fullmatch(self._source.text, *bounds):
            self.report(message, at=bounds, hint=f"write `not {name[1]}`")
        else:
            hint = "leave it out; a text that begins with `!` needs quotes"
            if "vault" in self._source.text[slice(*bounds)]:
                hint = (
                    "decrypt it: a target reads `{{ env.NAME }}` or `{{ file('PATH') }}`, an input is `-i NAME=@FILE`"
                )
            self.pass_over(message, at=bounds, hint=hint)

    def unknown_anchor(self, name: str, *, at: Bounds) -> None:
        text = quote("it", self._source.rest_of_line(at[0]))
        hint = f"write `&{name}` before the value to repeat; {text}, if it is a text"
        self.report(f"`*` begins an alias, and there is no anchor `&{name}` before it", at=at, hint=hint, code="E101")

    def second_key(self, key: str, *, at: Bounds) -> None:
        earlier, hint = self._earlier(at), None
        if earlier is not None and self._source.line(earlier).lstrip(" ").startswith("- "):
            self._item_begun_at = at
            hint = f"begin a new item with `-`, as in `- {key}: …`: it begins the item in line {earlier} already"
        elif self._follows_a_missing_dash(at):
            return
        elif earlier is not None:
            again = self._begins_again(key, earlier, at)
            self._item_begun_at = at if again else self._item_begun_at
            hint = again or f"leave one of them out: the other is in line {earlier}"
        self.report(f"the key `{key}` is written twice", at=at, hint=hint, code="E103")

    def _begins_again(self, key: str, earlier: int, at: Bounds) -> str | None:
        """A hint where the first key of a file, or of an item of a list without dashes, is that of another."""
        lines = (self._source.line(number).strip() for number in range(earlier - 1, 0, -1))
        above = next((line for line in lines if line and not line.startswith("#")), "")
        if found := _OF_ITEMS.fullmatch(above):
            return f"begin each item of `{found[1]}` with `-`, as in `- {key}: …`"
        is_whole = not above and key == "runner" and self._source.position(at[0])[0] > earlier + 1
        return f"leave out the other half: the file begins in line {earlier}, and here again" if is_whole else None

    def _follows_a_missing_dash(self, at: Bounds) -> bool:
        """Whether this key is written twice only because the item that it belongs to was not begun."""
        if self._item_begun_at is None:
            return False
        (began, column), (line, here) = self._source.position(self._item_begun_at[0]), self._source.position(at[0])
        between = map(self._source.line, range(began, line))
        return here == column and not any(
            text.strip() and len(text) - len(text.lstrip(" ")) < column - 1 for text in between
        )

    def no_text_as_key(self, key: Json, *, at: Bounds) -> None:
        written = self._source.text[slice(*at)]
        comma = _DECIMAL_COMMA.search(self._source.text, max(0, at[0] - _LOOKS), at[1]) if written else None
        if not written:
            self.report("a key is missing before the `:`", at=(at[0], at[0] + 1))
        elif comma:
            self._decimal_comma(comma, written)
        else:
            message = f"a key must be a text, and `{written}` is {kind_of(key)}"
            self.pass_over(message, at=at, hint=f'put it in quotes: "{written}"')

    def _decimal_comma(self, found: re.Match[str], fraction: str) -> None:
        hint = f"write `{re.sub('[^0-9]', '', found[1])}.{fraction}`: a comma ends an item"
        self.report("a number is written with a point, not with a comma", at=found.span(), hint=hint)

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
