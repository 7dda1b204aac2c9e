"""Texts as words of bash or zsh, character by character. Holes of secrets are variables, encoded as needed."""

import re
from collections.abc import Iterable
from itertools import chain
from typing import Final

from msgspec import Struct, field

from runner.foundation.lazy import lazy_pattern
from runner.secrets.holes import MARK, PLAIN, Hole, taken_apart

URL: Final = "urlencode"
JSON: Final = "json"
_BYTES: Final = """printf %s "$1" | od -An -v -tu1 | LC_ALL=C awk '{ for (i = 1; i <= NF; i++) { c = $i + 0; """
FUNCTIONS: Final = {
    URL: (
        f"{URL}() {{ {_BYTES}"
        """if (c < 128 && sprintf("%c", c) ~ /[A-Za-z0-9._~-]/) printf "%c", c; else printf "%%%02X", c } }'; }"""
    ),
    JSON: (
        f"{JSON}() {{ {_BYTES}"
        """if (c == 34 || c == 92) printf "\\\\%c", c; else if (c > 31) printf "%c", c; """
        """else if (c > 7 && c < 14 && c != 11) printf "\\\\%s", substr("btn fr", c - 7, 1); """
        """else printf "\\\\u%04x", c } }'; }"""
    ),
}
"""Functions of the shell that write their argument in a URL and inside the quotes of JSON, as the run wrote it."""
_SUFFIXES: Final = {URL: "IN_URL", JSON: "IN_JSON"}
_SPELLED: Final = {
    PLAIN: (),
    "number": (),
    "json": (JSON,),
    "url": (URL,),
    "json-json": (JSON, JSON),
    "url-json": (JSON, URL),
    "url-url": (URL, URL),
}
"""By which functions a spelling of a secret is made of the secret."""
_UNSEEN: Final = lazy_pattern(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]+"
)
_NOT_IN_COMMENTS: Final = lazy_pattern(r"[^\w .,:/@=\[\]-]")


def quoted(text: str) -> str:
    """`text` as a part of a word. What moves a cursor, or cannot be seen, is escaped; so is a command to a CI."""
    if not text:
        return "''"
    reached, parts = 0, []
    for unseen in _UNSEEN.finditer(text):
        escapes = "".join(f"\\{byte:03o}" for byte in unseen[0].encode(errors="surrogatepass"))
        parts += [_single(text[reached : unseen.start()]), f"$'{escapes}'"]
        reached = unseen.end()
    return "".join([*parts, _single(text[reached:])])


def comment(text: str) -> str:
    """A line that the shell passes over. zsh reads typed comments as commands: no character may do anything."""
    return f"# {_NOT_IN_COMMENTS.sub('_', text.replace('`', ''))}"


def _single(text: str) -> str:
    escaped = text.replace("'", "'\\''").replace("##", "#''#")
    return f"'{escaped}'" if text else ""


class Variables(Struct):
    """The variables that a text of the shell needs. `lines` give those a value that follow from others."""

    lines: dict[str, None] = field(default_factory=dict)
    _names: dict[str, str] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """The variables that somebody sets before."""
        return tuple(self._names.values())

    def word(self, text: str) -> str:
        """`text` with variables in the place of its holes."""
        return self.joined(taken_apart(text)) if MARK in text else quoted(text)

    def joined(self, parts: Iterable[str | Hole], *, through: str | None = None) -> str:
        """A word of texts and holes; `through` is the function that the values of holes need there."""
        written = [quoted(part) if isinstance(part, str) else self._value(part, through) for part in parts if part]
        return "".join(written) or "''"

    def _value(self, hole: Hole, through: str | None) -> str:
        """What replaces a hole: it ends the command where somebody has not given the secret."""
        name, functions = self._hole_variable(hole)
        for function in chain(functions, [through] if through else []):
            following = f"{name}_{_SUFFIXES[function]}"
            self.lines[FUNCTIONS[function]] = None
            self.lines[f'{following}=$({function} "${{{name}:?}}")'] = None
            name = following
        return f'"${{{name}:?}}"'

    def _hole_variable(self, hole: Hole) -> tuple[str, tuple[str, ...]]:
        """The variable of a hole, with functions that make its spelling."""
        known = _SPELLED.get(hole.spelling)
        if known is not None and not hole.skipped and hole.end is None:
            return self._named(hole.name), known
        part = f", from character {hole.skipped + 1}" if hole.skipped else ""
        part += f", up to character {hole.end}" if hole.end is not None else ""
        name = self._named(f"{hole.name}_{hole.spelling}_{hole.skipped}_{hole.end or ''}")
        self.lines[comment(f"{name}: the secret {hole.name}, written as {hole.spelling}{part}")] = None
        return name, ()

    def _named(self, secret: str) -> str:
        """A name of its own for each secret; a word alone could be a variable of the shell itself, such as PATH."""
        if secret not in self._names:
            bare = re.sub(r"[^A-Za-z0-9]+", "_", secret).strip("_").upper()
            name = bare if "_" in bare and not bare[0].isdigit() else f"SECRET_{bare}"
            free, number = name, 1
            while free in self._names.values():
                number += 1
                free = f"{name}_{number}"
            self._names[secret] = free
        return self._names[secret]
