from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.foundation.values import Json, JsonObject, well_formed
from runner.odata.names import is_entity
from runner.service import odata
from runner.service.bodies import NonsenseError
from runner.service.calls import QueryCall

CONTACTS = QueryCall(entity="Contact")
SITE = "https://site.example/app"


def page(answer: Json, *, call: QueryCall = CONTACTS, url: str = SITE, prefix: str = "/0") -> JsonObject:
    found = odata.page(call, answer, url=url, prefix=prefix)
    assert isinstance(found, dict)
    return found


def following(link: Json, *, url: str = SITE, prefix: str = "/0") -> Json:
    return page({"value": [], "@odata.nextLink": link}, url=url, prefix=prefix)["next"]


@given(st.text(), st.lists(st.text(min_size=1)), st.lists(st.text(min_size=1)))
def test_any_filter_survives_the_query(condition: str, select: list[str], orderby: list[str]) -> None:
    call = QueryCall(entity="Contact", filter=condition, select=tuple(select), orderby=tuple(orderby), top=7)
    path, _, query = odata.first_page(call).partition("?")
    expected = {"$filter": condition, "$select": ",".join(select), "$orderby": ",".join(orderby), "$top": "7"}

    assert path == "Contact"
    assert dict(parse_qsl(query)) == {name: well_formed(text) for name, text in expected.items() if text}
    assert query.isascii()


def test_what_is_not_asked_for_is_not_written() -> None:
    assert odata.first_page(CONTACTS) == "Contact?$top=100"


def test_what_odata_says_about_a_record_is_dropped() -> None:
    record: Json = {
        "@odata.etag": "x",
        "Id": "1",
        "Type@odata.type": "kept",
        "Account": {"@odata.id": "y", "Name": "A"},
        "Rows": [{"@odata.id": "z", "N": 1}],
    }

    assert page({"value": [record]})["records"] == [
        {"Id": "1", "Type@odata.type": "kept", "Account": {"Name": "A"}, "Rows": [{"N": 1}]}
    ]


@pytest.mark.parametrize(
    ("link", "path"),
    [
        (None, None),
        ("https://site.example/app/0/odata/Contact?$skiptoken=1", "/0/odata/Contact?$skiptoken=1"),
        ("http://SITE.example:8080/app/0/odata/Contact?$skip=20", "/0/odata/Contact?$skip=20"),
        ("/app/0/odata/Contact?$skip=20", "/0/odata/Contact?$skip=20"),
        ("Contact?$skip=20&$filter=Name eq 'Ä #1'", "/0/odata/Contact?$skip=20&$filter=Name%20eq%20'%C3%84%20"),
        ("?$skip=20", "/0/odata/Contact?$skip=20"),
        ("Contact?$filter=Name%20eq%20%27a%26b%27", "/0/odata/Contact?$filter=Name%20eq%20%27a%26b%27"),
        ('Contact?a="<>\\^`{|}', "/0/odata/Contact?a=%22%3C%3E%5C%5E%60%7B%7C%7D"),
    ],
)
def test_the_next_page_is_a_path_on_the_same_site(link: str | None, path: str | None) -> None:
    assert following(link) == path


@pytest.mark.parametrize("key", ["@odata.nextLink", "@nextLink", "odata.nextLink"])
def test_each_version_of_odata_names_the_next_page(key: str) -> None:
    assert page({"value": [], key: "Contact?$skip=20"})["next"] == "/0/odata/Contact?$skip=20"


def test_a_page_may_come_without_a_prefix() -> None:
    assert following("Contact?$skip=1", prefix="") == "/odata/Contact?$skip=1"


@pytest.mark.parametrize("host", ["localhost:8080", "10.0.0.5", "creatio-web-1:8080", "xn--e1afmkfd.xn--p1ai"])
def test_a_site_behind_a_gateway_may_call_itself_by_another_name(host: str) -> None:
    assert following(f"http://{host}/app/0/odata/Contact?$skip=20") == "/0/odata/Contact?$skip=20"


@pytest.mark.parametrize("folder", ["", "/0", "/inner/app/0", "/odata/0"])
def test_a_site_behind_a_gateway_may_not_know_the_folder_that_it_is_published_in(folder: str) -> None:
    assert following(f"http://app01.local{folder}/odata/Contact?$skip=20") == "/0/odata/Contact?$skip=20"


@pytest.mark.parametrize(
    ("link", "said"),
    [
        ("//other.example/0/ServiceModel/x", "its next page is no page of OData on this site"),
        ("javascript:alert(1)", "its next page is no page of OData on this site"),
        ("https://[::1", "the link to its next page is no address"),
        ("/app/0/ServiceModel/x", "its next page is no page of OData on this site"),
        ("https://site.example/app/0/odata/../ServiceModel/x", "its next page is no page of OData on this site"),
        ("/app/0/odata/%2e%2e/ServiceModel/x", "its next page is no page of OData on this site"),
        ("../ServiceModel/x", "its next page is no page of OData on this site"),
        (1, "the link to its next page is a number"),
    ],
)
def test_a_next_page_elsewhere_is_nonsense(link: Json, said: str) -> None:
    with pytest.raises(NonsenseError, match=f"^{said.replace('.', '[.]')}$"):
        following(link)


def test_a_page_that_is_followed_by_itself_is_nonsense() -> None:
    call = QueryCall(entity="Contact", next="/0/odata/Contact?$skip=20")

    with pytest.raises(NonsenseError, match="this page again"):
        page({"value": [], "@odata.nextLink": "Contact?$skip=20"}, call=call)


@given(st.text())
def test_no_link_breaks_out_of_its_request_line(link: str) -> None:
    try:
        path = following(link)
    except NonsenseError:
        return
    assert isinstance(path, str)
    assert path.isascii()
    assert path.isprintable()
    assert " " not in path


@pytest.mark.parametrize("answer", [None, 1, "x", [], {}, {"value": None}, {"value": [1]}])
def test_what_is_no_collection_is_nonsense(answer: Json) -> None:
    with pytest.raises(NonsenseError):
        page(answer)


@pytest.mark.parametrize("name", ["Contact", "UsrOrder_2", "_x"])
def test_an_entity_is_a_name(name: str) -> None:
    assert is_entity(name)


@pytest.mark.parametrize("name", ["", "Contact(1)", "..", "Contact/x", "Contact?$top=1", "2a", "Contact\n", "Контакт"])
def test_what_leads_elsewhere_is_no_entity(name: str) -> None:
    assert not is_entity(name)
