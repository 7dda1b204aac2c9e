import contextlib
import gc
import json
import re
import tracemalloc
import zlib

import pytest
from bounded import bounded
from hypothesis import given
from hypothesis import strategies as st

from runner.foundation.values import Json, JsonObject
from runner.service import bodies
from runner.service.bodies import Fault, JsonBody, NonsenseError, NotJsonError, Page, TooLargeError, Wrapped
from runner.service.words import first_line, short_line, words_of

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", None),
        (b" \r\n", None),
        (b"\xef\xbb\xbf", None),
        (b"42", JsonBody(42)),
        (b'{"a": [1]}', JsonBody({"a": [1]})),
        (b'\xef\xbb\xbf"x"', JsonBody("x")),
        ('"ü"'.encode("utf-16"), JsonBody("ü")),
        (
            b'<string xmlns="http://schemas.microsoft.com/2003/10/Serialization/">"a &amp; b &lt; c"</string>',
            Wrapped('"a & b < c"'),
        ),
        (b"<string/>", Wrapped("")),
        (b'<?xml version="1.0" encoding="utf-8"?>\n<string>1</string>\n', Wrapped("1")),
        (b'<z:string xmlns:z="urn:z">1</z:string>', Wrapped("1")),
        (b"<string><![CDATA[<!DOCTYPE html>]]></string>", Wrapped("<!DOCTYPE html>")),
        (b"<boolean>true</boolean>", Wrapped("true")),
        (b"<Fault><Reason><Text>No\n such  process</Text></Reason></Fault>", Fault("No such process")),
        (b'<f:Fault xmlns:f="u"><faultstring>x</faultstring></f:Fault>', Fault("x")),
        (b"<Fault/>", Fault("")),
        (b"<!DOCTYPE html><html><head><title>502 &amp; more\n</title>", Page("502 & more")),
        (b"  <!-- a --><HTML></HTML>", Page("")),
        (b'<?xml version="1.0"?><!DOCTYPE html PUBLIC "x"><html/>', Page("")),
    ],
)
def test_a_body_is_reported_by_what_it_is(body: bytes, expected: bodies.Content) -> None:
    assert bodies.content(body) == expected


@pytest.mark.parametrize(
    ("charset", "content_type", "meta"),
    [
        ("windows-1251", "text/html; charset=windows-1251", ""),
        ("windows-1251", "text/html", '<meta http-equiv="Content-Type" content="text/html; charset=windows-1251"/>'),
        ("windows-1251", "text/html", "<meta charset='windows-1251'>"),
        ("utf-8", "text/html; charset=windows-1251", '<meta charset="iso-8859-1">'),
        ("utf-8", "text/html", ""),
    ],
)
def test_a_page_is_read_in_its_charset(charset: str, content_type: str, meta: str) -> None:
    page = f"<html><head>{meta}<title>500 - Внутренняя ошибка</title></head>Нет прав</html>".encode(charset)
    assert bodies.content(page, content_type=content_type) == Page("500 - Внутренняя ошибка")
    assert bodies.page_text(page, content_type=content_type).endswith("Нет прав")


def test_a_page_in_a_charset_that_nobody_knows_is_read_as_far_as_it_can_be() -> None:
    page = "<html><title>500 ошибка".encode("windows-1251") + b"</title>"
    assert bodies.title(page, content_type="text/html; charset=x-none") == "500 " + "\ufffd" * 6


def test_utf_16_is_read_where_the_header_says_so() -> None:
    assert bodies.content(
        '{"a": "ü"}'.encode("utf-16-le"), content_type="application/json; charset=UTF-16"
    ) == JsonBody({"a": "ü"})


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"OK", "it is no JSON"),
        (b'{"a": 1', "it is no JSON: "),
        (b'{"a": 1} x', "it is no JSON: Extra data"),
        (b'"a\x01"', "it is no JSON: Invalid control character"),
        (b"\xff\xfa\x01", "it is not UTF-8"),
        (b"NaN", "its JSON holds NaN"),
        (b"[-Infinity]", "its JSON holds -Infinity"),
        (b"1e999", "its JSON holds a number that is too large"),
        (b"9223372036854775808", "its JSON holds an integer of more than 64 bits"),
        (b"1" * 100_000, "its JSON holds an integer of more than 64 bits"),
        (b"[" * 100_000, "its JSON is nested over 200 levels deep"),
        (b"[" * 201 + b"]" * 201, "its JSON is nested over 200 levels deep"),
        (b"[" + b"[]," * 2_000_000 + b"[]]", "its JSON holds more than 2000000 lists and records"),
        (b"<string>", "it is no whole XML: no element found"),
        (b"<string>a</string>b", "it is no whole XML: junk after document element"),
        (b"<string>&bomb;</string>", "it is no whole XML: undefined entity"),
        (b'<!DOCTYPE s [<!ENTITY a "b">]><string>&a;</string>', "it is XML with a document type"),
        (b"<string><a/></string>", "it is XML that the service does not send, with the root `string`"),
        (b"<feed/>", "it is XML that the service does not send, with the root `feed`"),
        (b"<a>" * 100_000, "it is no whole XML: "),
    ],
    ids=lambda value: value[:30].decode("latin-1") if isinstance(value, bytes) else None,
)
def test_nonsense_is_reported_in_words(body: bytes, said: str) -> None:
    with pytest.raises(NonsenseError) as raised:
        bodies.content(body)
    assert str(raised.value).startswith(said)


