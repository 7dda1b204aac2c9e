import pytest

from runner.foundation.problems import Problem
from runner.service.auth import CLIENT_CREDENTIALS, PASSWORD
from runner.service.site import Runtime
from runner.targets.environment import from_environment
from runner.targets.model import SiteTarget
from runner.targets.resolve import resolve

USER = {
    "CREATIO_URL": "https://a.example/",
    "CREATIO_USERNAME": "Supervisor",
    "CREATIO_PASSWORD": "p{{ env.HOME }}w",
}
CLIENT = {"CREATIO_URL": "https://acme.creatio.com", "CREATIO_CLIENT_ID": "id", "CREATIO_CLIENT_SECRET": "secret"}


def ready(environment: dict[str, str]) -> SiteTarget:
    target = from_environment(environment)
    assert isinstance(target, SiteTarget), target
    resolved = resolve(target, environment=environment, read_file=lambda path: path)
    assert isinstance(resolved, SiteTarget), resolved
    return resolved


def problems(environment: dict[str, str]) -> tuple[Problem, ...]:
    found = from_environment(environment)
    assert isinstance(found, tuple), found
    assert "hunter2" not in repr(found)
    return found


def errors(environment: dict[str, str]) -> list[str]:
    return [f"{problem.code} {problem.message}" for problem in problems(environment)]


def test_a_user_of_the_environment_signs_in_and_a_password_is_no_template() -> None:
    found = ready(USER)

    assert (found.name, found.url, found.runtime) == ("env", "https://a.example", Runtime.NET_FRAMEWORK)
    assert found.auth == PASSWORD.credentials(username="Supervisor", password="p{{ env.HOME }}w")


def test_an_oauth_client_of_the_environment_needs_an_identity_service_only_outside_of_the_cloud() -> None:
    found = ready(CLIENT | {"CREATIO_RUNTIME": "net"})

    assert (found.runtime, found.identity_url) == (Runtime.NET, "https://acme-is.creatio.com")
    assert found.auth == CLIENT_CREDENTIALS.credentials(client_id="id", client_secret="secret")
    elsewhere = CLIENT | {"CREATIO_URL": "https://a.example"}
    assert errors(elsewhere) == ["E142 target `env`: the environment variable `CREATIO_IDENTITY_URL` is not set"]
    assert ready(elsewhere | {"CREATIO_IDENTITY_URL": "https://i.example/"}).identity_url == "https://i.example"


def test_no_secret_is_in_the_record() -> None:
    assert "Supervisor" not in repr(from_environment(USER))


def test_every_variable_that_is_missing_is_named() -> None:
    assert errors({}) == [
        "E142 target `env`: the environment variable `CREATIO_URL` is not set",
        "E142 target `env`: no variable says who signs in",
    ]
    assert errors({"CREATIO_URL": "https://a.example", "CREATIO_PASSWORD": "hunter2"}) == [
        "E142 target `env`: the environment variable `CREATIO_USERNAME` is not set"
    ]
    assert errors({"CREATIO_URL": "https://a.example", "CREATIO_CLIENT_ID": "hunter2", "CREATIO_IDENTITY_URL": ""}) == [
        "E142 target `env`: the environment variable `CREATIO_CLIENT_SECRET` is not set",
        "E142 target `env`: the environment variable `CREATIO_IDENTITY_URL` is not set",
    ]


def test_an_empty_variable_is_none() -> None:
    assert errors(USER | {"CREATIO_PASSWORD": ""}) == [
        "E142 target `env`: the environment variable `CREATIO_PASSWORD` is not set"
    ]
    assert ready(USER | {"CREATIO_RUNTIME": "", "CREATIO_CLIENT_ID": ""}).runtime is Runtime.NET_FRAMEWORK


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"CREATIO_URL": "a.example"}, "E107 target `env`: `CREATIO_URL`: the URL of a site is `https://` and a host"),
        ({"CREATIO_URL": "http://a.example"}, "E143 target `env`: `CREATIO_URL`: `a.example` would be called without"),
        ({"CREATIO_URL": "https://u:hunter2@a.example"}, "E107 target `env`: `CREATIO_URL`: a URL holds no name and"),
        ({"CREATIO_RUNTIME": "netcore"}, "E107 target `env`: `CREATIO_RUNTIME` is neither `net-framework` nor `net`"),
        ({"CREATIO_CLIENT_ID": "hunter2"}, "E107 target `env`: `CREATIO_USERNAME` and `CREATIO_CLIENT_ID` do not go"),
        ({"CREATIO_IDENTITY_URL": "i.example"}, "E107 target `env`: `CREATIO_IDENTITY_URL`: the URL of a site is"),
    ],
)
def test_what_is_wrong_in_a_variable_names_it(changes: dict[str, str], said: str) -> None:
    (only,) = errors(USER | changes)

    assert only.startswith(said)


def test_a_runtime_that_is_nearly_one_is_suggested() -> None:
    assert problems(USER | {"CREATIO_RUNTIME": "netcore"})[0].hint == "did you mean `net`?"
