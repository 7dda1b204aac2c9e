"""How values and texts of a run are written into a double or a job, where braces would be taken for a template."""

import json
import re
from typing import Final

from runner.foundation.lazy import lazy_pattern
from runner.foundation.values import Json, as_yaml, well_formed, yaml_flow

_BRACES: Final = lazy_pattern(r"\$*\{{2,}")
_BARE: Final = lazy_pattern(
    r"\s*(?:parameters|run|row|inputs|vars|steps|item|index|target|case)\b\s*[.\[].*", re.DOTALL
)
"""A text that looks as if its braces had been forgotten."""


def value(written: Json) -> str:
    """A value on a line of YAML, which stays what it is wherever templates are read."""
    return yaml_flow(_literal(written))


def plain(text: str) -> str:
    """A text for people, where no template is read."""
    return as_yaml(re.sub(r"\{(?=\{)", "{ ", text))


def comment(text: str) -> str:
    """A text as a line of a comment."""
    shown = " ".join(well_formed(text).split())
    return "# " + "".join(character if character.isprintable() else "?" for character in shown)


def _literal(written: Json) -> Json:
    match written:
        case str() if _BARE.fullmatch(written) and not written.startswith("{{"):
            return f"{{{{ {json.dumps(written[:1])} }}}}" + _BRACES.sub(_as_text, written[1:])
        case str():
            return _BRACES.sub(_as_text, written)
        case list():
            return [_literal(item) for item in written]
        case dict():
            return {key: _literal(item) for key, item in written.items()}
        case _:
            return written


def _as_text(found: re.Match[str]) -> str:
    return f'{{{{ "{found[0]}" }}}}'
