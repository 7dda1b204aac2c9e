"""OAuth 2.0 client credentials (SERVICE.md section 5), as the identity service beside a site gives tokens.

Tokens are asked for at the site itself, as real clients do where there is no other address [C]; a real application
would answer there with its login page [M]. A token acts as Supervisor, lives an hour, and cannot be renewed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import Response

from runner.sandbox.replies import not_signed_in, plain_json
from runner.sandbox.sign_in import SUPERVISOR, User
from runner.values import JsonObject

CLIENT_ID = "sandbox"
CLIENT_SECRET = "sandbox"  # noqa: S105  no secret: the sandbox's documented client
_LIFETIME = 3600
_SCHEME = "bearer "


@dataclass(frozen=True, slots=True, kw_only=True)
class _Token:
    user: User
    ends: float


class Tokens:
    """`clock` gives seconds, from any start."""

    def __init__(self, new_token: Callable[[], str], *, clock: Callable[[], float]) -> None:
        self._new_token = new_token
        self._clock = clock
        self._tokens: dict[str, _Token] = {}

    def give(self, body: bytes) -> Response:
        """Answer `connect/token`; a refusal is 400 with the words of the standard."""
        form = parse_qs(body.decode("utf-8", "replace"))
        if form.get("client_id") != [CLIENT_ID] or form.get("client_secret") != [CLIENT_SECRET]:
            return plain_json({"error": "invalid_client"}, status=400)
        if form.get("grant_type") != ["client_credentials"]:
            return plain_json({"error": "unsupported_grant_type"}, status=400)
        token = self._new_token()
        self._tokens[token] = _Token(user=SUPERVISOR, ends=self._clock() + _LIFETIME)
        given: JsonObject = {"access_token": token, "expires_in": _LIFETIME, "token_type": "Bearer"}
        return plain_json({**given, "scope": "ApplicationAccess"})

    def user_of(self, request: Request) -> User | Response | None:
        """Whose token the call carries, or the refusal of one that is unknown or over; None where it carries none.

        Such a call needs no cookie and no BPMCSRF [C].
        """
        said = request.headers.get("authorization", "")
        if said[: len(_SCHEME)].lower() != _SCHEME:
            return None
        token = self._tokens.get(said[len(_SCHEME) :].strip())
        if token is None or token.ends <= self._clock():
            return not_signed_in({"WWW-Authenticate": 'Bearer error="invalid_token"'})
        return token.user
