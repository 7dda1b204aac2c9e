"""The CI job that runs this command, by the variables that CI systems set: where its page is, and what it builds."""

import os
import sys
from collections.abc import Mapping

from runner.runs.evidence import CiRun, Confirmation, Person, Starter

if sys.platform != "win32":
    import pwd

_AZURE = ("SYSTEM_COLLECTIONURI", "SYSTEM_TEAMPROJECT", "BUILD_BUILDID")
_GITHUB = ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID")
_PAGES = ("CI_JOB_URL", "BUILD_URL", "CIRCLE_BUILD_URL", "BUILDKITE_BUILD_URL")
_REFS = (
    *("GITHUB_HEAD_REF", "GITHUB_REF_NAME", "CI_COMMIT_REF_NAME", "BUILD_SOURCEBRANCHNAME", "CIRCLE_BRANCH"),
    *("BUILDKITE_BRANCH", "BRANCH_NAME", "GIT_BRANCH"),
)

_USERS = ("GITHUB_ACTOR", "GITLAB_USER_LOGIN", "BUILD_REQUESTEDFOR", "CIRCLE_USERNAME", "BUILDKITE_BUILD_CREATOR")


def user() -> str | None:
    """The account of this process, whatever `USER` says; its number where it has no name, as in a container."""
    if sys.platform == "win32":
        return os.environ.get("USERNAME")
    account = os.getuid()
    try:
        return pwd.getpwuid(account).pw_name
    except KeyError:
        return str(account)


def person(environment: Mapping[str, str]) -> Person:
    """Who has given the command: the user of the system, and the person for whom the CI runs it."""
    return Person(user=user(), ci_user=_first(environment, _USERS))


def person_elsewhere(environment: Mapping[str, str]) -> Person:
    """The person for readers on other machines, where that user may be somebody else."""
    return Person(user=user_and_host(), ci_user=_first(environment, _USERS))


def starter(environment: Mapping[str, str], *, confirmed: Confirmation | None) -> Starter:
    """Who begins a run, for whoever reads that on another machine."""
    found = person_elsewhere(environment)
    return Starter(user=found.user or "", ci_user=found.ci_user, confirmed=confirmed)


def user_and_host() -> str:
    """Who gives a command, and on which machine."""
    name, host = user(), getattr(os, "uname", None)
    return "somebody" if name is None or host is None else f"{name}@{host().nodename}"


def ci_run(environment: Mapping[str, str]) -> CiRun | None:
    """None outside of CI. A branch alone is no CI: a shell may have such a variable, too."""
    url = _page(environment)
    if url is None and environment.get("CI", "").lower() not in ("true", "1"):
        return None
    return CiRun(url=url, ref=_first(environment, _REFS))


def _page(environment: Mapping[str, str]) -> str | None:
    if all(environment.get(name) for name in _GITHUB):
        server, repository, run = (environment[name] for name in _GITHUB)
        return f"{server}/{repository}/actions/runs/{run}"
    if all(environment.get(name) for name in _AZURE):
        server, project, build = (environment[name] for name in _AZURE)
        return f"{server.rstrip('/')}/{project}/_build/results?buildId={build}"
    return _first(environment, _PAGES)


def _first(environment: Mapping[str, str], names: tuple[str, ...]) -> str | None:
    return next((environment[name] for name in names if environment.get(name)), None)
