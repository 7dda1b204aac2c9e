from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from runner.foundation.values import Json, JsonObject
from runner.sandbox.doubles import STAMPS
from runner.sandbox.server import served
from runner.sandbox.store import Store

Site = Callable[[Mapping[str, str]], httpx.Client]
EXECUTE = "/0/ServiceModel/ProcessEngineService.svc/{}/Execute"
ANNA, BORIS, CLARA = (f"aaaaaaaa-0000-0000-0000-00000000000{number}" for number in (1, 2, 3))

RECORDS = f"""
Contact:
  - {{Id: {ANNA.upper()}, Name: Anna O'Hara, Age: 41, OwnerId: {BORIS}}}
  - {{Id: {BORIS}, Name: Boris + Co, Age: 42, Active: true}}
  - {{Id: {CLARA}, Name: Clara, Age: 42}}
Empty: []
"""
DOUBLE = "runner: 1\nprocess: {}\ncaption: The caption of {}\nactivities: [{}]\n"


CONTACTS = {
    "records.yaml": RECORDS,
    "a.process.yaml": DOUBLE.format("UsrA", "A", ""),
    "b.process.yaml": DOUBLE.format("UsrB", "B", "fail: Broken"),
    "c.process.yaml": DOUBLE.format("UsrC", "C", "update: {entity: Contact, where: row.Age > 99, values: {Town: x}}"),
}


@pytest.fixture
def contacts(shared_site: Site) -> httpx.Client:
    return shared_site(CONTACTS)


@pytest.fixture
def own_contacts(site: Site) -> httpx.Client:
    return site(CONTACTS)


def names(client: httpx.Client, query: str, *, prefix: str = "/0") -> list[Json]:
    reply = client.get(f"{prefix}/odata/Contact?{query}")
    assert reply.status_code == 200, reply.text
    return [row["Name"][:5].rstrip() for row in reply.json()["value"]]


FILTERS = [
    ("", ["Anna", "Boris", "Clara"]),
    ("$filter=Age eq 42", ["Boris", "Clara"]),
    ("%24filter=Age%20eq%2042", ["Boris", "Clara"]),
    ("$filter=Age+eq+42", ["Boris", "Clara"]),
    ("$filter=Name+eq+'Boris+%2B+Co'", ["Boris"]),
    ("$filter=Name eq 'Anna O''Hara'", ["Anna"]),
    ("$filter=contains(Name,'ar') or (Age eq 41)", ["Anna", "Clara"]),
    ("$filter=Owner/Id eq " + BORIS, ["Anna"]),
    ("$filter=startswith(Owner/Name,'Boris')", ["Anna"]),
    ("$filter=contains(Name,'" + ANNA + "') or Id ne null and Age eq 42", ["Boris", "Clara"]),
    ("$filter=Id eq " + ANNA, ["Anna"]),
    ("$filter=CreatedBy/Name eq 'Supervisor' and ModifiedBy/Name eq 'Supervisor'", ["Anna", "Boris", "Clara"]),
    ("$filter=Owner/Name eq 'Supervisor'", []),
    ("$filter=Active eq true", ["Boris"]),
    ("$filter=Name in ('Clara', 'x') or Age add 1 eq 42", ["Anna", "Clara"]),
    ("$filter=Active eq null", ["Anna", "Clara"]),
    ("$filter=Town eq null", ["Anna", "Boris", "Clara"]),
    ("$orderby=Age desc,Name", ["Boris", "Clara", "Anna"]),
    ("$orderby=Active", ["Anna", "Clara", "Boris"]),
    ("$orderby=Owner/Id desc, Name asc", ["Anna", "Boris", "Clara"]),
    ("$top=1", ["Anna"]),
    ("$skip=1&$top=1", ["Boris"]),
    ("$skip=7", []),
    ("$top=0", []),
    ("$format=json&x=y", ["Anna", "Boris", "Clara"]),
    ("$filter=Age eq 41&$filter=Age eq 42", ["Boris", "Clara"]),
]


