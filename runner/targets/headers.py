"""Headers that a target adds to its calls: which names and values HTTP can carry, and which are ours.

No message repeats a value: it may be a secret.
"""

import re
from typing import Final

from runner.foundation.problems import Finding

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[!-~\u00a0-\u00ff](?:[ \t!-~\u00a0-\u00ff]*[!-~\u00a0-\u00ff])?")
OURS: Final = frozenset(
    {
        *("accept", "accept-encoding", "bpmcsrf", "cache-control", "connection", "content-encoding"),
        *("content-length", "content-type", "cookie", "expect", "forceusesession", "host", "keep-alive"),
        *("proxy-authorization", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "user-agent"),
    }
)
"""What the protocol needs to be as we write it, in lower case."""
_AUTHORIZATION: Final = "authorization"


def name_mistake(name: str, *, before: tuple[str, ...], signs_in_with_a_token: bool) -> Finding | None:
    """What is wrong with the name of a header; `before` are the names that stand before it."""
    if not _NAME.fullmatch(name):
        return Finding(message=f"`{name}` cannot be the name of a header", hint="use letters, digits and `-`")
    folded = name.lower()
    if folded in OURS:
        return Finding(message=f"`{name}` is set by this program, and cannot be set by a target")
    if folded == _AUTHORIZATION and signs_in_with_a_token:
        return Finding(message=f"`{name}` carries the token of the OAuth client", hint="leave out one of the two")
    if folded in (other.lower() for other in before):
        return Finding(code="E111", message=f"the header `{name}` stands twice: case does not count in its name")
    return None


def value_mistake(value: str) -> Finding | None:
    if not value:
        return Finding(code="E134", message="the header is empty")
    if not _VALUE.fullmatch(value):
        message = "a header holds letters of Latin-1, no line ends, and no blanks at its ends"
        return Finding(message=message)
    return None
