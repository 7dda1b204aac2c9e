"""Fingerprints show whether a secret is that of before: an HMAC-SHA256 under a random key of the run.

The key is beside them, so that a reader could try guesses: their file is as private as the run.
"""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Annotated

from msgspec import Meta, Struct

LEARNT = ("target.token", "target.cookie.")  # names of what a site gives anew each time


class Fingerprints(Struct, frozen=True, kw_only=True):
    """`of` has them by the names of the secrets, in hexadecimal digits, as `key` is."""

    key: Annotated[str, Meta(pattern="^([0-9a-fA-F]{2})+$")]
    of: Mapping[str, str]


def fingerprints(secrets: Mapping[str, str], *, key: str) -> Fingerprints:
    """The fingerprints of the secrets that have to be given anew; `key` is hexadecimal digits."""
    given = {name: text for name, text in secrets.items() if not name.startswith(LEARNT)}
    return Fingerprints(key=key, of={name: fingerprint(text, key) for name, text in given.items()})


def differing(stored: Fingerprints, secrets: Mapping[str, str]) -> tuple[str, ...]:
    """The names of secrets that are not what they were. A secret that a side lacks is not among them."""
    return tuple(
        name
        for name, text in secrets.items()
        if name in stored.of and not hmac.compare_digest(stored.of[name], fingerprint(text, stored.key))
    )


def fingerprint(text: str, key: str) -> str:
    """The fingerprint of a secret; `key` is hexadecimal digits."""
    return hmac.new(bytes.fromhex(key), text.encode(errors="surrogatepass"), hashlib.sha256).hexdigest()
