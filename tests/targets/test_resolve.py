import pytest

from runner.service.auth import CLIENT_CREDENTIALS, PASSWORD
from runner.targets import resolve
from runner.targets.model import SiteTarget


def site(**changes: str) -> SiteTarget:
    auth = PASSWORD.credentials(username="{{ env.WHO }}", password="{{ file('/run/secret') }}")
    return SiteTarget(name="staging", url=changes.get("url", "https://{{ env.HOST }}/"), auth=auth)


def ready(target: SiteTarget, environment: dict[str, str], files: dict[str, str | OSError]) -> SiteTarget:
    resolved = resolve.resolve(target, environment=environment, read_file=reader(files))
    assert isinstance(resolved, SiteTarget), resolved
    return resolved


def unready(target: SiteTarget, environment: dict[str, str], files: dict[str, str | OSError]) -> list[str]:
    resolved = resolve.resolve(target, environment=environment, read_file=reader(files))
    assert isinstance(resolved, tuple), resolved
    return [f"{problem.code} {problem.message}" for problem in resolved]


class Reader:
    def __init__(self, files: dict[str, str | OSError]) -> None:
        self.files = files

    def __call__(self, path: str) -> str:
        content = self.files.get(path, FileNotFoundError(2, "No such file or directory"))
        if isinstance(content, OSError):
            raise content
        return content


reader = Reader


def test_what_a_pipeline_left_of_a_variable_that_it_does_not_know_is_no_credential() -> None:
    environment = {"HOST": "example.com", "WHO": "$(CREATIO_USERNAME)"}
    (problem,) = unready(site(), environment, {"/run/secret": "abcdefgh"})
    assert problem == (
        "E142 target `staging`, `auth.username`: the environment variable `WHO` has no value of its own: "
        "Azure Pipelines leaves `$(NAME)` where it knows no variable NAME"
    )


def test_a_variable_that_holds_the_name_of_another_is_no_credential() -> None:
    environment = {"HOST": "example.com", "WHO": "${CREATIO_USERNAME}"}
    (problem,) = unready(site(), environment, {"/run/secret": "abcdefgh"})
    assert problem == (
        "E142 target `staging`, `auth.username`: the environment variable `WHO` holds `${…}`, "
        "the name of a variable, and not its value"
    )


def test_a_variable_with_a_name_of_one_sign_is_no_near_miss() -> None:
    resolved = resolve.resolve(
        site(url="https://{{ env.U }}"), environment={"_": "x", "WHO": "a"}, read_file=reader({})
    )
    assert isinstance(resolved, tuple)
    assert resolved[0].hint == "set it, or choose another target with `-t`"


def test_a_site_is_made_ready_from_the_environment_and_from_files() -> None:
    environment = {"HOST": "example.com", "WHO": "Supervisor", "OTHER": "x"}

    resolved = ready(site(), environment, {"/run/secret": "s3cret\r\n"})

    assert resolved.url == "https://example.com"
    assert resolved.auth == PASSWORD.credentials(username="Supervisor", password="s3cret")


def test_only_the_last_line_end_of_a_secret_file_is_cut() -> None:
    assert ready(site(), {"HOST": "a", "WHO": "b"}, {"/run/secret": " a\n\n"}).auth == PASSWORD.credentials(
        username="b", password=" a\n"
    )


def test_a_site_without_sign_in_has_no_name_and_no_password() -> None:
    resolved = ready(SiteTarget(name="a", url="https://example.com"), {}, {})

    assert resolved.auth is None


def test_every_variable_that_is_missing_is_named() -> None:
    assert unready(site(), {}, {"/run/secret": "x"}) == [
        "E142 target `staging`, `url`: the environment variable `HOST` is not set",
        "E142 target `staging`, `auth.username`: the environment variable `WHO` is not set",
    ]


def test_a_missing_variable_with_a_default_is_not_missing() -> None:
    assert ready(site(url="https://{{ env.X | default('a.example') }}"), {"WHO": "b"}, {"/run/secret": "x"}).url == (
        "https://a.example"
    )


