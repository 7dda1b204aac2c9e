"""Calls as commands of curl: the method, address and body that the run sent, a variable for each secret, and a sign-in.

Addresses are as they were sent: curl would write a blank as `+`, which means another character to the service.
"""

from collections.abc import Iterable
from typing import Final
from urllib.parse import quote

from msgspec import Struct, UnsetType

from runner.foundation.values import Json, JsonObject, compact, well_formed
from runner.reports.shell import FUNCTIONS, JSON, URL, Variables, comment, quoted
from runner.runs.events import TargetName
from runner.runs.evidence import SentRequest, SiteAccess
from runner.secrets.holes import MARK, Hole, taken_apart

ACCEPT: Final = "application/json, application/xml;q=0.9, */*;q=0.8"
_AS_IN_A_PATH: Final = "%/?&=(),'$:@!*;+-._~"
_NUMBER: Final = "number"
_NEXT: Final = " \\\n  "
_SANDBOX: Final = comment("the sandbox of a run ends with it: runner sandbox FOLDER serves it, at an address for SITE")
_USER: Final = ("CREATIO_USERNAME", "CREATIO_PASSWORD")
_CLIENT: Final = ("CREATIO_CLIENT_ID", "CREATIO_CLIENT_SECRET")
_BEGIN: Final = '[ -z "${ZSH_VERSION:-}" ] || setopt interactivecomments\n(\n'
"""All is a subshell: it ends where something is missing, and the terminal into which it was pasted stays open."""
_STOP: Final = "{ echo 'the sign-in failed: nothing else was sent' >&2; exit 1; }"


class RunCurl(Struct, frozen=True, kw_only=True):
    """What the calls of a run share: `setup` and `sign_in` come first, `begin` and `end` enclose each command."""

    setup: str
    sign_in: str
    begin: str
    end: str = ")\n"


class CallCurl(Struct, frozen=True, kw_only=True):
    """What a call has alone: the variables that it `needs`, lines `before` its command, and the `rest`."""

    needs: tuple[str, ...]
    before: tuple[str, ...]
    rest: str


def run_curl(target: TargetName, access: SiteAccess) -> RunCurl:
    """What the commands of all calls of a run share. Secrets are variables of the shell."""
    variables = Variables()
    site = [_SANDBOX] if target.sandbox else []
    site += [f"SITE={variables.word(target.url)}"]
    needs, sign_in, headers = _sign_in(target, access, variables)
    headers += [f"-H {quoted(f'Accept: {ACCEPT}')}"]
    headers += [f"-H {quoted(f'{name}: ')}{variables.joined([Hole(f'header.{name}')])}" for name in access.headers]
    setup = f"{_BEGIN}{checked((*needs, *variables.names))}{_lines(site)}"
    return RunCurl(setup=setup, sign_in=_lines(sign_in), begin=f"curl -sS -g {_NEXT.join(headers)}")


def checked(names: tuple[str, ...]) -> str:
    """Lines that name the variables, and end all where a variable is missing: a few failed sign-ins lock an account."""
    if not names:
        return ""
    check = " ".join(f'"${{{name}:?}}"' for name in names)
    return _lines([comment(f"set before: {', '.join(names)}"), f": {check} || exit 1"])