@pytest.mark.parametrize(("query", "expected"), FILTERS)
@pytest.mark.parametrize("prefix", ["/0", ""])
def test_options_choose_and_order_the_records(
    contacts: httpx.Client, prefix: str, query: str, expected: list[Json]
) -> None:
    assert names(contacts, query, prefix=prefix) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("$filter=startswith(Account/Name,'Acme')", ["A"]),
        ("$filter=Account/Name ne 'Acme'&$orderby=Account/Name desc", ["B", "C"]),
        ("$filter=Account/Id eq " + ANNA, ["A"]),
    ],
)
def test_a_path_over_a_lookup_leads_to_the_record_of_the_entity_of_its_name(
    site: Site, query: str, expected: list[str]
) -> None:
    contacts = f"[{{Name: A, AccountId: {ANNA}}}, {{Name: B, AccountId: {BORIS}}}, {{Name: C}}]"
    accounts = f"[{{Id: {ANNA}, Name: Acme}}, {{Id: {BORIS}, Name: Zeta}}]"
    double = DOUBLE.format("UsrA", "A", "")
    client = site({"records.yaml": f"Contact: {contacts}\nAccount: {accounts}\n", "a.process.yaml": double})
    assert names(client, query) == expected


@pytest.mark.parametrize(
    "query",
    [
        "$filter=Age eq",
        "$filter=Id eq '" + ANNA + "'",
        "$filter='" + ANNA + "' ne Id",
        "$filter=Age eq 1 or not (Owner/Id eq '" + BORIS + "')",
        "$filter=OwnerId eq " + BORIS,
        "$filter=Age eq 1 or OwnerId eq '" + BORIS + "'",
        "$orderby=OwnerId",
        "$filter=Age eq '42'",
        "$filter='true' eq Active",
        "$filter=Nothing eq 1",
        "$filter=Age/Id eq 1",
        "$filter=(((",
        "$filter=Name",
        "$filter=Name eq 'Anna' or 'Boris'",
        "$filter=Name eq ('Anna' or 'Boris')",
        "$filter=not Name eq 'Anna'",
        "$filter=not Age",
        "$filter=5 lt Age lt 50",
        "$filter=Active eq 1",
        "$filter=Name in ('a', 5)",
        "$filter=contains(Age,'4')",
        "$filter=length(Name) eq '3'",
        "$filter=Name add 1 eq 2",
        "$filter=CreatedOn gt 2026-01-01T00:00:00",
        "$select=Name,Nothing",
        "$orderby=Nothing",
        "$orderby=Name down",
        "$orderby=,",
        "$top=-1",
        "$top=a",
        "$top=99999999999999999999",
        "$skip=1.5",
        "$filter=%00%ff",
        "$apply=aggregate(Age with sum as Total)",
        "$search=Anna",
        "$expand=Owner",
    ],
)
def test_an_option_that_cannot_be_read_is_400_in_json(contacts: httpx.Client, query: str) -> None:
    reply = contacts.get(f"/0/odata/Contact?{query}")
    assert reply.status_code == 400
    assert reply.json()["error"]["message"].startswith("The query specified in the URI is not valid. ")


def test_a_collection_has_the_shape_of_odata(contacts: httpx.Client) -> None:
    reply = contacts.get("/0/odata/Contact?$select=Name,Id&$top=1&$count=true")
    assert reply.headers["content-type"].startswith("application/json")
    assert reply.headers["odata-version"] == "4.0"
    assert reply.json() == {
        "@odata.context": f"{contacts.base_url}/0/odata/$metadata#Contact(Name,Id)".replace("//0", "/0"),
        "@odata.count": 3,
        "value": [{"Name": "Anna O'Hara", "Id": ANNA}],
    }


@pytest.mark.parametrize("query", ["", "$count=false", "$count=nonsense"])
def test_records_are_not_counted_unasked(contacts: httpx.Client, query: str) -> None:
    assert list(contacts.get(f"/odata/Contact?{query}").json()) == ["@odata.context", "value"]