@pytest.mark.parametrize("error", [FileNotFoundError(2, "No such file"), PermissionError(13, "No such file")])
def test_a_file_that_cannot_be_read_is_named(error: OSError) -> None:
    assert unready(site(), {"HOST": "a", "WHO": "b"}, {"/run/secret": error}) == [
        "E142 target `staging`, `auth.password`: the file `/run/secret` cannot be read: No such file"
    ]


def test_a_path_in_which_a_backslash_began_another_character_is_called_that() -> None:
    auth = PASSWORD.credentials(username="a", password=r"{{ file('C:\temp\pw.txt') }}")
    target = SiteTarget(name="staging", url="https://a.example.com", auth=auth)
    resolved = resolve.resolve(target, environment={}, read_file=reader({}))
    assert isinstance(resolved, tuple)
    assert [problem.hint for problem in resolved] == [r"write `/` for each backslash: `\t` is a tab"]


def test_a_file_that_is_not_utf_8_is_named() -> None:
    def read(_path: str) -> str:
        raise UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid")

    resolved = resolve.resolve(site(url="https://a"), environment={"WHO": "b"}, read_file=read)

    assert isinstance(resolved, tuple)
    assert resolved[0].message.endswith("the file `/run/secret` cannot be read: it is not UTF-8")


def test_an_empty_name_or_password_is_refused() -> None:
    assert unready(site(), {"HOST": "a", "WHO": ""}, {"/run/secret": "\n"}) == [
        "E134 target `staging`, `auth.username`: it is empty",
        "E134 target `staging`, `auth.password`: it is empty",
    ]
    found = resolve.resolve(site(url="{{ env.HOST }}"), environment={"HOST": "", "WHO": "x"}, read_file=lambda _: "x")
    assert isinstance(found, tuple)
    assert [problem.hint for problem in found] == ["set the environment variable `HOST`: it has no value"]


def test_an_address_from_the_environment_is_checked_like_a_written_one() -> None:
    reported = unready(site(url="{{ env.URL }}"), {"URL": "http://example.com", "WHO": "b"}, {"/run/secret": "x"})
    assert reported == ["E143 target `staging`, `url`: `example.com` would be called without TLS"]


def test_every_text_of_a_site_may_be_a_template() -> None:
    target = SiteTarget(
        name="a",
        url="https://a.example/",
        auth=CLIENT_CREDENTIALS.credentials(client_id="{{ env.ID }}", client_secret="{{ env.SECRET }}"),
        identity_url="{{ env.IDENTITY }}",
        ca_file="{{ env.CA }}",
        proxy="http://{{ env.PROXY }}",
        headers=(("X-Key", "Bearer {{ env.KEY }}"),),
    )
    environment = {"ID": "i", "SECRET": "s", "IDENTITY": "https://i.example/connect/token", "CA": "ca.pem"}
    resolved = ready(target, environment | {"PROXY": "u:p@proxy:1", "KEY": "k"}, {})

    assert resolved.auth == CLIENT_CREDENTIALS.credentials(client_id="i", client_secret="s")
    assert (resolved.url, resolved.identity_url) == ("https://a.example", "https://i.example")
    assert (resolved.ca_file, resolved.proxy) == ("ca.pem", "http://u:p@proxy:1")
    assert resolved.headers == (("X-Key", "Bearer k"),)


@pytest.mark.parametrize(
    ("url", "identity"),
    [
        ("https://acme.creatio.com/", "https://acme-is.creatio.com"),
        ("https://ACME-01.Creatio.com", "https://ACME-01-is.creatio.com"),
        ("https://acme.creatio.com:8443", None),
        ("https://a.acme.creatio.com", None),
        ("https://acme.creatio.com.example", None),
        ("https://acmecreatio.com", None),
    ],
)
def test_only_in_the_vendors_cloud_the_identity_service_is_known(url: str, identity: str | None) -> None:
    target = SiteTarget(name="a", url=url, auth=CLIENT_CREDENTIALS.credentials(client_id="i", client_secret="s"))
    if identity is not None:
        assert ready(target, {}, {}).identity_url == identity
    else:
        assert unready(target, {}, {})[0].startswith("E142 target `a`, `auth`: it is not known where the identity")


