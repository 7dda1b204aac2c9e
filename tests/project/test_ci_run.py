"""The CI job that started a command, by its variables."""

import os
import pwd

import pytest

from runner.project.ci_run import ci_run, person, user_and_host
from runner.runs.evidence import CiRun, Person

GITHUB = {"GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "a/b", "GITHUB_RUN_ID": "7"}
PAGE = "https://github.com/a/b/actions/runs/7"
AZURE = {"SYSTEM_COLLECTIONURI": "https://dev.azure.com/o/", "SYSTEM_TEAMPROJECT": "p", "BUILD_BUILDID": "7"}


@pytest.mark.parametrize(
    ("variables", "page", "ref"),
    [
        ({**GITHUB, "GITHUB_REF_NAME": "main"}, "https://github.com/a/b/actions/runs/7", "main"),
        (
            {**GITHUB, "GITHUB_REF_NAME": "7/merge", "GITHUB_HEAD_REF": "fix"},
            "https://github.com/a/b/actions/runs/7",
            "fix",
        ),
        ({**AZURE, "BUILD_SOURCEBRANCHNAME": "x"}, "https://dev.azure.com/o/p/_build/results?buildId=7", "x"),
        ({"CI_JOB_URL": "https://gitlab/1", "CI_COMMIT_REF_NAME": "y"}, "https://gitlab/1", "y"),
        ({"BUILD_URL": "https://jenkins/1", "BRANCH_NAME": "z"}, "https://jenkins/1", "z"),
        ({"CI": "true"}, None, None),
    ],
)
def test_the_page_and_the_branch_come_from_the_variables_of_each_ci(
    variables: dict[str, str], page: str | None, ref: str | None
) -> None:
    assert ci_run(variables) == CiRun(url=page, ref=ref)


def test_a_branch_alone_is_no_ci() -> None:
    assert ci_run({"GIT_BRANCH": "main", "CI": ""}) is None


@pytest.mark.parametrize(
    ("variable", "value"), [("GITHUB_ACTOR", "octocat"), ("GITLAB_USER_LOGIN", "ada"), ("CIRCLE_USERNAME", "bob")]
)
def test_the_person_is_the_account_of_the_process_and_the_one_that_the_ci_names(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv("USER", "mallory")
    monkeypatch.setenv("LOGNAME", "mallory")
    account = pwd.getpwuid(os.getuid()).pw_name
    assert person({variable: value}) == Person(user=account, ci_user=value)
    assert person({}).ci_user is None


def test_an_account_without_a_name_is_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 2**31)
    assert person({}) == Person(user="2147483648")
    assert user_and_host() == f"2147483648@{os.uname().nodename}"
