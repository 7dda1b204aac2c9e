"""The target `env`: a site described by variables. The record holds templates, so no secret; a run evaluates them."""

from collections.abc import Iterator, Mapping
from typing import Final

from runner.foundation.problems import Finding, Problem
from runner.foundation.suggestions import did_you_mean
from runner.service.auth import KINDS, AuthKind
from runner.service.site import Runtime
from runner.targets.model import SiteTarget
from runner.targets.values import identity_in_the_cloud, identity_mistake, url_mistake

NAME: Final = "env"
URL: Final = "CREATIO_URL"
RUNTIME: Final = "CREATIO_RUNTIME"
IDENTITY_URL: Final = "CREATIO_IDENTITY_URL"


def from_environment(environment: Mapping[str, str]) -> SiteTarget | tuple[Problem, ...]:
    """The site that the environment describes, or all that is wrong with it. An empty variable is as good as none."""
    given = {name: value for name, value in environment.items() if value}
    kinds = [kind for kind in KINDS if not given.keys().isdisjoint(kind.variables)]
    problems = tuple(_problems(given, kinds))
    if problems:
        return problems
    kind = kinds[0]
    return SiteTarget(
        name=NAME,
        url=_template(URL),
        runtime=Runtime(given.get(RUNTIME, Runtime.NET_FRAMEWORK)),
        auth=kind.credentials(**dict(zip(kind.keys, map(_template, kind.variables), strict=True))),
        identity_url=_template(IDENTITY_URL) if IDENTITY_URL in given else None,
    )


def _template(variable: str) -> str:
    return f"{{{{ env.{variable} }}}}"


def _problems(given: Mapping[str, str], kinds: list[AuthKind]) -> Iterator[Problem]:
    if URL not in given:
        yield _missing(URL, hint="set it to the address of the site, `https://example.com`")
    elif (wrong := url_mistake(given[URL])) is not None:
        yield _address(URL, wrong)
    runtime, known = given.get(RUNTIME), [str(word) for word in Runtime]
    if runtime is not None and runtime not in known:
        yield _problem("E107", f"`{RUNTIME}` is neither `net-framework` nor `net`", did_you_mean(runtime, known))
    yield from _who_signs_in(given, kinds)
    if IDENTITY_URL in given and (wrong := identity_mistake(given[IDENTITY_URL])) is not None:
        yield _address(IDENTITY_URL, wrong)
    elif _lacks_identity(given, kinds):
        hint = "set it to the address of the identity service; only for `*.creatio.com` it is known"
        yield _missing(IDENTITY_URL, hint=hint)


def _who_signs_in(given: Mapping[str, str], kinds: list[AuthKind]) -> Iterator[Problem]:
    first = [next(name for name in kind.variables if name in given) for kind in kinds]
    if len(kinds) > 1:
        message = f"`{first[0]}` and `{first[1]}` do not go together: a target signs in in one way"
        yield _problem("E107", message, "unset the variables of one of the two")
    elif not kinds:
        ways = ", or ".join(" and ".join(f"`{name}`" for name in kind.variables) for kind in KINDS)
        yield _problem("E142", "no variable says who signs in", f"set {ways}")
    else:
        for name in kinds[0].variables:
            if name not in given:
                yield _missing(name, hint=f"it belongs to `{first[0]}`")


def _lacks_identity(given: Mapping[str, str], kinds: list[AuthKind]) -> bool:
    url = given.get(URL, "")
    needs_it = [kind.by_identity_service for kind in kinds] == [True]
    is_missing = needs_it and kinds[0].variables[0] in given and IDENTITY_URL not in given
    return is_missing and url_mistake(url) is None and identity_in_the_cloud(url) is None


def _missing(variable: str, *, hint: str) -> Problem:
    return _problem("E142", f"the environment variable `{variable}` is not set", hint)


def _address(variable: str, wrong: Finding) -> Problem:
    return _problem(wrong.code, f"`{variable}`: {wrong.message}", wrong.hint)


def _problem(code: str, message: str, hint: str | None) -> Problem:
    return Problem(code=code, message=f"target `{NAME}`: {message}", hint=hint)