def test_numbers_and_levels_up_to_the_bounds_are_read() -> None:
    assert bodies.parsed("[9223372036854775807, -9223372036854775808]") == [2**63 - 1, -(2**63)]
    assert bodies.parsed("[" * 200 + "]" * 200)


@pytest.mark.parametrize("many", ["{},", "[],", "1,", '"a",'])
def test_after_many_items_too_many_levels_and_digits_are_seen_as_well(many: str) -> None:
    texts = '{"account": "40702810900000012345"}'
    assert bodies.parsed(f"[{many * 300}{texts}]") == [*json.loads(f"[{many * 299}{many[:-1]}]"), json.loads(texts)]
    with pytest.raises(NonsenseError, match="200 levels deep"):
        bodies.parsed(f"[{many * 300}{'[' * 200}{']' * 200}]")
    with pytest.raises(NonsenseError, match="integer of more than 64 bits"):
        bodies.parsed(f'[{many * 300}{{"a": {2**63}}}]')


def test_json_beyond_the_bounds_is_json_all_the_same() -> None:
    with pytest.raises(NonsenseError) as raised:
        bodies.parsed("NaN")
    assert not isinstance(raised.value, NotJsonError)


@pytest.mark.slow
@given(JSON)
def test_any_json_is_read_as_it_was_written(value: Json) -> None:
    assert bodies.content(json.dumps(value).encode()) == JsonBody(bodies.parsed(json.dumps(value)))
    text = json.dumps(value, ensure_ascii=False)
    assert bodies.parsed(text) == value


_DAMAGE = ["", "0", "-", "9" * 19, "e9", ".", '"', "\\", "\\ud800", "[", "]", ",", "\n", "\x01", "NaN"]


@given(JSON.map(json.dumps), st.sampled_from(_DAMAGE), st.data())
def test_damaged_json_is_read_as_the_standard_library_reads_it_or_not_at_all(
    text: str, damage: str, data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(text)))
    damaged = text[:at] + damage + text[at + data.draw(st.integers(0, 2)) :]
    found, expected = "nonsense", "nonsense"
    with contextlib.suppress(NonsenseError):
        found = repr(bodies.parsed(damaged))
    with contextlib.suppress(ValueError):
        expected = repr(json.loads(damaged, strict=damage != "\n"))
    is_bounded = re.search(r"\d{19}|\d{8}[.]\d|NaN|e\+?\d{2,}|\\u[dD][89a-fA-F]", damaged) is None
    assert found == expected or not is_bounded


@pytest.mark.parametrize("integer", [2**63, -(2**63) - 1, 2**64, 10**30])
def test_an_integer_beyond_64_bits_is_refused_wherever_it_is(integer: int) -> None:
    for value in (integer, [integer], {"a": [{"b": integer}]}):
        with pytest.raises(NonsenseError, match="integer of more than 64 bits"):
            bodies.parsed(json.dumps(value))


def test_the_last_of_a_key_that_is_there_twice_counts() -> None:
    assert bodies.parsed('{"a": 1, "b": 2, "a": 3}') == {"a": 3, "b": 2}


@pytest.mark.parametrize("text", [r'{"a": ["\udfff"]}', r'{"\ud800": 1}', r'"cut in half: \ud83d"'])
def test_half_of_a_surrogate_pair_is_nonsense_or_on_demand_something_that_can_be_written(text: str) -> None:
    with pytest.raises(NonsenseError, match="a text in its JSON has half of a surrogate pair, which cannot be stored"):
        bodies.parsed(text)
    assert "\ufffd" in json.dumps(bodies.parsed(text, halves=True), ensure_ascii=False)
    assert bodies.parsed(r'{"\ud83d\ude00": ["\ud83d\ude00", "\\ud83d"]}') == {"😀": ["😀", r"\ud83d"]}


