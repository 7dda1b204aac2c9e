"""The table of kinds of auth. How each signs in, `runner.service.access` knows: whoever reads files asks for none."""

from collections.abc import Iterable
from typing import Final

from runner.service.auth.kind import AuthKind

PASSWORD: Final = AuthKind(
    name="password",
    keys=("username", "password"),
    variables=("CREATIO_USERNAME", "CREATIO_PASSWORD"),
    registry=("Login", "Password"),
    described="name and password",
)
CLIENT_CREDENTIALS: Final = AuthKind(
    name="client_credentials",
    keys=("client_id", "client_secret"),
    variables=("CREATIO_CLIENT_ID", "CREATIO_CLIENT_SECRET"),
    registry=("ClientId", "ClientSecret"),
    described="an OAuth client",
    by_identity_service=True,
)
KINDS: Final = (PASSWORD, CLIENT_CREDENTIALS)


def kind_of(keys: Iterable[str]) -> AuthKind | None:
    """The kind whose keys stand under `auth`; None where there is none, or where two are mixed."""
    found = [kind for kind in KINDS if not {*kind.keys}.isdisjoint(keys)]
    return found[0] if len(found) == 1 else None
