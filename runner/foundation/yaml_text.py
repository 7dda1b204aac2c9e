"""Values as YAML on a single line, read back as they were: texts from outside in quotes, odd characters escaped."""

import json
import re
from collections.abc import Mapping
from typing import Final

from runner.foundation.lazy import lazy_pattern
from runner.foundation.values import Json, well_formed

_PLAIN: Final = lazy_pattern(
    r"[A-Za-z_](?:[\w ./()'-]*[\w./()'-])?|https?://[\w./:-]*[\w/-]|\w{8}(?:-\w{4}){3}-\w{12}", re.ASCII
)
_WORDS: Final = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
"""What some reader of YAML takes for no text."""


def as_yaml(text: str) -> str:
    """A text from outside as a plain word, or in quotes."""
    is_plain = _PLAIN.fullmatch(text) is not None and text.casefold() not in _WORDS
    return text if is_plain else quoted(text)


def quoted(text: str) -> str:
    """A text in double quotes, which YAML reads as JSON does."""
    shown = json.dumps(well_formed(text), ensure_ascii=False)
    return "".join(character if character.isprintable() else _escaped(character) for character in shown)


def flow(value: "Json | Mapping[str, Json]") -> str:
    match value:
        case str():
            return as_yaml(value)
        case list():
            return f"[{', '.join(map(flow, value))}]"
        case Mapping():
            return f"{{{', '.join(f'{as_yaml(key)}: {flow(inner)}' for key, inner in value.items())}}}"
        case _:
            return json.dumps(value)  # also a number beyond JSON, which a schema may hold that is wrong


def _escaped(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004  the basic plane
