from runner.secrets.redact import Secrets
from runner.service.auth import CLIENT_CREDENTIALS, PASSWORD
from runner.targets.model import SiteTarget
from runner.targets.resolve import resolve, secret_texts


def hidden(site: SiteTarget, text: str) -> str:
    secrets = Secrets()
    for name, secret in secret_texts(site):
        secrets.add(name, secret)
    return secrets.mask(text)


def test_who_signs_in_is_hidden() -> None:
    user = SiteTarget(
        name="a", url="https://a.example", auth=PASSWORD.credentials(username="Supervisor", password="hunter22")
    )
    client = CLIENT_CREDENTIALS.credentials(client_id="client-id", client_secret="client-secret")

    assert hidden(user, "Supervisor hunter22") == "*** ***"
    assert hidden(SiteTarget(name="a", url="https://a", auth=client), "client-id client-secret") == "*** ***"


def test_headers_are_hidden_and_of_an_authorization_what_comes_behind_its_scheme() -> None:
    headers = (("X-Key", "gateway-key"), ("authorization", "Basic YWxhZGRpbg=="))
    site = SiteTarget(name="a", url="https://a.example", headers=headers)

    assert hidden(site, "gateway-key; Basic YWxhZGRpbg==; YWxhZGRpbg==") == "***; ***; ***"
    assert hidden(site, "Basic") == "Basic"


def test_what_a_template_has_read_is_hidden_within_a_value_too() -> None:
    written = (("X-Gateway", "Bearer {{ env.GW }}"), ("X-Key", "key={{ file('/key') }}"))
    site = SiteTarget(name="a", url="https://a.example", headers=written)
    ready = resolve(site, environment={"GW": "gateway-token"}, read_file=lambda _: "key-of-file\n")
    assert isinstance(ready, SiteTarget)
    assert hidden(ready, "gateway-token key-of-file") == "*** ***"


def test_the_password_within_a_basic_header_is_hidden_and_what_comes_after_any_scheme() -> None:
    headers = (("Authorization", "Basic c3ZjOmh1bnRlcjIyMjI="), ("X-Auth", "Token gateway-key"))
    site = SiteTarget(name="a", url="https://a.example", headers=headers)
    assert hidden(site, "svc:hunter2222 hunter2222 gateway-key") == "*** *** ***"


def test_all_of_a_proxy_is_hidden_as_written_decoded_and_as_it_is_sent() -> None:
    site = SiteTarget(name="a", url="https://a.example", proxy="http://prx-user:p%40ssw0rd@proxy.example:3128")

    assert hidden(site, "http://prx-user:p%40ssw0rd@proxy.example:3128") == "***"
    assert hidden(site, "prx-user p%40ssw0rd p@ssw0rd") == "*** *** ***"
    assert hidden(site, "Basic cHJ4LXVzZXI6cEBzc3cwcmQ=") == "Basic ***"


def test_a_proxy_without_a_name_hides_its_address_alone() -> None:
    assert hidden(SiteTarget(name="a", url="https://a", proxy="http://proxy:3128"), "http://proxy:3128 proxy") == (
        "*** proxy"
    )


def test_a_site_without_any_hides_nothing() -> None:
    assert list(secret_texts(SiteTarget(name="a", url="https://a.example"))) == []
