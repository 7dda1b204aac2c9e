import json
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from runner.foundation.problems import Problem
from runner.foundation.values import Json
from runner.service.auth import CLIENT_CREDENTIALS, PASSWORD
from runner.service.site import Runtime
from runner.targets import clio
from runner.targets.model import SiteTarget
from runner.targets.resolve import resolve

HOME = {"HOME": "/home/ann"}
REGISTRY = str(Path("/home/ann/creatio/clio/appsettings.json"))
DEV: dict[str, Json] = {
    "Uri": "https://dev.example/",
    "Login": "Supervisor",
    "Password": "hunter2{{ env.X }}",
    "IsNetCore": False,
}
CLOUD: dict[str, Json] = {
    "Uri": "https://acme.creatio.com",
    "ClientId": "id",
    "ClientSecret": "hunter2",
    "isNetCore": "True",
}


def found(name: str, content: Json, *, environment: dict[str, str] = HOME) -> SiteTarget | tuple[Problem, ...]:
    text = content if isinstance(content, str) else json.dumps(content)
    result = clio.find(name, environment=environment, read_file=lambda path: {REGISTRY: text}[path])
    assert "hunter2" not in repr(result)
    return result


def ready(name: str, content: Json) -> SiteTarget:
    target = found(name, content)
    assert isinstance(target, SiteTarget), target
    resolved = resolve(target, environment={}, read_file=lambda path: path)
    assert isinstance(resolved, SiteTarget), resolved
    return resolved


def problem(name: str, content: Json) -> Problem:
    problems = found(name, content)
    assert isinstance(problems, tuple), problems
    (only,) = problems
    return only


def test_a_password_that_cannot_be_sent_is_a_mistake() -> None:
    wrong = problem("dev", {"Environments": {"dev": {**DEV, "Password": "hunter2\ud83d"}}})
    assert wrong.message == "environment `dev`, `Password`: it has half of a surrogate pair, which cannot be sent"


def test_an_environment_of_clio_becomes_a_site_and_its_password_is_no_template() -> None:
    site = ready("dev", {"Environments": {"dev": DEV}})

    assert (site.name, site.url, site.runtime) == ("clio:dev", "https://dev.example", Runtime.NET_FRAMEWORK)
    assert site.auth == PASSWORD.credentials(username="Supervisor", password="hunter2{{ env.X }}")
    assert not site.protected


def test_an_oauth_client_comes_before_a_name_and_a_password_beside_it() -> None:
    cloud = {**CLOUD, "Login": "Supervisor", "Password": "hunter2", "Safe": True}
    site = ready("prod", {"Environments": {"prod": cloud}})

    assert site.auth == CLIENT_CREDENTIALS.credentials(client_id="id", client_secret="hunter2")
    assert (site.runtime, site.identity_url) == (Runtime.NET, "https://acme-is.creatio.com")
    assert site.protected


def test_a_kind_of_auth_that_clio_does_not_store_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clio, "KINDS", (PASSWORD, replace(CLIENT_CREDENTIALS, registry=())))
    auth = ready("dev", {"Environments": {"dev": DEV}}).auth
    assert auth is not None
    assert auth.kind == PASSWORD


@pytest.mark.parametrize("identity", ["https://id.example", "https://own.example/0"])
def test_the_address_that_tokens_are_asked_for_at_is_that_of_the_identity_service(identity: str) -> None:
    own = {**CLOUD, "Uri": "https://own.example", "AuthAppUri": f"{identity}/connect/token"}

    assert ready("own", {"Environments": {"own": own}}).identity_url == identity


@pytest.mark.parametrize("spelled", [str.upper, str.lower, str.swapcase, "_".join])
def test_keys_are_read_in_all_spellings(spelled: Callable[[str], str]) -> None:
    fields = {spelled(key): value for key, value in {**DEV, "IsNetCore": True, "Safe": "true"}.items()}
    site = ready("dev", {spelled("Environments"): {"dev": fields}})

    assert (site.runtime, site.protected) == (Runtime.NET, True)


def test_a_byte_order_mark_is_fine() -> None:
    assert ready("dev", "\ufeff" + json.dumps({"Environments": {"dev": DEV}})).url == "https://dev.example"


def test_a_name_in_another_case_is_found_where_it_is_the_only_one() -> None:
    registry: Json = {"Environments": {"Dev": DEV}}
    assert ready("dev", registry).name == "clio:Dev"
    assert problem("DEV", {"Environments": {"Dev": DEV, "dev": DEV}}).code == "E141"


