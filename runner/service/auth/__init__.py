"""The table of kinds of auth. How each signs in is imported by who signs in: whoever reads files needs no calls."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final

from runner.service.auth.kind import AuthKind
from runner.service.site import Site

if TYPE_CHECKING:
    from runner.service.session import SigningIn


def _by_password(site: Site, texts: Mapping[str, str], now: float) -> "SigningIn":
    from runner.service.auth import password  # noqa: PLC0415  with events and calls 5 ms, which a check of files does not need

    return password.sign_in(site, texts, now)


def _by_client_credentials(site: Site, texts: Mapping[str, str], now: float) -> "SigningIn":
    from runner.service.auth import client_credentials  # noqa: PLC0415  as above

    return client_credentials.sign_in(site, texts, now)


PASSWORD: Final = AuthKind(
    name="password",
    keys=("username", "password"),
    variables=("CREATIO_USERNAME", "CREATIO_PASSWORD"),
    registry=("Login", "Password"),
    described="name and password",
    sign_in=_by_password,
)
CLIENT_CREDENTIALS: Final = AuthKind(
    name="client_credentials",
    keys=("client_id", "client_secret"),
    variables=("CREATIO_CLIENT_ID", "CREATIO_CLIENT_SECRET"),
    registry=("ClientId", "ClientSecret"),
    described="an OAuth client",
    sign_in=_by_client_credentials,
    by_identity_service=True,
)
KINDS: Final = (PASSWORD, CLIENT_CREDENTIALS)


def kind_of(keys: Iterable[str]) -> AuthKind | None:
    """The kind with these keys under `auth`, if it is a single kind."""
    found = [kind for kind in KINDS if not {*kind.keys}.isdisjoint(keys)]
    return found[0] if len(found) == 1 else None
