import pytest

from runner.targets.values import likely_url, proxy_mistake, url_mistake


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
        "https://crm_test.example.com",
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
        ("https://<your-site>.creatio.com", "E107"),
        ("https://example,com", "E107"),
        ("https://https://example.com", "E107"),
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


@pytest.mark.parametrize(
    "url",
    [
        "http://proxy",
        "http://proxy:3128/",
        "http://u:p@proxy:3128",
        "proxy:3128",
        "u:p@proxy:3128",
        "",
        "http://u%40d:p%2Fw@[::1]:3128",
    ],
)
def test_a_proxy_may_be_called_at(url: str) -> None:
    assert proxy_mistake(url) is None


@pytest.mark.parametrize(
    "url",
    [
        "proxy",
        "https://proxy",
        "socks5://proxy",
        "http://",
        "http://u:p/w@proxy",
        "http://proxy/x",
        "http://a b",
    ],
)
def test_a_proxy_may_not_be_called_at(url: str) -> None:
    assert proxy_mistake(url) is not None


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("staging.example.com", "https://staging.example.com"),
        ("localhost:8080/app", "http://localhost:8080/app"),
        ("\u201chttps://staging.example.com\u201d", "https://staging.example.com"),
        ("<https://staging.example.com>", "https://staging.example.com"),
        ("https://staging.example.com\u00a0", "https://staging.example.com"),
        ("https://staging.example.com\u200b/app", "https://staging.example.com/app"),
        ("https://staging.example.com/0/odata/", "https://staging.example.com"),
        ("https://staging.example.com/app/0", "https://staging.example.com/app"),
        ("https://staging.example.com/Login/NuiLogin.aspx?ReturnUrl=%2f", "https://staging.example.com"),
        ("https://ann:secret@staging.example.com/0", None),
        ("ann:secret@staging.example.com", None),
        ("http://staging.example.com", None),
        ("ftp://staging.example.com", None),
        ("secret", None),
        ("https://staging.example.com", None),
    ],
)
def test_the_likely_address_is_said_without_a_name_and_a_password(written: str, meant: str | None) -> None:
    assert likely_url(written) == meant


@pytest.mark.parametrize("blank", ["\u00a0", "\u2003", "\u200b", "\ufeff", " ", "\t", "\u202e"])
def test_no_blank_of_any_alphabet_is_in_an_address(blank: str) -> None:
    assert url_mistake(f"https://example.com{blank}") is not None
    assert proxy_mistake(f"http://proxy{blank}:3128") is not None


def test_an_address_that_is_empty_is_called_that() -> None:
    assert (wrong := url_mistake("")) is not None
    assert wrong.message == "it is empty"
