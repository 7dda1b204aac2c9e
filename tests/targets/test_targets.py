from pathlib import Path

import pytest

from runner.documents.document import Document
from runner.documents.load import load
from runner.targets import build as target_build
from runner.targets import resolve
from runner.targets import rules as target_rules
from runner.targets.files import find_targets
from runner.targets.model import ElementCall, ExecuteMethod, Password, Runtime, SandboxTarget, SiteTarget
from runner.targets.urls import url_mistake
from runner.values import pointer


def document(text: str) -> Document:
    loaded = load("targets.yaml", f"runner: 1\ntargets:\n{text}".encode())
    assert isinstance(loaded, Document), loaded
    return loaded


def told(text: str) -> list[str]:
    return [f"{problem.code} {pointer(problem.path)}" for problem in target_rules.check(document(text))]


def site(**changes: str) -> SiteTarget:
    auth = Password(username="{{ env.WHO }}", password="{{ file('/run/secret') }}")
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


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with a `.git`, and a targets file outside of it that nobody may find."""
    (tmp_path / "targets.yaml").touch()
    root = tmp_path / "project"
    (root / ".git").mkdir(parents=True)
    (root / "specs" / "deep").mkdir(parents=True)
    return root


def found(job: Path, environment: dict[str, str] | None = None, explicit: Path | None = None) -> Path | None:
    return find_targets(job, explicit=explicit, environment=environment or {})


def test_the_targets_file_beside_the_job_comes_before_one_above(project: Path) -> None:
    job = project / "specs" / "deep" / "a.job.yaml"

    assert found(job) is None
    (project / "targets.yaml").touch()
    assert found(job) == project / "targets.yaml"
    (project / "specs" / "targets.yaml").touch()
    assert found(job) == project / "specs" / "targets.yaml"
    (project / "specs" / "deep" / "targets.yaml").touch()
    assert found(job) == project / "specs" / "deep" / "targets.yaml"


def test_the_search_ends_at_the_root_of_the_project(project: Path) -> None:
    assert found(project / "a.job.yaml") is None


def test_without_a_project_only_the_own_folder_is_searched(tmp_path: Path) -> None:
    (tmp_path / "targets.yaml").touch()
    (tmp_path / "specs").mkdir()

    assert found(tmp_path / "specs" / "a.job.yaml") is None
    assert found(tmp_path / "a.job.yaml") == tmp_path / "targets.yaml"


def test_a_named_file_comes_before_the_environment_and_that_before_all_others(project: Path) -> None:
    (project / "targets.yaml").touch()
    environment = {"CREATIO_RUNNER_TARGETS": "from-environment.yaml"}

    assert found(project / "a.job.yaml", environment) == Path("from-environment.yaml")
    assert found(project / "a.job.yaml", environment, Path("explicit.yaml")) == Path("explicit.yaml")
    assert found(project / "a.job.yaml", {"CREATIO_RUNNER_TARGETS": ""}) == project / "targets.yaml"


def test_targets_become_records_and_a_sandbox_lies_beside_the_file() -> None:
    built = target_build.targets(
        document("""
  here: {sandbox: doubles}
  plain: {url: https://a.example}
  full:
    url: "https://{{ env.HOST }}"
    runtime: net
    auth: {username: "{{ env.U }}", password: "{{ env.P }}"}
    element_call: query
    execute_method: post
"""),
        beside=Path("specs"),
    )

    assert built == {
        "here": SandboxTarget(name="here", folder=Path("specs/doubles")),
        "plain": SiteTarget(name="plain", url="https://a.example"),
        "full": SiteTarget(
            name="full",
            url="https://{{ env.HOST }}",
            runtime=Runtime.NET,
            auth=Password(username="{{ env.U }}", password="{{ env.P }}"),
            element_call=ElementCall.QUERY,
            execute_method=ExecuteMethod.POST,
        ),
    }


def test_without_a_targets_file_there_is_the_sandbox_beside_the_job() -> None:
    assert target_build.without_file(Path("specs/a.job.yaml")) == {
        "sandbox": SandboxTarget(name="sandbox", folder=Path("specs/sandbox"))
    }


def test_sound_targets_have_no_mistakes() -> None:
    assert (
        told("""
  sandbox: {sandbox: sandbox}
  local: {url: http://localhost:8080/app, proxy: "{{ env.PROXY }}"}
  staging:
    url: https://staging.example.com
    identity_url: https://staging-is.example.com
    ca_file: "{{ env.HOME }}/ca.pem"
    headers: {X-Key: "{{ env.KEY | default('none') }}"}
    auth: {client_id: "{{ env.ID }}", client_secret: "{{ file('/run/secrets/' ~ env.NAME) }}"}
    allow: {processes: ["Usr*"], effects: [read]}
    protected: true
""")
        == []
    )


@pytest.mark.parametrize(
    ("line", "mistake"),
    [
        ("{url: '{{ env }}'}", "E126 /targets/a/url"),
        ("{url: '{{ run.id }}'}", "E126 /targets/a/url"),
        ("{url: '{{ inputs.site }}'}", "E126 /targets/a/url"),
        ("{url: '{{ env.A | upcase }}'}", "E124 /targets/a/url"),
        ("{url: '${{ env.A }}'}", "E123 /targets/a/url"),
        ("{url: 'https://a.example', auth: {username: '{{ env.', password: x}}", "E120 /targets/a/auth/username"),
        ("{url: 'https://a.example', headers: {A: '{{ a }}'}}", "E126 /targets/a/headers/A"),
        ("{url: 'https://a.example', identity_url: 'http://b.example'}", "E143 /targets/a/identity_url"),
        ("{url: 'https://a.example', settle: '{{ env.S }}'}", "E122 /targets/a/settle"),
        ("{url: 'https://a.example', allow: {processes: ['{{ env.S }}']}}", "E122 /targets/a/allow/processes/0"),
        ("{sandbox: '{{ env.S }}'}", "E122 /targets/a/sandbox"),
    ],
)
def test_a_mistake_of_a_target_stands_at_its_value(line: str, mistake: str) -> None:
    assert told(f"  a: {line}") == [mistake]


@pytest.mark.parametrize("text", ["  a: 1", "  a: {url: 1, auth: 2, headers: [3, {a: 4}]}", "  - a", "  ''"])
def test_no_targets_file_is_too_strange(text: str) -> None:
    assert told(text) == []


def test_what_was_reported_of_targets_is_not_said_again() -> None:
    loaded = document("  a: {url: ftp://a.example}")
    reported = (loaded.problem("E107", "no", path=("targets", "a", "url")),)

    assert target_rules.check(loaded, reported=reported) == ()


@pytest.mark.parametrize(
    "url",
    [
        "https://example.creatio.com",
        "https://example.creatio.com/",
        "https://example.com:8443/creatio",
        "HTTPS://example.com",
        "https://пример.рф",
        "http://localhost",
        "http://LOCALHOST:5000",
        "http://127.0.0.1:80",
        "http://127.8.8.8",
        "http://[::1]:80",
        "http://crm.localhost",
    ],
)
def test_a_site_may_be_called_at(url: str) -> None:
    assert url_mistake(url) is None


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://example.com", "E143"),
        ("http://localhost.example.com", "E143"),
        ("http://127.0.0.1.example.com", "E143"),
        ("http://10.0.0.1", "E143"),
        ("ftp://example.com", "E107"),
        ("example.com", "E107"),
        ("localhost:8080", "E107"),
        ("//example.com", "E107"),
        ("https://", "E107"),
        ("https:///path", "E107"),
        ("https://ann@example.com", "E107"),
        ("https://ann:secret@example.com", "E107"),
        ("https://@example.com", "E107"),
        ("https://example.com?a=b", "E107"),
        ("https://example.com#a", "E107"),
        ("https://example.com/0", "E107"),
        ("https://example.com/0/", "E107"),
        ("https://example.com/crm/0/Nui/ViewModule.aspx", "E107"),
        ("https://example.com/Login/NuiLogin.aspx", "E107"),
        ("https://example.com/ServiceModel/ProcessEngineService.svc", "E107"),
        ("https://example.com:port", "E107"),
        ("https://example.com:99999", "E107"),
        ("https://exa mple.com", "E107"),
        ("https://example.com\n", "E107"),
        ("https://[::1", "E107"),
        ("", "E107"),
    ],
)
def test_a_site_may_not_be_called_at(url: str, code: str) -> None:
    mistake = url_mistake(url)

    assert mistake is not None
    assert mistake.code == code
    assert "secret" not in mistake.message


def test_a_site_is_made_ready_from_the_environment_and_from_files() -> None:
    environment = {"HOST": "example.com", "WHO": "Supervisor", "OTHER": "x"}

    resolved = ready(site(), environment, {"/run/secret": "s3cret\r\n"})

    assert resolved.url == "https://example.com"
    assert resolved.auth == Password(username="Supervisor", password="s3cret")


def test_only_the_last_line_end_of_a_secret_file_is_cut() -> None:
    assert ready(site(), {"HOST": "a", "WHO": "b"}, {"/run/secret": " a\n\n"}).auth == Password(
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


def test_an_address_from_the_environment_is_checked_like_a_written_one() -> None:
    told = unready(site(url="{{ env.URL }}"), {"URL": "http://example.com", "WHO": "b"}, {"/run/secret": "x"})
    assert told == ["E143 target `staging`, `url`: `example.com` would be called without TLS"]


def test_no_message_shows_a_password() -> None:
    target = site(url="https://ann:{{ env.URL }}@example.com")
    assert "hunter2" not in "".join(unready(target, {"URL": "hunter2", "WHO": "b"}, {"/run/secret": "x"}))


def test_a_problem_of_a_site_has_no_place() -> None:
    resolved = resolve.resolve(SiteTarget(name="a", url="{{ env.URL }}"), environment={}, read_file=reader({}))

    assert isinstance(resolved, tuple)
    assert [(problem.file, problem.span) for problem in resolved] == [(None, None)]
