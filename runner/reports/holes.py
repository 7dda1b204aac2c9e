"""Encoded JSON of a run, with `***` for every hole that a secret has left in it."""

import msgspec

from runner.secrets.redact import MARK, hide

_MARK = MARK.encode()
"""Where this stands there may be a hole; where it does not, nothing needs to be looked at."""


def without_holes(encoded: bytes) -> bytes:
    """The same JSON, compact where a hole was found; what has none comes back as it is."""
    if _MARK not in encoded:
        return encoded
    return msgspec.json.encode(hide(msgspec.json.decode(encoded)))