def test_every_record_has_every_column_that_a_file_mentions(contacts: httpx.Client) -> None:
    for row in contacts.get("/odata/Contact").json()["value"]:
        assert list(row) == ["Id", "Name", "Age", "OwnerId", "Active", "Town", *STAMPS]


@pytest.mark.parametrize("key", [ANNA, ANNA.upper(), f"Id={ANNA}", f"'{ANNA}'"])
def test_a_record_is_read_by_its_key_and_options_are_ignored(contacts: httpx.Client, key: str) -> None:
    reply = contacts.get(f"/0/odata/Contact({key})?$top=5&$filter=nonsense")
    assert reply.status_code == 200
    assert reply.json()["Name"] == "Anna O'Hara"
    assert reply.json()["@odata.context"].endswith("$metadata#Contact/$entity")


def test_a_read_by_key_can_be_narrowed_to_columns(contacts: httpx.Client) -> None:
    assert list(contacts.get(f"/odata/Contact({ANNA})?$select=Age").json()) == ["@odata.context", "Age"]
    assert contacts.get(f"/odata/Contact({ANNA})?$select=Nothing").status_code == 400


def test_an_unknown_key_is_404(contacts: httpx.Client) -> None:
    reply = contacts.get("/0/odata/Contact(aaaaaaaa-0000-0000-0000-000000000009)")
    assert reply.status_code == 404
    assert "error" in reply.json()


@pytest.mark.parametrize("address", ["Nothing", "Nothing(1)", "Contact()", "Contact(5)", "$batch", "Contact.x"])
def test_an_unknown_entity_is_200_with_a_message(contacts: httpx.Client, address: str) -> None:
    reply = contacts.get(f"/0/odata/{address}")
    assert reply.status_code == 200
    assert list(reply.json()) == ["Message"]
    assert reply.json()["Message"].startswith("No HTTP resource was found that matches the request URI ")


def test_records_are_counted_as_plain_text(contacts: httpx.Client) -> None:
    reply = contacts.get("/odata/Contact/$count")
    assert (reply.text, reply.headers["content-type"]) == ("3", "text/plain; charset=utf-8")
    assert contacts.get("/odata/Contact/$count?$filter=Age eq 42&$top=1").text == "2"
    assert contacts.get("/odata/Empty/$count").text == "0"


def test_a_field_is_read_as_json_or_bare(contacts: httpx.Client) -> None:
    record = f"/odata/Contact({BORIS})"
    said = contacts.get(f"{record}/Age").json()
    assert said["value"] == 42
    assert said["@odata.context"].endswith(f"$metadata#Contact({BORIS})/Age")
    assert contacts.get(f"{record}/Age/$value").text == "42"
    assert contacts.get(f"{record}/Name/$value").text == "Boris + Co"
    assert contacts.get(f"{record}/Active/$value").text == "true"
    assert contacts.get(f"{record}/Town/$value").status_code == 204
    for rest in ("Nothing", "Age/value", "Age/$value/x"):
        assert contacts.get(f"{record}/{rest}").status_code == 404


@pytest.mark.parametrize("path", ["/odata", "/odata/", "/0/odata", "/0/odata/"])
def test_the_service_lists_its_entities(contacts: httpx.Client, path: str) -> None:
    listed = contacts.get(path).json()["value"]
    own = ["SysAdminUnit", "SysProcessElementData", "SysProcessElementLog", "SysProcessLog", "VwProcessLib"]
    assert [entity["name"] for entity in listed] == ["Contact", "Empty", *own]
    assert listed[0] == {"name": "Contact", "kind": "EntitySet", "url": "Contact"}


def paged(client: httpx.Client, address: str) -> list[list[str]]:
    """The names on each page, as a client finds them that follows the links."""
    pages = []
    while address:
        reply = client.get(address).json()
        pages.append([row["Name"] for row in reply["value"]])
        address = reply.get("@odata.nextLink", "")
        assert len(pages) < 9
    return pages


