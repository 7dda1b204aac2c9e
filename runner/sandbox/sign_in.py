"""Signing in with name and password, and the check of every call's session (`service/README.md`, Sign-in).

The order of the cookies, the texts of a refusal and what it lacks are what real clients lean on [C]. Sessions live in
memory and do not end by themselves; what a cookie besides `.ASPXAUTH` holds does not matter.
"""

from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from runner.foundation.values import JsonObject
from runner.sandbox.replies import not_signed_in, plain_json, record_in


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Session:
    user: User
    csrf: str


class Sessions:
    """Who is signed in. `new_token` gives texts without `=`, as one client splits cookies there [C]."""

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
        """Whose session the call belongs to, or the refusal to send: 401 without one, 403 without its BPMCSRF [D]."""
        session = self._sessions.get(request.cookies.get(".ASPXAUTH", ""))
        if session is None:
            return not_signed_in()
        if request.headers.get("BPMCSRF") != session.csrf:
            return Response(_FORBIDDEN, status_code=403, media_type="text/html")
        return session.user

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
