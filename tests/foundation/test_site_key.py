"""One key for one site, however it is spelt, and for one account."""

import pytest

from runner.foundation.site_key import account_key, normalized_url, site_key

PLAIN = "http://localhost:80"


@pytest.mark.parametrize(
    "spelt",
    [
        "http://localhost",
        "HTTP://LOCALHOST/",
        "http://localhost.",
        "http://localhost:80/",
        "http://127.0.0.1",
        "http://127.0.0.1.:80",
        "http://[::1]",
        "http://[0:0:0:0:0:0:0:1]:80/",
        "http://[::ffff:127.0.0.1]",
        "http://somebody:secret@localhost/?a=b",
        "http://0.0.0.0",
        "http://[::]",
        "http://127.1",
        "http://2130706433",
        "http://0x7f000001",
    ],
)
def test_all_spellings_of_one_site_have_one_key(spelt: str) -> None:
    assert normalized_url(spelt) == PLAIN
    assert site_key(spelt) == site_key("http://localhost")
    assert account_key(spelt, "Integration") == account_key("http://localhost", "integration")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://crm.example.com", "https://crm.example.com:443/"),
        ("https://crm.example.com./app", "https://CRM.example.com/app/"),
        ("https://müller.example", "https://xn--mller-kva.example"),
        ("http://[2001:DB8::1]:8080", "http://[2001:db8:0::1]:8080"),
    ],
)
def test_a_site_elsewhere_has_one_key_too(one: str, other: str) -> None:
    assert normalized_url(one) == normalized_url(other)


@pytest.mark.parametrize(
    "other", ["https://localhost", "http://localhost:8080", "http://localhost/app", "http://example.com", "localhost"]
)
def test_another_scheme_port_path_or_host_is_another_site(other: str) -> None:
    assert normalized_url(other) != PLAIN


@pytest.mark.parametrize(
    "path", ["/App/one", "//app/one", "/./app/one/", "/x/../app//one", "/%61pp/one", "/../app/one/.", "/APP%2Fone"]
)
def test_an_application_has_one_key_however_its_path_is_spelt(path: str) -> None:
    assert site_key(f"https://crm.example.com{path}") == site_key("https://crm.example.com/app/one")
    assert site_key(f"https://crm.example.com{path}") != site_key("https://crm.example.com/app/two")
    assert site_key(f"https://crm.example.com{path}") != site_key("https://crm.example.com")


def test_another_account_has_another_key() -> None:
    assert account_key("http://localhost", "integration") != account_key("http://localhost", "supervisor")
    assert account_key("http://localhost", None) != account_key("http://localhost", "supervisor")


@pytest.mark.parametrize("text", ["", "/srv/jobs/sandbox", "http://[broken", "http://host:port"])
def test_what_is_no_address_is_left_as_it_is(text: str) -> None:
    assert normalized_url(text) == text
    assert site_key(text) == text
