"""What the recorded exchanges of `tests/wire/` do not show: odd values, odd names, odd sites."""

import json
import re
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.foundation.values import Json, compact, well_formed
from runner.service.auth import PASSWORD
from runner.service.calls import (
    Call,
    CompleteCall,
    ElementCall,
    ExecuteCall,
    FindProcess,
    QueryCall,
    ReadElements,
    ReadRow,
    ReadRows,
    RunProcessCall,
    Version,
    WhoIsUser,
)
from runner.service.site import CallOptions, ExecuteMethod, Runtime, Site
from runner.service.site import ElementIdPlace as ElementPlace
from runner.service.wire import UnwritableError, request
from runner.targets.model import SiteTarget
from runner.targets.resolve import site_of
from runner.version import VERSION

SITE = Site(url="https://site.example")


def path(call: Call, *, username: str | None = None) -> str:
    return request(call, SITE, username=username).path


@given(
    st.text(), st.dictionaries(st.text(min_size=1), st.text() | st.integers() | st.booleans() | st.none(), max_size=3)
)
def test_any_text_survives_the_query_and_no_other_character_is_written(process: str, values: dict[str, Json]) -> None:
    written = path(ExecuteCall(process=process, parameters=values))
    assert re.fullmatch(r"[A-Za-z0-9_.~%&=?/-]+", written)
    assert not re.search("%(?![0-9A-F]{2})", written)
    assert unquote(urlsplit(written).path.split("/")[4]) == well_formed(process)
    sent = parse_qsl(urlsplit(written).query, keep_blank_values=True)
    assert sent == [
        (well_formed(name), well_formed(value if isinstance(value, str) else compact(value)))
        for name, value in values.items()
        if value is not None
    ]


def test_a_call_without_parameters_has_no_query() -> None:
    assert path(ExecuteCall(process="P", parameters={"A": None})).endswith("/P/Execute")


def test_a_quote_in_a_name_stays_inside_its_literal() -> None:
    calls: list[Call] = [ReadRows(process="a' or 1 eq 1"), FindProcess(process="a' or 1 eq 1"), WhoIsUser()]
    for call in calls:
        assert "'a'' or 1 eq 1'" in unquote(path(call, username="a' or 1 eq 1"))


def test_ids_cannot_reach_other_parts_of_an_address() -> None:
    assert path(ElementCall(uid="../x?y=1#z")).endswith("/ExecProcElByUId/..%2Fx%3Fy%3D1%23z")
    for call in (ReadRow(process_id="x or 1 eq 1&$top=9"), ReadElements(process_id="x or 1 eq 1&$top=9")):
        assert "%20or%201%20eq%201%26%24top%3D9&$select=" in path(call)
    assert "?$filter=a%26%24top%3D9%23&$top=100" in path(QueryCall(entity="Contact", filter="a&$top=9#"))


@pytest.mark.parametrize("entity", ["", "..", "Contact/x", "Contact(1)", "Contact?$top=1", "Contact#"])
def test_what_is_no_entity_is_not_written(entity: str) -> None:
    for call in (QueryCall(entity=entity), QueryCall(entity=entity, next="/0/odata/Contact?$skip=1")):
        with pytest.raises(UnwritableError):
            request(call, SITE, username=None)


@given(
    st.text(),
    st.dictionaries(
        st.text(), st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.integers()), max_size=4
    ),
)
def test_values_of_a_process_are_what_they_are_but_for_collections(process: str, values: dict[str, Json]) -> None:
    call = RunProcessCall(process=process, parameters=values, results=("A",))
    written = json.loads(request(call, SITE, username=None).body or b"")
    assert written == {
        "schemaName": well_formed(process),
        "parameterValues": [
            {
                "name": well_formed(name),
                "value": well_formed(compact(value)) if isinstance(value, list) else plain(value),
            }
            for name, value in values.items()
            if value is not None
        ],
        "resultParameterNames": ["A"],
        "collectExecutionData": False,
    }


