from collections.abc import Iterable
from typing import Final

from runner.service.auth.client_credentials import CLIENT_CREDENTIALS
from runner.service.auth.kind import AuthKind
from runner.service.auth.password import PASSWORD

KINDS: Final = (PASSWORD, CLIENT_CREDENTIALS)


def kind_of(keys: Iterable[str]) -> AuthKind | None:
    """The kind whose keys stand under `auth`; None where there is none, or where two are mixed."""
    found = [kind for kind in KINDS if not {*kind.keys}.isdisjoint(keys)]
    return found[0] if len(found) == 1 else None