PAGES = [
    ("", ["a", "b"], ["c", "d"], ["e"]),
    ("$top=5", ["a", "b"], ["c", "d"], ["e"]),
    ("$top=3", ["a", "b"], ["c"]),
    ("$top=2", ["a", "b"]),
    ("$top=0", []),
    ("$skip=1", ["b", "c"], ["d", "e"]),
    ("$skip=1&$top=3", ["b", "c"], ["d"]),
    ("$orderby=Name+desc&%24top=3", ["e", "d"], ["c"]),
    ("$filter=Name ne 'b%26' and (Name ge 'b')&$select=Name", ["b", "c"], ["d", "e"]),
]


@pytest.mark.parametrize(("query", "pages"), [(query, [*pages]) for query, *pages in PAGES])
def test_more_records_than_a_page_holds_are_given_page_by_page(
    folder: Callable[[Mapping[str, str]], Path],
    signed_in: Callable[[str], httpx.Client],
    query: str,
    pages: list[list[str]],
) -> None:
    records = "Mark: [{Name: a}, {Name: b}, {Name: c}, {Name: d}, {Name: e}]"
    with served(folder({"records.yaml": records}), page_size=2) as url:
        client = signed_in(url)
        assert paged(client, f"/0/odata/Mark?{query}") == pages
        assert client.get("/0/odata/Mark?$count=true").json()["@odata.count"] == 5
        assert client.get("/0/odata/Mark/$count").text == "5"


def test_a_page_is_linked_to_at_the_address_that_was_asked(
    folder: Callable[[Mapping[str, str]], Path], signed_in: Callable[[str], httpx.Client]
) -> None:
    with served(folder({"records.yaml": "Mark: [{Name: a}, {Name: b}]"}), page_size=1) as url:
        link = signed_in(url).get("/0/odata/Mark?$select=Name&$filter=Name ne 'x+%26'").json()["@odata.nextLink"]
    assert link == f"{url}/0/odata/Mark?$select=Name&$filter=Name%20ne%20%27x%20%26%27&$skip=1"


@pytest.mark.parametrize(
    ("method", "address"), [("PUT", f"Contact({ANNA})"), ("POST", "$batch"), ("POST", ""), ("DELETE", "SysProcessLog")]
)
@pytest.mark.parametrize("prefix", ["/0", ""])
def test_any_other_method_is_refused_in_words(contacts: httpx.Client, prefix: str, method: str, address: str) -> None:
    reply = contacts.request(method, f"{prefix}/odata/{address}", json={"Name": "Dora"})
    assert (reply.status_code, "GET" in reply.headers["allow"]) == (405, True)
    assert reply.json()["error"]["message"]
    assert names(contacts, "") == ["Anna", "Boris", "Clara"]


def test_a_stranger_who_writes_must_sign_in(own_contacts: httpx.Client) -> None:
    own_contacts.cookies.clear()
    assert own_contacts.post("/0/odata/Contact", json={"Name": "Dora"}).status_code == 401


def test_head_is_a_get_without_a_body(contacts: httpx.Client) -> None:
    reply = contacts.head("/odata/Contact")
    assert reply.status_code == 200
    assert int(reply.headers["content-length"]) > 100


def log(client: httpx.Client, **options: str) -> list[dict[str, Json]]:
    query = {f"${name}": value for name, value in options.items()}
    reply = client.get("/0/odata/SysProcessLog", params=query)
    assert reply.status_code == 200, reply.text
    rows = reply.json()["value"]
    assert isinstance(rows, list)
    return rows


def test_a_row_of_the_log_is_of_one_process(own_contacts: httpx.Client) -> None:
    before = datetime.now(UTC)
    own_contacts.get(EXECUTE.format("UsrB"))
    (row,) = log(own_contacts)
    assert list(row) == [
        *("Id", "Name", "StartDate", "CompleteDate", "DurationInMilliseconds", "ErrorDescription"),
        *("SysSchemaId", "ParentId", "RootId", "StatusId", "OwnerId", *STAMPS),
    ]
    assert (row["Name"], row["ErrorDescription"]) == ("The caption of B", "Broken")
    started = str(row["StartDate"])
    assert len(started) == len("2026-01-31T09:00:00.1230000Z")
    assert before - timedelta(milliseconds=1) <= datetime.fromisoformat(started) <= datetime.now(UTC)
    me = own_contacts.post("/ServiceModel/UserInfoService.svc/GetCurrentUserInfo").json()
    assert row["OwnerId"] == me["contactId"]
    assert isinstance(row["DurationInMilliseconds"], int)
    assert own_contacts.get(f"/0/odata/SysProcessLog({row['Id']})").json() | row == (
        own_contacts.get(f"/0/odata/SysProcessLog({row['Id']})").json()
    )