@pytest.mark.parametrize(("value", "sent"), [(2.0, "2"), (-3.0, "-3"), (2.5, "2.5"), ([{"N": 4.0}], '[{"N":4}]')])
def test_a_whole_number_has_no_point_however_it_was_worked_out(value: Json, sent: str) -> None:
    (pair,) = parse_qsl(urlsplit(path(ExecuteCall(process="UsrA", parameters={"N": value}))).query)
    assert pair == ("N", sent)
    run = request(RunProcessCall(process="UsrA", parameters={"N": value}, results=()), SITE, username=None)
    (written,) = json.loads(run.body or b"")["parameterValues"]
    assert compact(written["value"]) == (compact(sent) if isinstance(value, list) else sent)


@pytest.mark.parametrize(
    ("value", "sent"), [(0.00001, "0.00001"), (1e22, "10000000000000000000000"), (-1.5e-7, "-0.00000015")]
)
def test_a_number_in_a_query_has_all_its_digits_and_no_exponent(value: float, sent: str) -> None:
    (pair,) = parse_qsl(urlsplit(path(ExecuteCall(process="UsrA", parameters={"N": value}))).query)
    assert pair == ("N", sent)


def plain(value: Json) -> Json:
    return well_formed(value) if isinstance(value, str) else value


def test_lone_surrogates_are_written_as_something_that_utf_8_has() -> None:
    assert request(CompleteCall(uid="u", parameters={"A": "\ud800"}), SITE, username=None).body is not None
    assert "A=%EF%BF%BD" in path(ExecuteCall(process="P", parameters={"A": "\ud800"}))


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://site.example", "site.example"),
        ("http://127.0.0.1:8080/app/", "127.0.0.1:8080"),
        ("https://ann:p4ss@site.example", "site.example"),
        ("https://ann:p4ss@[::1", "the site"),
        ("p4ss", "the site"),
    ],
)
def test_a_site_is_called_by_its_host_and_never_by_what_else_its_url_holds(url: str, name: str) -> None:
    assert Site(url=url).name == name


def test_a_site_is_made_of_its_target() -> None:
    calls = CallOptions(element_call=ElementPlace.QUERY, execute_method=ExecuteMethod.POST, rate=5.0)
    target = SiteTarget(
        name="staging",
        url="https://x",
        runtime=Runtime.NET,
        auth=PASSWORD.credentials(username="a", password="b"),
        calls=calls,
        identity_url="https://i",
        headers=(("X-Key", "1"),),
        proxy="http://ann:hunter2@proxy",
    )
    site = Site(
        url="https://x",
        prefix="",
        calls=calls,
        identity_url="https://i",
        headers=(("X-Key", "1"),),
        authorities="PEM",
        proxy="http://ann:hunter2@proxy",
    )
    assert site_of(target, authorities="PEM") == site
    assert "hunter2" not in repr(site)
    assert site_of(SiteTarget(name="s", url="https://x")).prefix == "/0"


def test_the_user_agent_gives_our_name_and_version() -> None:
    assert dict(request(ElementCall(uid="u"), SITE, username=None).headers)["User-Agent"] == f"creatio-runner/{VERSION}"


@pytest.mark.parametrize("uid", [None, "7d8f6f3e-5a52-4b8f-9a54-2b6f0f8c1a11"])
def test_a_version_is_named_by_its_own_code_and_the_id_of_its_design(uid: str | None) -> None:
    version = Version(number=2, code="UsrA_v1", uid=uid)
    sent = request(RunProcessCall(process="UsrA", parameters={"X": 1}, version=version), SITE, username=None)
    assert sent.path == "/0/ServiceModel/ProcessEngineService.svc/RunSpecifiedProcessVersion"
    body = json.loads(sent.body or b"")
    assert (body["schemaName"], body.get("schemaUId")) == ("UsrA_v1", uid)
    assert body["parameterValues"] == [{"name": "X", "value": 1}]
