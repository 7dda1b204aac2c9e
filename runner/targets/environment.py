"""The target `env`: one site, told by variables of the environment alone.

The record holds templates that name the variables, so that no secret is in it; they are worked out when a run begins,
as those of a targets file are. Whether the variables are there and go together is looked at here.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from runner.foundation.problems import Finding, Problem
from runner.foundation.suggestions import did_you_mean
from runner.targets.model import ClientCredentials, Password, Runtime, SiteTarget
from runner.targets.urls import identity_in_the_cloud, identity_mistake, url_mistake

NAME: Final = "env"
URL: Final = "CREATIO_URL"
RUNTIME: Final = "CREATIO_RUNTIME"
USER: Final = ("CREATIO_USERNAME", "CREATIO_PASSWORD")
CLIENT: Final = ("CREATIO_CLIENT_ID", "CREATIO_CLIENT_SECRET")
IDENTITY_URL: Final = "CREATIO_IDENTITY_URL"


def from_environment(environment: Mapping[str, str]) -> SiteTarget | tuple[Problem, ...]:
    """The site that the environment describes, or all that is wrong with it. An empty variable is as good as none."""
    given = {name: value for name, value in environment.items() if value}
    problems = tuple(_problems(given))
    return problems or SiteTarget(
        name=NAME,
        url=_template(URL),
        runtime=Runtime(given.get(RUNTIME, Runtime.NET_FRAMEWORK)),
        auth=_auth(given),
        identity_url=_template(IDENTITY_URL) if IDENTITY_URL in given else None,
    )


def _auth(given: Mapping[str, str]) -> Password | ClientCredentials:
    if CLIENT[0] in given:
        return ClientCredentials(client_id=_template(CLIENT[0]), client_secret=_template(CLIENT[1]))
    return Password(username=_template(USER[0]), password=_template(USER[1]))


def _template(variable: str) -> str:
    return f"{{{{ env.{variable} }}}}"


def _problems(given: Mapping[str, str]) -> Iterator[Problem]:
    if URL not in given:
        yield _missing(URL, hint="set it to the address of the site, `https://example.com`")
    elif (wrong := url_mistake(given[URL])) is not None:
        yield _address(URL, wrong)
    yield from _runtime(given)
    yield from _credentials(given)
    if IDENTITY_URL in given and (wrong := identity_mistake(given[IDENTITY_URL])) is not None:
        yield _address(IDENTITY_URL, wrong)
    elif _lacks_identity(given):
        hint = "set it to the address of the identity service; only for `*.creatio.com` it is known"
        yield _missing(IDENTITY_URL, hint=hint)


def _runtime(given: Mapping[str, str]) -> Iterator[Problem]:
    runtime = given.get(RUNTIME)
    known = [str(word) for word in Runtime]
    if runtime is not None and runtime not in known:
        hint = did_you_mean(runtime, known)
        yield _problem("E107", f"`{RUNTIME}` is neither `net-framework` nor `net`", hint)


def _credentials(given: Mapping[str, str]) -> Iterator[Problem]:
    user, client = ([name for name in names if name in given] for names in (USER, CLIENT))
    if user and client:
        message = (
            f"`{user[0]}` and `{client[0]}` do not go together: a target signs in as a user, or as an OAuth client"
        )
        yield _problem("E107", message, "unset the variables of one of the two")
    elif not user and not client:
        hint = f"set `{USER[0]}` and `{USER[1]}`, or `{CLIENT[0]}` and `{CLIENT[1]}`"
        yield _problem("E142", "no variable tells who signs in", hint)
    else:
        for name in USER if user else CLIENT:
            if name not in given:
                yield _missing(name, hint=f"it belongs to `{(user or client)[0]}`")


def _lacks_identity(given: Mapping[str, str]) -> bool:
    url = given.get(URL, "")
    is_client = CLIENT[0] in given and USER[0] not in given and IDENTITY_URL not in given
    return is_client and url_mistake(url) is None and identity_in_the_cloud(url) is None


def _missing(variable: str, *, hint: str) -> Problem:
    return _problem("E142", f"the environment variable `{variable}` is not set", hint)


def _address(variable: str, wrong: Finding) -> Problem:
    return _problem(wrong.code, f"`{variable}`: {wrong.message}", wrong.hint)


def _problem(code: str, message: str, hint: str | None) -> Problem:
    return Problem(code=code, message=f"target `{NAME}`: {message}", hint=hint)