def test_an_unknown_name_is_reported_with_the_nearest_and_with_all() -> None:
    unknown = problem("prdo", {"Environments": {"dev": DEV, "prod": CLOUD}})

    assert (unknown.code, unknown.message) == ("E141", "unknown target `clio:prdo`")
    assert unknown.hint == "did you mean `clio:prod`? clio knows `dev`, `prod`"
    assert problem("", {"Environments": {"dev": DEV}}).hint == "clio knows `dev`"


@pytest.mark.parametrize(
    ("environment", "path"),
    [
        ({"CLIO_HOME": "/clio", "LOCALAPPDATA": "/local", "HOME": "/home"}, "/clio/appsettings.json"),
        ({"LOCALAPPDATA": "/local", "HOME": "/home"}, "/local/creatio/clio/appsettings.json"),
        ({"CLIO_HOME": "", "HOME": "/home"}, "/home/creatio/clio/appsettings.json"),
    ],
)
def test_the_registry_lies_where_clio_keeps_it(environment: dict[str, str], path: str) -> None:
    asked = []

    def read(name: str) -> str:
        asked.append(name)
        raise FileNotFoundError(2, "No such file or directory")

    problems = clio.find("dev", environment=environment, read_file=read)

    assert asked == [str(Path(path))]
    assert isinstance(problems, tuple)
    assert problems[0].message == f"clio's registry `{Path(path)}` cannot be read: No such file or directory"


def test_without_a_home_nobody_knows_where_clio_is() -> None:
    problems = clio.find("dev", environment={}, read_file=lambda path: path)

    assert isinstance(problems, tuple)
    assert problems[0].message == "it is not known where clio keeps its registry"


def test_broken_json_is_reported_with_its_place_and_not_with_its_line() -> None:
    broken = problem("dev", '{"Environments": {\n  "dev": {"Password": "hunter2" "Uri": 1}}}')

    assert broken.message == "clio's registry is no JSON: Expecting ',' delimiter"
    assert broken.file == REGISTRY
    assert broken.span is not None
    assert (broken.span.line, broken.span.column, broken.excerpt) == (2, 33, None)


def test_a_registry_that_is_not_utf_8_is_reported() -> None:
    def read(_: str) -> str:
        raise UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid")

    problems = clio.find("dev", environment=HOME, read_file=read)

    assert isinstance(problems, tuple)
    assert problems[0].message == "clio's registry is not UTF-8"


@pytest.mark.parametrize("content", ["[]", "{}", "1", '{"Environments": []}', '{"Environments": {}}', "[" * 100_000])
def test_a_registry_of_another_shape_knows_nothing(content: str) -> None:
    assert problem("dev", content).code == "E142"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"Uri": None}, "E142 environment `dev`, `Uri`: it is not there"),
        ({"Uri": "http://dev.example"}, "E143 environment `dev`, `Uri`: `dev.example` would be called without TLS"),
        ({"Uri": "https://dev.example/0"}, "E107 environment `dev`, `Uri`: the URL of a site ends before `/0`"),
        ({"Login": ""}, "E142 environment `dev`, `Login`: it is not there"),
        ({"Password": None}, "E142 environment `dev`, `Password`: it is not there"),
        ({"Password": 12345}, "E142 environment `dev`, `Password`: it is no text"),
        ({"IsNetCore": "maybe"}, "E142 environment `dev`, `IsNetCore`: it is neither true nor false"),
        ({"Safe": 1}, "E142 environment `dev`, `Safe`: it is neither true nor false"),
        ({"ClientId": "id"}, "E142 environment `dev`, `ClientSecret`: it is not there"),
        (
            {"ClientId": "id", "ClientSecret": "s"},
            "E142 environment `dev`, `AuthAppUri`: it is not there, and only for `*.creatio.com` the identity",
        ),
    ],
)
def test_what_an_environment_lacks_is_named_by_clios_own_key(changes: dict[str, Json], said: str) -> None:
    reported = problem("dev", {"Environments": {"dev": {**DEV, **changes}}})

    assert f"{reported.code} {reported.message}".startswith(said)


def test_an_environment_that_is_no_record_is_reported() -> None:
    assert problem("dev", {"Environments": {"dev": "x"}}).message == "environment `dev` is no record"
