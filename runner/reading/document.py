"""What a file holds, and where each part of it is, by its path: `("steps", 3, "retry", "max")`.

A path that leads nowhere has the place of its last part that exists. Of files that may hold secrets no line
is shown, and messages name keys only.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

from msgspec import Struct, field
from msgspec.structs import force_setattr, replace

from runner.foundation.lazy import lazy_pattern
from runner.foundation.problems import Finding, Problem, Span
from runner.foundation.values import Json, ValuePath, value_at
from runner.reading.nodes import Places
from runner.reading.odd_characters import hint_with_letters, odd_space
from runner.reading.source import EVERY_LINE, Source, quoted
from runner.secrets.shown import STARS

_BLANKS = " \t\r\n"
_DASHED = lazy_pattern(r"\n[ ]*- ")
SAME_COLUMN = "let every `-` begin in the same column: YAML joins this item and the next"
CUT_OFF = "YAML reads a comma inside `{ }` as the end of a value: put the whole text in quotes"
IN_QUOTES = "put the whole text in quotes"
_PROPOSED = lazy_pattern(r"`([^`]+)`")
_REPLACEMENT = lazy_pattern(r"(?:write|did you mean) `([^`]+)`")
_BREAKS_NOTHING = lazy_pattern(r"[\"']|\w+: ")
_BREAKS_FLOW = lazy_pattern(r"[\[\]{},]|: | #")
_COMMA = lazy_pattern(r"\s*,")
_COMMENT = lazy_pattern(r"[ \t]+#")


class _Part(Struct, frozen=True):
    """A node and what it holds; `path` is how far the path that was asked for could be followed."""

    node: int
    value: Json
    path: ValuePath

    @property
    def has_key(self) -> bool:
        return bool(self.path) and isinstance(self.path[-1], str)


class Document(Struct, frozen=True, kw_only=True):
    """What a file holds; of an alias the places are those of its anchor."""

    source: Source
    data: Json  # None: an empty file
    places: Places
    originals: Mapping[ValuePath, str] = field(default_factory=dict)  # keys of the file, named otherwise in `data`
    flaws: tuple[Problem, ...] = ()  # mistakes that leave the rest readable
    _children: dict[int, dict[str | int, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        force_setattr(self, "_children", {})  # a copy with other data has places of its own

    @property
    def file(self) -> str:
        return self.source.file

    @property
    def text(self) -> str:
        return self.source.text

    def value_span(self, path: ValuePath) -> Span:
        """The value at `path`; of a list or record in block style, from its first character to its last."""
        return self.source.span(*self._bounds(self._find(path).node))

    def key_span(self, path: ValuePath) -> Span:
        """The key that leads to `path`; of an item of a list and of the root, its first line."""
        part = self._find(path)
        if part.has_key:
            return self.source.span(*self._bounds(part.node - 1))
        start, end = self._bounds(part.node)
        if start == end:  # nothing after a dash
            start -= self.text[:start].endswith("-")
        return self.source.span(start, min(end, self.source.line_bounds(self.source.line_at(start))[1]))

    def name_span(self, path: ValuePath, *, line: int, name: str) -> Span:
        """Where `name` is in the text at `path`, on the `line` from 0; on a single line it is the whole value."""
        start, end = self._bounds(self._find(path).node)
        written = r"\s+".join(map(re.escape, name.split()))
        word = re.compile(rf"(?<![\w.]){written}(?!\w)")
        if self.text.startswith(("|", ">"), start):
            first, last = self._line_of_block(start, end, line=line)
            found = word.search(self.text, first, last) or word.search(self.text, start, end)
        elif self.source.line_at(start) == self.source.line_at(end):
            return self.source.span(start, end)
        else:
            first, last = start, end
            found = word.search(self.text, start, end)
        return self.source.span(*(found.span() if found else (first, last)))

    def line_of(self, path: ValuePath) -> int:
        part = self._find(path)
        return self.source.line_at(self.places.starts[part.node - part.has_key])

    def lines_of_items(self, path: ValuePath) -> list[int]:
        """The line on which each item of the list at `path` begins; nothing where no list is."""
        part = self._find(path)
        if part.path != path or not isinstance(part.value, list):
            return []
        return [self.source.line_at(self.places.starts[node]) for node in self._nodes_in(part).values()]

    def quote_hint(self, path: ValuePath) -> str | None:
        """Advice where YAML cut an unquoted text at ` #`, at a comma in `[ ]`, or at `: `; else None."""
        part = self._find(path)
        start, end = self._bounds(part.node)
        match part.value:
            case dict() as record if any(key.count('"') % 2 or key.count("'") % 2 for key in record):
                return "YAML reads `: ` as the end of a key: put the whole text in quotes"
            case str() if start < end and self.text[start] not in "\"'|>*":
                return self._eaten(part, end)
        return None

    def is_cut_off(self, path: ValuePath) -> bool:
        """Whether the key at `path` is a piece of the text before it, which YAML has cut at a comma inside `{ }`."""
        part = self._find(path[:-1])
        if not isinstance(part.value, dict) or not self.text.startswith("{", self._bounds(part.node)[0]):
            return False
        before = [*part.value][: [*part.value].index(path[-1])] if path[-1] in part.value else []
        cut = next((key for key in reversed(before) if part.value[key] is not None), None)
        text = part.value[cut] if cut is not None else None
        return isinstance(text, str) and cut is not None and self.is_bare((*path[:-1], cut)) and _is_open(text)

    def is_bare(self, path: ValuePath) -> bool:
        """Whether the value at `path` is a text without quotes around it, and no block."""
        part = self._find(path)
        start, end = self._bounds(part.node)
        return part.path == path and isinstance(part.value, str) and start < end and self.text[start] not in "\"'|>*"

    def in_quotes(self, path: ValuePath, hint: str | None, *, part: str) -> str | None:
        """`hint` with advice on quotes, where a bare text in brackets would break with it in place of `part`."""
        proposed = [each for each in _PROPOSED.findall(hint or "") if not _BREAKS_NOTHING.match(each)]
        if hint is None or IN_QUOTES in hint or not any(map(_BREAKS_FLOW.search, proposed)) or not self.is_bare(path):
            return None
        starts = [self._bounds(self._find(path[:length]).node)[0] for length in range(len(path))]
        opened = next((self.text[start] for start in reversed(starts) if self.text.startswith(("{", "["), start)), None)
        if opened is None:
            return None
        pair = "{ }" if opened == "{" else "[ ]"
        advice = f"{hint}{'' if hint.endswith('?') else ';'} inside `{pair}` {IN_QUOTES}"
        replacement, text = _REPLACEMENT.match(hint), str(self._find(path).value)
        written = rf"(?<![\w.]){re.escape(part)}(?!\w)"
        if replacement is None or not part or not re.search(written, text):
            return advice
        key = f"{path[-1]}: " if isinstance(path[-1], str) else ""
        return f"{advice}: `{key}{quoted(re.sub(written, lambda _: replacement[1], text))}`"

    def is_tagged(self, span: Span | None) -> bool:
        """Whether `span` lies in a value with a tag: nobody knows what value was wanted."""
        if span is None or not self.places.tagged:
            return False
        begins = (span.line, span.column)
        values = (self.source.span(*self._bounds(node)) for node in self.places.tagged)
        return any((place.line, place.column) <= begins <= (place.end_line, place.end_column) for place in values)

    def written(self, path: ValuePath) -> str:
        """The value at `path` as it is in the file, quotes and all."""
        return self.text[slice(*self._bounds(self._find(path).node))]

    def is_empty(self, path: ValuePath) -> bool:
        """Whether nothing is written at `path`, not even `null`."""
        start, end = self._bounds(self._find(path).node)
        return start == end

    def rest_after(self, path: ValuePath) -> str:
        """What follows the value at `path`, on the line on which it ends."""
        _, end = self._bounds(self._find(path).node)
        return self.text[end : self.source.line_bounds(self.source.line_at(end))[1]]

    def joined_items(self, path: ValuePath) -> bool:
        """Whether the text at `path` is a bare item with a line that begins with a dash."""
        is_item = bool(path) and isinstance(path[-1], int)
        return is_item and self.is_bare(path) and bool(_DASHED.search(self.text, *self._bounds(self._find(path).node)))

    def odd_space(self, path: ValuePath) -> Problem | None:
        """Another character in the place of a space, on the line where the value at `path` begins."""
        start, _ = self._bounds(self._find(path).node)
        return odd_space(self.source, start, start)

    def found(self, finding: Finding, path: ValuePath = (), *, span: Span | None = None) -> Problem:
        """What was found in the value at `path`, at its place, or at `span` where that is known better."""
        at = (*path, *finding.path)
        place = span or (self.key_span(at) if finding.at_key else self.value_span(at))
        with_letters = replace(finding, hint=hint_with_letters(finding.message, finding.hint))
        return self.source.found(with_letters, place, path=self._as_written(at) if self.originals else at)

    def problem(
        self,
        code: str,
        message: str,
        *,
        path: ValuePath,
        at_key: bool = False,
        hint: str | None = None,
        warning: bool = False,
    ) -> Problem:
        """A problem at the value of `path`, or at its key."""
        return self.found(Finding(code=code, message=message, hint=hint, at_key=at_key, warning=warning), path)

    def _as_written(self, path: ValuePath) -> ValuePath:
        return tuple(self.originals.get(path[: length + 1], part) for length, part in enumerate(path))

    def _find(self, path: ValuePath) -> _Part:
        found = _Part(0, self.data, ())
        for step in path:
            node = self._nodes_in(found).get(step)
            if node is None:
                break
            found = _Part(node, value_at((step,), found.value), (*found.path, step))
        return found

    def _nodes_in(self, part: _Part) -> dict[str | int, int]:
        """The nodes of the values in a list or record, by index or key; worked out once for each."""
        node = self.places.aliases.get(part.node, part.node)
        if node not in self._children:
            match part.value:
                case dict() as record:
                    self._children[node] = dict(zip(record, self._walk(node, step=1), strict=True))
                case list():
                    self._children[node] = dict(enumerate(self._walk(node, step=0)))
                case _:
                    return {}
        return self._children[node]

    def _walk(self, node: int, *, step: int) -> Iterator[int]:
        """The nodes right below `node`, each after `step` others (the keys of a record)."""
        after = self.places.after
        child, end = node + 1, after[node]
        while child < end:
            child += step
            yield child
            child = after[child] or child + 1

    def _bounds(self, node: int) -> tuple[int, int]:
        """Offsets of a node without blanks after it: to the parser a block scalar ends where the next node begins."""
        start, end = self.places.starts[node], self.places.ends[node]
        while end > start and self.text[end - 1] in _BLANKS:
            end -= 1
        return start, end

    def _line_of_block(self, start: int, end: int, *, line: int) -> tuple[int, int]:
        """Offsets of a line of a block scalar, without indentation; of a folded text the first that it may be."""
        header, last = self.source.line_at(start), self.source.line_at(end)
        first, stop = self.source.line_bounds(min(header + 1 + line, last))
        content = self.text[first:stop]
        return first + len(content) - len(content.lstrip()), max(first, stop)

    def _eaten(self, part: _Part, end: int) -> str | None:
        if _COMMENT.match(self.text, end):
            return "YAML reads ` #` as the start of a comment: put the whole text in quotes"
        if part.path and isinstance(part.path[-1], int):
            start, _ = self._bounds(self._find(part.path[:-1]).node)
            is_word = isinstance(part.value, str) and part.value.isidentifier()
            if self.text.startswith("[", start) and not is_word and len(self._nodes_in(self._find(part.path[:-1]))) > 1:
                return "YAML reads a comma inside `[ ]` as the end of an item: put the whole text in quotes"
        if isinstance(part.value, str) and _is_open(part.value) and _COMMA.match(self.text, end):
            return CUT_OFF
        return None


def _is_open(text: str) -> bool:
    return any(text.count(begin) > text.count(end) for begin, end in ("()", "[]"))


_KEY = lazy_pattern(r"(?m)^(?:\{|[\"']?[A-Za-z_][\w .-]*[\"']?[ \t]*:(?:\s|\Z))")
_QUOTED = lazy_pattern(r"""`([^`]+)`|"([^"]+)"|(?<=: )'(.+)'(?=$|,)""")
_WORD = lazy_pattern(r"\w{2,}")


def looks_like_a_mapping(text: str) -> bool:
    """Whether a text that cannot be read was to be a mapping: a line of it begins with a key."""
    return "\0" not in text and _KEY.search(text) is not None


def without_lines(document: Document) -> Document:
    return replace(document, source=replace(document.source, hidden=EVERY_LINE))


def without_text(problems: Iterable[Problem], text: str) -> tuple[Problem, ...]:
    """`problems` of a file that holds `text`, without its line and without what they quote of it."""
    words = set(_WORD.findall(text))
    return tuple(
        replace(without_words(problem, words, is_open=lambda quoted: _is_key(quoted, text)), excerpt=None)
        for problem in problems
    )


def without_words(problem: Problem, words: Collection[str], *, is_open: Callable[[str], bool]) -> Problem:
    """`problem` with stars in place of quoted texts with these words, unless `is_open`."""

    def shown(found: re.Match[str]) -> str:
        quoted = found[1] or found[2] or found[3]
        is_secret = any(word in words for word in _WORD.findall(quoted)) and not is_open(quoted)
        return f"`{STARS}`" if is_secret else found[0]

    hint = None if problem.hint is None else _QUOTED.sub(shown, problem.hint)
    return replace(problem, message=_QUOTED.sub(shown, problem.message), hint=hint)


def _is_key(quoted: str, text: str) -> bool:
    return re.search(rf"(?m)^[ \t-]*[\"']?{re.escape(quoted)}[\"']?[ \t]*:(?:\s|\Z)", text) is not None
