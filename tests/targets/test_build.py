from pathlib import Path

from runner.reading.document import Document
from runner.reading.load import load
from runner.reports import mistakes
from runner.service.auth import CLIENT_CREDENTIALS, PASSWORD
from runner.service.site import CallOptions, ElementIdPlace, ExecuteMethod, Runtime
from runner.targets import build as target_build
from runner.targets.model import Allow, Readiness, SandboxTarget, SiteTarget, Times
from runner.targets.resolve import resolve


def document(text: str) -> Document:
    loaded = load("targets.yaml", f"runner: 1\ntargets:\n{text}".encode())
    assert isinstance(loaded, Document), loaded
    return loaded


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
    timeout: 10s
    settle: 1m
    ca_file: "{{ env.CA }}"
    proxy: http://proxy:3128
    headers: {X-Key: "1", X-Other: "{{ env.K }}"}
    rate: 30/m
    protected: true
    allow: {processes: ["Usr*"], effects: []}
    ready: {for: 15m, every: 2s, catalog: git.catalog.yaml}
  cloud:
    url: https://a.example
    identity_url: https://i.example
    auth: {client_id: a, client_secret: b}
    rate: 5/s
    allow: {}
    ready: {}
  rehearsal:
    {sandbox: s, runtime: net, timeout: 5s, settle: 2s, rate: 7200/h, protected: true, allow: {effects: [read]}}
"""),
        beside=Path("specs"),
    )

    assert built == {
        "here": SandboxTarget(name="here", folder=Path("specs/doubles")),
        "plain": SiteTarget(name="plain", url="https://a.example", beside=Path("specs")),
        "full": SiteTarget(
            name="full",
            url="https://{{ env.HOST }}",
            runtime=Runtime.NET,
            auth=PASSWORD.credentials(username="{{ env.U }}", password="{{ env.P }}"),
            calls=CallOptions(
                element_call=ElementIdPlace.QUERY, execute_method=ExecuteMethod.POST, timeout=10.0, rate=0.5
            ),
            times=Times(timeout=10.0, settle=60.0),
            ca_file="{{ env.CA }}",
            proxy="http://proxy:3128",
            headers=(("X-Key", "1"), ("X-Other", "{{ env.K }}")),
            protected=True,
            allow=Allow(processes=("Usr*",), effects=()),
            ready=Readiness(longest=900.0, every=2.0, catalogue=Path("specs/git.catalog.yaml")),
            beside=Path("specs"),
        ),
        "cloud": SiteTarget(
            name="cloud",
            url="https://a.example",
            identity_url="https://i.example",
            auth=CLIENT_CREDENTIALS.credentials(client_id="a", client_secret="b"),
            calls=CallOptions(rate=5.0),
            allow=Allow(),
            ready=Readiness(longest=600.0, every=5.0),
            beside=Path("specs"),
        ),
        "rehearsal": SandboxTarget(
            name="rehearsal",
            folder=Path("specs/s"),
            runtime=Runtime.NET,
            calls=CallOptions(timeout=5.0, rate=2.0),
            times=Times(timeout=5.0, settle=2.0),
            protected=True,
            allow=Allow(effects=("read",)),
        ),
    }


def test_without_a_targets_file_there_is_the_sandbox_beside_the_job() -> None:
    assert target_build.without_file(Path("specs/a.job.yaml")) == {
        "sandbox": SandboxTarget(name="sandbox", folder=Path("specs/sandbox"))
    }


def test_what_is_missing_when_a_site_is_made_ready_is_reported_at_its_place_and_no_secret_with_it() -> None:
    text = """
  staging:
    url: https://staging.example.com
    auth: {username: "{{ env.WHO }}", password: s3cret-w0rd}
"""
    site = target_build.targets(document(text), beside=Path())["staging"]
    assert isinstance(site, SiteTarget)

    found = resolve(site, environment={}, read_file=str)
    assert isinstance(found, tuple)
    (problem,) = found

    output = mistakes.text([problem])
    message = "error[E142]: target `staging`, `auth.username`: the environment variable `WHO` is not set"
    assert output.startswith(f"targets.yaml:6:22: {message}\n")
    assert "s3cret-w0rd" not in output
