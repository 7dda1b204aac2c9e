import pytest

from runner.foundation.values import pointer
from runner.reading.document import Document
from runner.reading.load import load
from runner.targets import rules as target_rules


def document(text: str) -> Document:
    loaded = load("targets.yaml", f"runner: 1\ntargets:\n{text}".encode())
    assert isinstance(loaded, Document), loaded
    return loaded


def problems_in(text: str) -> list[str]:
    return [f"{problem.code} {pointer(problem.path)}" for problem in target_rules.check(document(text))]


def test_sound_targets_have_no_mistakes() -> None:
    assert (
        problems_in("""
  sandbox: {sandbox: sandbox}
  local: {url: http://localhost:8080/app, proxy: "{{ env.PROXY }}", auth: {username: a, password: b}}
  intranet: {url: http://crm.intra, identity_url: http://id.intra, plain_http: true}
  cloud:
    url: https://acme.creatio.com
    auth: {client_id: a, client_secret: "{{ env.B }}"}
  told_by_the_run:
    url: "{{ env.URL }}"
    auth: {client_id: a, client_secret: "{{ env.B }}"}
  rehearsal: {sandbox: sandbox, protected: true, rate: 5/s, settle: 8760h}
  gateway:
    url: https://gateway.example.com
    auth: {username: a, password: "{{ env.B }}"}
    headers: {Authorization: "Basic {{ env.A }}", X-Key: "{{ env.K }}", X-Team: crm}
    proxy: http://u:{{ env.P }}@proxy:3128
  staging:
    url: https://staging.example.com
    identity_url: https://staging-is.example.com/connect/token
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
        (
            "{url: 'https://a.example', auth: {username: '{{ env.', password: '{{ env.X }}'}}",
            "E120 /targets/a/auth/username",
        ),
        ("{url: 'https://a.example', headers: {A: '{{ a }}'}}", "E126 /targets/a/headers/A"),
        ("{url: 'https://a.example', identity_url: 'http://b.example'}", "E143 /targets/a/identity_url"),
        ("{url: 'http://a.example', plain_http: false}", "E143 /targets/a/url"),
        ("{url: 'ftp://a.example', plain_http: true}", "E107 /targets/a/url"),
        ("{url: 'https://a.example', proxy: 'https://b.example', plain_http: true}", "E107 /targets/a/proxy"),
        ("{sandbox: s, plain_http: true}", "E107 /targets/a/plain_http"),
        ("{url: 'https://a.example', auth: {username: x, password: swordfish}}", "E166 /targets/a/auth/password"),
        ("{url: '{{ env.A }}', auth: {client_id: x, client_secret: swordfish}}", "E166 /targets/a/auth/client_secret"),
        ("{url: 'https://a.example', headers: {Authorization: Basic abc}}", "E166 /targets/a/headers/Authorization"),
        ("{url: 'https://a.example', proxy: 'http://u:p@proxy:3128'}", "E166 /targets/a/proxy"),
        ("{url: 'https://a.example', proxy: 'u:p@proxy:3128'}", "E166 /targets/a/proxy"),
        ("{url: 'https://a.example', settle: '{{ env.S }}'}", "E122 /targets/a/settle"),
        ("{url: 'https://a.example', allow: {processes: ['{{ env.S }}']}}", "E122 /targets/a/allow/processes/0"),
        ("{sandbox: '{{ env.S }}'}", "E122 /targets/a/sandbox"),
        ("{url: 'https://a.example', proxy: 'https://proxy'}", "E107 /targets/a/proxy"),
        ("{url: 'https://a.example', settle: 9000h}", "E114 /targets/a/settle"),
        ("{url: 'https://a.example', timeout: 9000h}", "E114 /targets/a/timeout"),
        ("{url: 'https://a.example', headers: {'A B': x}}", "E107 /targets/a/headers/A B"),
        ("{url: 'https://a.example', headers: {cookie: x}}", "E107 /targets/a/headers/cookie"),
        ("{url: 'https://a.example', headers: {X: ' x'}}", "E107 /targets/a/headers/X"),
        ("{url: 'https://a.example', headers: {X: ''}}", "E134 /targets/a/headers/X"),
        ("{url: 'https://a.example', headers: {X-A: a, x-a: b}}", "E111 /targets/a/headers/x-a"),
        ("{url: 'https://a.example', auth: {client_id: a, client_secret: '{{ env.B }}'}}", "E105 /targets/a/auth"),
        (
            "{url: https://a.creatio.com, auth: {client_id: a,client_secret: '{{env.B}}'},headers: {Authorization: b}}",
            "E107 /targets/a/headers/Authorization",
        ),
        ("{url: 'https://a-is.creatio.com'}", "E107 /targets/a/url"),
        ("{url: 'https://a-is.creatio.com', identity_url: 'https://a-is.creatio.com'}", "E107 /targets/a/url"),
        ("{url: 'https://A.creatio.com/', identity_url: 'https://a.creatio.com'}", "E107 /targets/a/identity_url"),
        ("{url: 'https://a.example', allow: {processes: [Usr.*]}}", "E107 /targets/a/allow/processes/0"),
        ("{url: 'https://a.example', headers: {A: '$env:TOKEN'}}", "E107 /targets/a/headers/A"),
        ("{url: '$CREATIO_URL'}", "E107 /targets/a/url"),
        ("{url: 'https://a.example', proxy: 'env.PROXY'}", "E107 /targets/a/proxy"),
        ("{sandbox: s, auth: {username: a, password: b}}", "E107 /targets/a/auth"),
        ("{sandbox: s, proxy: 'http://proxy'}", "E107 /targets/a/proxy"),
    ],
)
def test_a_mistake_of_a_target_is_reported_at_its_value(line: str, mistake: str) -> None:
    assert problems_in(f"  a: {line}") == [mistake]


def test_what_only_looks_like_a_mistake_of_a_target_is_not_reported() -> None:
    assert (
        problems_in("""
  another_cloud:
    url: https://sales-is.example.com
    identity_url: https://sales.example.com/app
    auth: {client_id: a, client_secret: "{{ env.B }}"}
    allow: {processes: ["*", "Usr?", "Usr[AB]_*", Usrжцф1]}
  by_convention:
    url: https://acme.creatio.com
    identity_url: https://acme-is.creatio.com/connect/token
    auth: {client_id: a, client_secret: "{{ env.B ~ '$up:er' }}"}
  a_service_of_many_sites: {url: "https://acme.creatio.com", identity_url: "https://identity.creatio.com"}
  its_own_site: {url: "https://crm.example.com", identity_url: "https://acme.creatio.com"}
  tokens_below_0: {url: "https://crm.example.com", identity_url: "https://crm.example.com/0/connect/token"}
  told_by_the_run: {url: "{{ env.URL }}", identity_url: "https://acme.creatio.com"}
  another_alphabet: {url: "https://пример.рф/creatio"}
  this_machine: {url: "http://[::1]:5000"}
""")
        == []
    )


@pytest.mark.parametrize("text", ["  a: 1", "  a: {url: 1, auth: 2, headers: [3, {a: 4}]}", "  - a", "  ''"])
def test_no_targets_file_is_too_strange(text: str) -> None:
    assert problems_in(text) == []


def test_what_was_reported_of_targets_is_not_said_again() -> None:
    loaded = document("  a: {url: ftp://a.example}")
    reported = (loaded.problem("E107", "no", path=("targets", "a", "url")),)

    assert target_rules.check(loaded, reported=reported) == ()