@pytest.mark.parametrize("amount", ["99999999999999.99", "-900719925474099.31", f"{2**64}.5"])
def test_an_amount_with_more_digits_than_a_number_keeps_becomes_a_text_that_keeps_them(amount: str) -> None:
    assert bodies.parsed(amount) == amount
    assert bodies.parsed(f'[{{"a": {amount}, "b": 1.5}}, "{amount}"]') == [{"a": amount, "b": 1.5}, amount]
    assert bodies.decoded(f"[{amount}]") == [amount]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("123456789.12345678", 123456789.12345678),
        ("9999999999999.99", 9999999999999.99),
        ("33.33333333333333333333", 100 / 3),
        ("12345678.12345600000000000", 12345678.123456),
        ("0.1000000000000000055511", 0.1),
    ],
)
def test_a_number_that_is_kept_or_is_no_amount_stays_a_number(text: str, value: float) -> None:
    assert bodies.parsed(f'["99999999999999.99", {text}]') == ["99999999999999.99", value]


@given(st.binary(max_size=200), st.sampled_from([b"", b"<", b"<string>", b"{", b'"', b"\xff\xfe"]))
def test_any_bytes_are_content_or_nonsense(noise: bytes, start: bytes) -> None:
    with contextlib.suppress(NonsenseError):
        bodies.content(start + noise)


def test_a_large_tree_of_xml_costs_no_tree() -> None:
    with bounded(), pytest.raises(NonsenseError):
        bodies.content(b"<string>" + b"<a/>" * 500_000 + b"</string>")


CAUSE = "Column by path AccountId not found in schema Contact."
HEADLINE = "An error has occurred."


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"error": {"code": "", "message": CAUSE, "innererror": {"message": "", "type": ""}}}, CAUSE),
        ({"error": {"message": HEADLINE, "innererror": {"message": CAUSE, "stacktrace": "at A.B()"}}}, CAUSE),
        (
            {"error": {"message": HEADLINE, "innererror": {"message": "A", "internalexception": {"message": CAUSE}}}},
            CAUSE,
        ),
        ({"Message": HEADLINE, "ExceptionMessage": CAUSE, "ExceptionType": "A.B"}, CAUSE),
        ({"Message": HEADLINE, "ExceptionMessage": "A", "InnerException": {"ExceptionMessage": CAUSE}}, CAUSE),
        ({"error": {"message": HEADLINE}}, HEADLINE),
        ({"odata.error": {"code": "", "message": {"lang": "en-US", "value": CAUSE}}}, CAUSE),
        ({"Message": "The request is invalid.", "ModelState": {"contact.Age": [CAUSE]}}, f"contact.Age: {CAUSE}"),
    ],
)
def test_the_words_of_a_fault_are_those_of_its_cause(fault: JsonObject, words: str) -> None:
    assert words_of(fault) == words


def test_words_of_the_service_are_put_on_one_short_line() -> None:
    assert short_line("  two\r\n\tlines\x1b[0m \x00 ") == "two lines [0m"
    assert short_line("x" * 1000) == "x" * 299 + "…"


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "GZIP", " deflate"])
def test_packed_bodies_are_unpacked(encoding: str) -> None:
    wrapping = zlib.MAX_WBITS if "deflate" in encoding else zlib.MAX_WBITS | 16
    assert bodies.inflated(zlib.compress(b"text" * 100, wbits=wrapping), encoding) == b"text" * 100


@pytest.mark.slow
def test_a_body_of_the_largest_size_is_unpacked_and_a_larger_one_is_not_even_unpacked_to_its_end() -> None:
    packed = zlib.compress(bytes(bodies.LARGEST_BODY), 1, wbits=zlib.MAX_WBITS | 16)
    assert len(bodies.inflated(packed, "gzip")) == bodies.LARGEST_BODY
    bomb = zlib.compress(bytes(4 * bodies.LARGEST_BODY), 1, wbits=zlib.MAX_WBITS | 16)
    tracemalloc.start()
    with pytest.raises(TooLargeError):
        bodies.inflated(bomb, "gzip")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3 * bodies.LARGEST_BODY


def test_how_a_body_is_packed_is_said_as_it_was_written_so_that_a_secret_in_it_is_found() -> None:
    with pytest.raises(NonsenseError, match="it is packed as `Zx9Q`, which nobody asked for"):
        bodies.inflated(b"x", " Zx9Q ")


def test_what_has_read_an_answer_is_free_at_once_and_waits_for_no_collector() -> None:
    gc.collect()
    gc.disable()
    try:
        assert bodies.content(b"<string>1</string>") == Wrapped("1")
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_a_text_that_was_cut_says_so_also_where_it_is_short_without_its_blanks() -> None:
    assert short_line("a" + " " * 1200 + "b") == "a…"
    assert short_line("a \n\t b") == "a b"


def test_a_first_line_says_that_there_are_more() -> None:
    assert [first_line(text) for text in ("one", "one\n", "one\ntwo", "x" * 400 + "\ntwo")] == [
        "one",
        "one",
        "one…",
        "x" * 299 + "…",
    ]
