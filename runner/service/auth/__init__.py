"""The table of kinds of auth. How each signs in is imported by who signs in: whoever reads files needs no calls."""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, ClassVar, Final

from msgspec import Struct

from runner.foundation.discreet import Discreet
from runner.service.site import Site

if TYPE_CHECKING:
    from runner.service.session import SigningIn


class AuthKind(Struct, frozen=True, kw_only=True):
    """A way to sign in. `sign_in` gets the site, the credentials by their keys, and the time."""

    name: str  # in events
    keys: tuple[str, ...]  # under `auth` of a target: the first names the account, the last is the secret
    variables: tuple[str, ...]  # of the target `env`, in this order
    registry: tuple[str, ...]  # keys that clio stores, in this order, if it does
    described: str  # how a user signs in
    sign_in: "Callable[[Site, Mapping[str, str], float], SigningIn]"
    by_identity_service: bool = False  # a target names where tokens come from

    def credentials(self, **texts: str) -> "Credentials":
        return Credentials(kind=self, texts=tuple(texts[key] for key in self.keys))


class Credentials(Discreet, frozen=True, kw_only=True):
    """Who signs in. `texts` are the values of the kind's `keys`; all are secret."""

    NOT_SHOWN: ClassVar = frozenset({"texts"})

    kind: AuthKind
    texts: tuple[str, ...]

    @property
    def by_key(self) -> dict[str, str]:
        return dict(zip(self.kind.keys, self.texts, strict=True))

    @property
    def account(self) -> str:
        return self.texts[0]


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
