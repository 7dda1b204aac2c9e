"""Signing in by password or as an OAuth 2.0 client, and the check of every call (`service/README.md`).

Real clients depend on the order of cookies and the texts of a refusal [C]. Sessions do not end; of cookies only
`.ASPXAUTH` counts. The site itself gives tokens, as real clients ask without another address [C]; a real application
answers there with its login page [M]. A token acts as Supervisor for an hour.
"""

from base64 import b64decode
from collections.abc import Callable
from urllib.parse import parse_qs, unquote_plus

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from runner.foundation.values import JsonObject
from runner.sandbox.replies import not_signed_in, nothing, plain_json, record_in

CLIENT_ID = "sandbox"
CLIENT_SECRET = "sandbox"  # noqa: S105  no secret: the sandbox's documented client
_LIFETIME = 3600
_SCHEME = "bearer "


class User(Struct, frozen=True, kw_only=True):
    name: str
    password: str
    id: str
    contact_id: str
    culture: str = "en-US"


SUPERVISOR = User(
    name="Supervisor",
    password="Supervisor",  # noqa: S106  no secret: the sandbox's documented user
    id="7f3b869f-34f3-4f20-ab4d-7480a5fdf647",
    contact_id="410006e1-ca4e-4502-a9ec-e54d922d2c00",
)

USERS = (SUPERVISOR,)


class _Session(Struct, frozen=True, kw_only=True):
    user: User
    csrf: str


class Sessions:
    """Who is signed in. `new_token` gives texts without `=`, as a client splits cookies there [C]."""

    def __init__(self, new_token: Callable[[], str]) -> None:
        self._new_token = new_token
        self._users = {user.name: user for user in USERS}
        self._sessions: dict[str, _Session] = {}

    def sign_in(self, body: bytes) -> Response:
        """Answer `AuthService.svc/Login`: 200 also for a refusal [D]. Keys besides the two are ignored [C]."""
        user = self._known(body)
        if user is None:
            message = "Wrong user name or password"
            return plain_json(_verdict(1, message, {"Message": message}))
        session = _Session(user=user, csrf=self._new_token())
        key = self._new_token()
        self._sessions[key] = session
        response = plain_json(_verdict(0, "", None))
        for cookie in (
            f"BPMLOADER={self._new_token()}; path=/",
            f".ASPXAUTH={key}; path=/; HttpOnly",
            f"BPMCSRF={session.csrf}; path=/",
            f"UserName={user.name}; path=/",
        ):
            response.raw_headers.append((b"set-cookie", cookie.encode("latin-1")))
        return response

    def user_of(self, request: Request) -> User | Response:
        """Whose session it is, or the refusal to send: 401 without a session, 403 without its BPMCSRF [D]."""
        session = self._sessions.get(request.cookies.get(".ASPXAUTH", ""))
        if session is None:
            return not_signed_in()
        if request.headers.get("BPMCSRF") != session.csrf:
            return Response(_FORBIDDEN, status_code=403, media_type="text/html")
        return session.user

    def sign_out(self, request: Request) -> Response:
        self._sessions.pop(request.cookies.get(".ASPXAUTH", ""), None)
        return nothing(200)

    def _known(self, body: bytes) -> User | None:
        sent = record_in(body)
        user = self._users.get(str(sent.get("UserName")))
        return user if user is not None and sent.get("UserPassword") == user.password else None


_FORBIDDEN = "<html><head><title>Forbidden</title></head><body></body></html>"


def _verdict(code: int, message: str, exception: JsonObject | None) -> JsonObject:
    """In this order and without blanks: the vendor's client searches for the text `"Code":1` [C]."""
    return {
        "Code": code,
        "Message": message,
        "Exception": exception,
        "PasswordChangeUrl": None,
        "RedirectUrl": None,
    }


class _Token(Struct, frozen=True, kw_only=True):
    user: User
    ends: float


class Tokens:
    """`clock` gives seconds, from any start."""

    def __init__(self, new_token: Callable[[], str], *, clock: Callable[[], float]) -> None:
        self._new_token = new_token
        self._clock = clock
        self._tokens: dict[str, _Token] = {}

    def give(self, body: bytes, *, authorization: str = "") -> Response:
        """Answer `connect/token`, with the client in the form or `Authorization: Basic`; refusals are of RFC 6749."""
        form = parse_qs(body.decode("utf-8", "replace"))
        in_form = form.get("client_id") == [CLIENT_ID] and form.get("client_secret") == [CLIENT_SECRET]
        scheme, _, credentials = authorization.partition(" ")
        basic = scheme.lower() == "basic"
        if not in_form and not (basic and _client_in(credentials) == (CLIENT_ID, CLIENT_SECRET)):
            headers = {"WWW-Authenticate": 'Basic realm="sandbox"'} if basic else None
            return plain_json({"error": "invalid_client"}, status=401 if basic else 400, headers=headers)
        if form.get("grant_type") != ["client_credentials"]:
            return plain_json({"error": "unsupported_grant_type"}, status=400)
        token = self._new_token()
        self._tokens[token] = _Token(user=SUPERVISOR, ends=self._clock() + _LIFETIME)
        given: JsonObject = {"access_token": token, "expires_in": _LIFETIME, "token_type": "Bearer"}
        return plain_json({**given, "scope": "ApplicationAccess"})

    def user_of(self, request: Request) -> User | Response | None:
        """Whose token the call carries, if any, or a refusal. Such a call needs no cookie and no BPMCSRF [C]."""
        header = request.headers.get("authorization", "")
        if header[: len(_SCHEME)].lower() != _SCHEME:
            return None
        token = self._tokens.get(header[len(_SCHEME) :].strip())
        if token is None or token.ends <= self._clock():
            return not_signed_in({"WWW-Authenticate": 'Bearer error="invalid_token"'})
        return token.user


def _client_in(credentials: str) -> tuple[str, str] | None:
    """Id and secret, each encoded as in a form before base64 (RFC 6749, 2.3.1)."""
    try:
        name, colon, secret = b64decode(credentials.strip(), validate=True).decode().partition(":")
    except ValueError:
        return None
    return (unquote_plus(name), unquote_plus(secret)) if colon else None
