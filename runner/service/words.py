"""The service's own words in an answer, made fit for a line of ours."""

from typing import Final

from runner.foundation.lazy import lazy_pattern
from runner.foundation.values import Json, items
from runner.secrets.spellings import single_line

_LONGEST: Final = 300
_EXCEPTION: Final = lazy_pattern(r"[A-Za-z]{1,80}Exception")
_READ: Final = 4 * _LONGEST
_KEYS: Final = (
    *("Message", "message", "errorInfo", "ExceptionDetail", "responseStatus", "error", "odata.error", "value"),
    *("ErrorInfo", "errorCode", "ErrorCode", "detail", "errors", "title"),
)
_HEADLINE: Final = "An error has occurred."
"""What ASP.NET says of any fault, whose words are further down, the cause at the bottom [C]."""
_BELOW: Final = ("internalexception", "InnerException", "innererror", "ExceptionMessage")


def short_line(text: str) -> str:
    """`text` on a line, cut at `…`, by which a cut secret is found."""
    line = single_line(text[:_READ])
    return line if len(line) <= _LONGEST and len(text) <= _READ else line[: _LONGEST - 1].rstrip() + "…"


def first_line(text: str) -> str:
    line, _, more = text.strip().partition("\n")
    return short_line(line) + ("…" if more and len(line) <= _LONGEST else "")


def words_of(value: Json) -> str:
    """The words in a JSON fault, under whichever key they are, with its `errorCode`, which no language changes [C].

    Nothing where it has none.
    """
    keys: tuple[str, ...] = _KEYS
    code: Json = None
    for _ in range(len(_KEYS)):
        if not isinstance(value, dict):
            break
        errors = value.get("errors") or value.get("ModelState")
        if isinstance(errors, dict) and not value.get("detail"):  # by field [D]
            return short_line("; ".join(f"{field}: {text}" for field, texts in errors.items() for text in items(texts)))
        if _HEADLINE in (value.get("message"), value.get("Message")):
            keys = (*_BELOW, *_KEYS)
        code = value.get("errorCode") or code
        value = next((value[key] for key in keys if value.get(key)), None)
    if not isinstance(value, str):
        return ""
    has_code = isinstance(code, str) and _EXCEPTION.fullmatch(code) and code not in value
    return f"{short_line(value)} [{code}]" if has_code else short_line(value)
