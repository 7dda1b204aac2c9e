"""The service's own words in an answer, made fit for a line of ours."""

from typing import Final

from runner.foundation.lazy import lazy_pattern
from runner.foundation.values import Json

_LONGEST: Final = 300
_UNREADABLE = lazy_pattern(r"[\s\x00-\x1f\x7f-\x9f]+")
_KEYS: Final = (
    *("Message", "message", "errorInfo", "ExceptionDetail", "responseStatus", "error", "value"),
    *("errorCode", "ErrorCode"),
)


def shortened(text: str) -> str:
    line = _UNREADABLE.sub(" ", text[: 4 * _LONGEST]).strip()
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1].rstrip() + "…"


def words_of(value: Json) -> str:
    """The words in a JSON fault, under whichever key they are; nothing where it has none."""
    for _ in range(len(_KEYS)):
        if not isinstance(value, dict):
            break
        value = next((value[key] for key in _KEYS if value.get(key)), None)
    return shortened(value) if isinstance(value, str) else ""