def _lines(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def call_curl(request: SentRequest, call: JsonObject, *, effect: str) -> CallCurl:
    """`call` is the record of the call: it says what would happen again."""
    variables = Variables()
    arguments = _arguments(request, variables)
    started = call.get("process")
    again = f"this starts the process {started} again" if started else "this does again what must happen only once"
    careful = (comment(f"CAREFUL: {again}"),) if effect == "once" else ()
    lines = (*variables.lines, *careful)
    return CallCurl(needs=variables.names, before=lines, rest="".join(f"{_NEXT}{argument}" for argument in arguments))


def script(run: RunCurl, calls: Iterable[tuple[str, CallCurl | None]]) -> str:
    """All these calls, in turn, each after a comment on it; None for a call that cannot be written."""
    calls = [*calls]
    needs = dict.fromkeys(name for _, call in calls if call is not None for name in call.needs)
    text = f"{run.setup}{checked(tuple(needs))}{run.sign_in}"
    written: dict[str, None] = dict.fromkeys(text.splitlines())
    for about, call in calls:
        lines = [] if call is None else [line for line in call.before if line[0] == "#" or line not in written]
        written.update(dict.fromkeys(lines))
        command = [] if call is None else [f"{run.begin}{call.rest}", "echo"]
        text += "\n" + "".join(f"{line}\n" for line in (comment(about), *lines, *command))
    return f"{text}{run.end}"


def _sign_in(
    target: TargetName, access: SiteAccess, variables: Variables
) -> tuple[tuple[str, ...], list[str], list[str]]:
    """The variables of an account, lines that sign in, and the headers that a call has of it."""
    if access.auth is None:
        return (), [], ["-H 'ForceUseSession: true'"]
    if access.auth == "client_credentials":
        return _CLIENT, _token_lines(access, variables), ['-H "Authorization: Bearer ${TOKEN:?}"']
    if access.auth != "password":
        return (), [comment(f"add to each call how to sign in with `{access.auth}`")], []
    user = ["CREATIO_USERNAME=Supervisor CREATIO_PASSWORD=Supervisor"] if target.sandbox else []
    record = (
        r""""{\"UserName\":\"$(json "$CREATIO_USERNAME")\","""
        r'''\"UserPassword\":\"$(json "$CREATIO_PASSWORD")\",\"TimeZoneOffset\":0}"'''
    )
    lines = [
        *user,
        FUNCTIONS[JSON],
        "COOKIES=$(mktemp)",
        """trap 'rm -f "$COOKIES"' EXIT""",
        """LOGIN=$(curl -sS -g -c "$COOKIES" -H 'ForceUseSession: true' \\""",
        f"  -H 'Content-Type: application/json' --data-raw {record} \\",
        '  "$SITE"/ServiceModel/AuthService.svc/Login)',
        """printf '%s\\n' "$LOGIN" >&2""",
        f"""printf %s "$LOGIN" | grep -Eq '"Code" *: *0 *[,}}]' || {_STOP}""",
        """BPMCSRF=$(awk '$6 == "BPMCSRF" { print $7 }' "$COOKIES")""",
    ]
    headers = ["""-b "$COOKIES" -H "BPMCSRF: $BPMCSRF" -H 'ForceUseSession: true'"""]
    return () if target.sandbox else _USER, lines, headers


def _token_lines(access: SiteAccess, variables: Variables) -> list[str]:
    return [
        f"IDENTITY={variables.word(access.identity_url or '')}",
        "TOKEN=$(curl -sS -g -d grant_type=client_credentials \\",
        '  --data-urlencode "client_id=$CREATIO_CLIENT_ID" --data-urlencode "client_secret=$CREATIO_CLIENT_SECRET" \\',
        """  "$IDENTITY"/connect/token | sed -n 's/.*"access_token" *: *"\\([^"]*\\)".*/\\1/p')""",
        f'[ -n "$TOKEN" ] || {_STOP}',
    ]


def _arguments(request: SentRequest, variables: Variables) -> list[str]:
    arguments = [f'"$SITE"{_address(request, variables)}']
    usual = "GET"
    if request.body is None:
        usual = "POST"
        arguments.append("-H 'Content-Type:' --data-raw ''")
    elif not isinstance(request.body, UnsetType):
        usual = "POST"
        body = variables.joined(_body(request.body), through=JSON)
        arguments.append(f"-H 'Content-Type: application/json' --data-raw {body}")
    if request.method != usual:
        arguments.insert(1, f"-X {request.method if request.method.isalpha() else quoted(request.method)}")
    return arguments


def _address(request: SentRequest, variables: Variables) -> str:
    """Path and query, encoded as they were sent. Where a path has a hole, its texts may be decoded."""
    parts = list(taken_apart(request.path))
    if MARK in request.path:
        parts = [quote(part, safe=_AS_IN_A_PATH) if isinstance(part, str) else part for part in parts]
    for number, (name, value) in enumerate(request.query or ()):
        parts += ["&" if number else "?", *taken_apart(name), "="]
        parts += [quote(part, safe="") if isinstance(part, str) else part for part in taken_apart(value)]
    return variables.joined(_merged(parts), through=URL)


def _merged(parts: Iterable[str | Hole]) -> list[str | Hole]:
    merged: list[str | Hole] = []
    for part in parts:
        if isinstance(part, str) and merged and isinstance(merged[-1], str):
            merged[-1] += part
        else:
            merged.append(part)
    return merged


def _body(body: Json) -> list[str | Hole]:
    """The text of a body. A secret that was a number as a whole has no quotes."""
    parts = _merged(taken_apart(well_formed(compact(body))))
    for place, part in enumerate(parts):
        if isinstance(part, Hole) and part.spelling == _NUMBER:
            before, after = parts[place - 1], parts[place + 1]
            assert isinstance(before, str)
            assert isinstance(after, str)
            parts[place - 1], parts[place + 1] = before[:-1], after[1:]
    return parts