def test_processes_are_found_in_the_log_by_code_status_owner_and_time(own_contacts: httpx.Client) -> None:
    for code in ("UsrA", "UsrB", "UsrA", "UsrA"):
        own_contacts.get(EXECUTE.format(code))
    rows = log(own_contacts, orderby="StartDate desc")
    assert [row["Name"] for row in rows] == ["The caption of A"] * 2 + ["The caption of B", "The caption of A"]
    starts = [str(row["StartDate"]) for row in rows]
    assert len(set(starts)) == 4

    of_a = "SysSchema/Name eq 'UsrA'"
    assert [row["Id"] for row in log(own_contacts, filter=of_a, orderby="StartDate desc", top="1")] == [rows[0]["Id"]]
    since = f"{of_a} and StartDate ge {starts[1]}"
    assert [row["Id"] for row in log(own_contacts, filter=since, orderby="StartDate")] == [rows[1]["Id"], rows[0]["Id"]]
    assert [row["Id"] for row in log(own_contacts, filter=f"{of_a} and StartDate gt {starts[1]}")] == [rows[0]["Id"]]
    failed = "Status/Id eq f942c08d-b6e2-df11-971b-001d60e938c6"
    assert [row["Id"] for row in log(own_contacts, filter=failed)] == [rows[2]["Id"]]
    owned = f"Owner/Id eq {rows[0]['OwnerId']} and (Id eq {rows[3]['Id']} or SysSchema/Id eq {rows[2]['SysSchemaId']})"
    assert [row["Id"] for row in log(own_contacts, filter=owned)] == [rows[3]["Id"], rows[2]["Id"]]
    assert log(own_contacts, filter=f"Id eq {rows[0]['Id']} and SysSchema/Name eq 'UsrB'") == []
    assert own_contacts.get("/odata/SysProcessLog/$count", params={"$filter": of_a}).text == "3"


def test_lookups_of_the_log_are_filtered_by_path_alone(contacts: httpx.Client) -> None:
    reply = contacts.get("/odata/SysProcessLog?$filter=StatusId eq f942c08d-b6e2-df11-971b-001d60e938c6")
    assert reply.status_code == 400
    assert "StatusId" in reply.json()["error"]["message"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("$filter=Name eq 'A'", {"Contact": 1}),
        ("$filter=AccountId ne null or Phone eq 'x'", {"Contact": 1}),
        ("$filter=Account/Id ne null", {"Contact": 1}),
        ("$filter=Account/Name eq 'Acme'&$orderby=Account/City", {"Contact": 1, "Account": 1}),
    ],
)
def test_the_records_of_an_entity_are_read_once_and_those_of_others_where_a_path_leads_there(
    site: Site, monkeypatch: pytest.MonkeyPatch, query: str, expected: dict[str, int]
) -> None:
    contacts = f"[{{Name: A, AccountId: {ANNA}, Phone: null, Fax: null}}, {{Name: B, Phone: '1'}}]"
    accounts = f"[{{Id: {ANNA}, Name: Acme, City: C}}]"
    double = DOUBLE.format("UsrA", "A", "")
    client = site({"records.yaml": f"Contact: {contacts}\nAccount: {accounts}\n", "a.process.yaml": double})
    read = Counter[str]()
    records = Store.records

    def counted(store: Store, entity: str) -> list[JsonObject]:
        read[entity] += 1
        return records(store, entity)

    monkeypatch.setattr(Store, "records", counted)
    client.get(f"/0/odata/Contact?{query}")
    assert read == expected
