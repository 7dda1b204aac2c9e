"""What the program knows of a way to sign in. Each has a record in the table of `__init__`, and a module here."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, ClassVar

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
