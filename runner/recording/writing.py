"""How values and texts of a run stand in a double or a job, where braces would be taken for a template."""

import json
import re
from typing import Final

from runner.catalogue.write import as_yaml
from runner.foundation.values import Json, compact, well_formed

_BRACES: Final = re.compile(r"\$*\{{2,}")
_BARE: Final = re.compile(r"\s*(?:parameters|run|row|inputs|vars|steps|item|index|target|case)\b\s*[.\[].*", re.DOTALL)
"""A text that looks as if its braces had been forgotten."""


def value(one: Json) -> str:
    """A value on one line of YAML, which stays what it is wherever templates are read."""
    match one:
        case str():
            return as_yaml(_unread(one))
        case list():
            return f"[{', '.join(map(value, one))}]"
        case dict():
            return f"{{{', '.join(f'{as_yaml(key)}: {value(inner)}' for key, inner in one.items())}}}"
        case _:
            return compact(one)


def plain(text: str) -> str:
    """A text for people, where no template is read."""
    return as_yaml(re.sub(r"\{(?=\{)", "{ ", text))


def comment(text: str) -> str:
    """One line of a comment, whatever stands in the text."""
    shown = " ".join(well_formed(text).split())
    return "# " + "".join(character if character.isprintable() else "?" for character in shown)


def _unread(text: str) -> str:
    if _BARE.fullmatch(text) and not text.startswith("{{"):
        first, rest = text[:1], text[1:]
        return f"{{{{ {json.dumps(first)} }}}}" + _BRACES.sub(_as_text, rest)
    return _BRACES.sub(_as_text, text)


def _as_text(found: re.Match[str]) -> str:
    return f'{{{{ "{found[0]}" }}}}'