def test_who_signs_in_with_a_name_has_no_identity_service() -> None:
    auth = PASSWORD.credentials(username="a", password="b")

    assert ready(SiteTarget(name="a", url="https://acme.creatio.com", auth=auth), {}, {}).identity_url is None


def test_what_a_variable_gives_is_checked_like_what_is_written_and_never_shown() -> None:
    target = SiteTarget(
        name="a",
        url="https://a.example",
        auth=CLIENT_CREDENTIALS.credentials(client_id="i", client_secret="{{ env.NOTHING }}"),
        identity_url="{{ env.IDENTITY }}",
        ca_file="{{ env.NOTHING }}",
        proxy="{{ env.PROXY }}",
        headers=(("X-Key", "{{ env.KEY }}"), ("X-None", "{{ env.NOTHING }}")),
    )
    environment = {
        "IDENTITY": "http://hunter2.example",
        "PROXY": "socks5://u:hunter2@proxy",
        "KEY": "hunter2\r\nCookie: x",
        "NOTHING": "",
    }
    reported = unready(target, environment, {})

    assert [line.partition(":")[0] for line in reported] == [
        "E143 target `a`, `identity_url`",
        "E142 target `a`, `ca_file`",
        "E107 target `a`, `proxy`",
        "E134 target `a`, `auth.client_secret`",
        "E107 target `a`, `headers.X-Key`",
        "E134 target `a`, `headers.X-None`",
    ]
    assert "hunter2" not in "".join(reported[1:])


def test_no_message_shows_a_password() -> None:
    target = site(url="https://ann:{{ env.URL }}@example.com")
    assert "hunter2" not in "".join(unready(target, {"URL": "hunter2", "WHO": "b"}, {"/run/secret": "x"}))


def test_a_problem_of_a_site_has_no_place() -> None:
    resolved = resolve.resolve(SiteTarget(name="a", url="{{ env.URL }}"), environment={}, read_file=reader({}))

    assert isinstance(resolved, tuple)
    assert [(problem.file, problem.span) for problem in resolved] == [(None, None)]


@pytest.mark.parametrize("plain_http", [True, False])
def test_a_site_without_tls_is_made_ready_only_where_its_target_allows_it(*, plain_http: bool) -> None:
    target = SiteTarget(name="a", url="{{ env.URL }}", plain_http=plain_http)
    resolved = resolve.resolve(target, environment={"URL": "http://crm.intra"}, read_file=reader({}))
    assert isinstance(resolved, SiteTarget) == plain_http
    assert plain_http or "E143 target `a`, `url`: `crm.intra` would be called without TLS" in str(
        unready(target, {"URL": "http://crm.intra"}, {})
    )


def test_a_variable_that_is_not_set_is_answered_with_the_variable_that_is_and_is_nearly_called_so() -> None:
    target = SiteTarget(name="staging", url="https://{{ env.CREATIO_HSOT }}")
    for given, hint in (("CREATIO_HOST", "did you mean `CREATIO_HOST`? that variable is set"), ("PATH", None)):
        resolved = resolve.resolve(target, environment={given: "example.com"}, read_file=reader({}))
        assert isinstance(resolved, tuple)
        assert resolved[0].hint == (hint or "set it, or choose another target with `-t`")


@pytest.mark.parametrize(("given", "proxy"), [("proxy:3128", "http://proxy:3128"), ("", None), (None, None)])
def test_a_proxy_without_a_scheme_is_called_by_http_and_an_empty_text_is_no_proxy(
    given: str | None, proxy: str | None
) -> None:
    target = SiteTarget(name="a", url="https://a.example", proxy="{{ env.HTTPS_PROXY | default(none) }}")
    environment = {} if given is None else {"HTTPS_PROXY": given}
    assert ready(target, environment, {}).proxy == proxy
