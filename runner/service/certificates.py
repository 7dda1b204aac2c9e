"""The names on a trusted certificate of another host. The connection that reads them sends nothing."""

import ssl
from collections.abc import Mapping
from typing import Final

MISMATCHES: Final = frozenset({62, 64})
"""OpenSSL's reasons: the certificate belongs to another name, to another address."""


def names_on(certificate: Mapping[str, object] | None) -> tuple[str, ...]:
    """The names on a certificate, as `ssl` gives a certificate that it trusts."""
    return tuple(name for _, name in pairs((certificate or {}).get("subjectAltName")))


def with_any_name(trusted: ssl.SSLContext) -> ssl.SSLContext:
    """A context that trusts the same authorities, with any name on a certificate."""
    authorities = b"".join(trusted.get_ca_certs(binary_form=True))
    context = ssl.create_default_context(cadata=authorities or None)
    context.check_hostname = False
    context.verify_flags |= trusted.verify_flags
    return context


def pairs(value: object) -> list[tuple[str, str]]:
    """The names and values of a part of a certificate."""
    found = value if isinstance(value, tuple) else ()
    return [(str(pair[0]), str(pair[1])) for pair in found if isinstance(pair, tuple) and len(pair) == 2]  # noqa: PLR2004  a pair
