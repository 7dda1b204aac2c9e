"""Texts and values from outside as the page shows them: safe, with stars for secrets, cut. `code` makes markup."""

import json
from typing import Final

from markupsafe import Markup, escape

from runner.foundation.lazy import lazy_pattern
from runner.foundation.values import Json
from runner.reports.safe import clean, safe
from runner.secrets.shown import hide

SHORT: Final = 300
LONG: Final = 4000  # characters of a value that are shown: of a row that passed, and of any other
_MOST_LINES: Final = 30
_QUOTED = lazy_pattern(r"`([^`\n]+)`")


def shown_lines(text: str) -> str:
    return safe(str(hide(text)).replace("\r\n", "\n").strip("\n"), keep_lines=True)


def cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text):,} characters; the JSON report has them all)"


def as_text(value: Json, limit: int, *, indent: int = 1) -> str:
    """A value as safe lines: a text as it is, all else as JSON."""
    hidden = hide(value)
    text = hidden if isinstance(hidden, str) else json.dumps(hidden, ensure_ascii=False, indent=indent)
    return cut(shown_lines(text), limit)


def code(text: str) -> Markup:
    """A text on a line as HTML, with what is in backticks as code."""
    return Markup(_QUOTED.sub(r"<code>\1</code>", str(escape(clean(text)))))  # noqa: S704  escaped on this line


def message_lines(text: str) -> Markup:
    lines = shown_lines(text).split("\n")
    more = [f"… and {len(lines) - _MOST_LINES} more lines"] if len(lines) > _MOST_LINES else []
    return Markup("\n").join(code(cut(line, LONG)) for line in [*lines[:_MOST_LINES], *more])
