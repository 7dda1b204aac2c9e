import base64
import html
import json
from collections.abc import Iterable
from itertools import pairwise, product
from urllib.parse import quote, quote_plus

import msgspec
import pytest
from examples import some
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.foundation.values import Json, compact
from runner.secrets import needles
from runner.secrets.holes import MARK
from runner.secrets.needles import Search
from runner.secrets.redact import SHORTEST, Secrets
from runner.secrets.shown import STARS, hide, visible
from runner.secrets.spellings import spellings

PASSWORD = "pä ss/w+rd'<\"1&>"


def knowing(**values: str) -> Secrets:
    secrets = Secrets()
    for name, value in values.items():
        secrets.add(name, value)
    return secrets


def texts_in(value: Json) -> list[str]:
    match value:
        case str():
            return [value]
        case list():
            return [text for item in value for text in texts_in(item)]
        case dict():
            return [*value, *(text for item in value.values() for text in texts_in(item))]
        case _:
            return []


SPELLED = {
    "as it is": PASSWORD,
    "as JSON": json.dumps(PASSWORD, ensure_ascii=False)[1:-1],
    "as JSON in ASCII": json.dumps(PASSWORD)[1:-1],
    "as JSON with escaped slashes": json.dumps(PASSWORD)[1:-1].replace("/", "\\/"),
    "as JSON of a writer that thinks of HTML": "pä ss/w\\u002Brd\\u0027\\u003C\\u00221\\u0026\\u003E",
    "as JSON in JSON": json.dumps(json.dumps(PASSWORD))[3:-3],
    "in a URL": quote(PASSWORD, safe=""),
    "in a URL with small letters": quote(PASSWORD, safe="").replace("%C3%A4", "%c3%a4").replace("%2F", "%2f")
    .replace("%2B", "%2b").replace("%3C", "%3c").replace("%3E", "%3e"),
    "in a URL with a plus for a blank": quote_plus(PASSWORD),
    "in a URL with its slash": quote(PASSWORD),
    "in a URL twice": quote(quote(PASSWORD, safe=""), safe=""),
    "in HTML": html.escape(PASSWORD),
    "in HTML of Jinja": html.escape(PASSWORD).replace("&#x27;", "&#39;").replace("&quot;", "&#34;"),
    "in base64": base64.b64encode(PASSWORD.encode()).decode(),
    "in base64 of URLs": base64.urlsafe_b64encode(PASSWORD.encode()).decode().rstrip("="),
    "in hexadecimal digits": PASSWORD.encode().hex(),
    "in hexadecimal capitals": PASSWORD.encode().hex().upper(),
    "as Python writes it": repr(PASSWORD)[1:-1],
    "as Python writes it in ASCII": ascii(PASSWORD)[1:-1],
    "in HTML with numbers for all": "".join(f"&#{ord(char)};" for char in PASSWORD),
    "in HTML with hexadecimal numbers for all": "".join(f"&#x{ord(char):x};" for char in PASSWORD),
    "in HTML with hexadecimal capitals": "".join(f"&#x{ord(char):X};" for char in PASSWORD),
    "in HTML with numbers where it needs them": "p&#228; ss&#47;w+rd&#39;&#60;&#34;1&#38;&#62;",
    "in HTML with numbers where HTML needs them": "pä ss&#x2f;w+rd&#x27;&#x3c;&#x22;1&#x26;&#x3e;",
    "in HTML with numbers for all but letters": "p&#xE4;&#x20;ss&#x2F;w&#x2B;rd&#x27;&#x3C;&#x22;1&#x26;&#x3E;",
    "as escapes alone": "".join(f"\\u{ord(char):04x}" for char in PASSWORD),
    "as escapes in capitals": "".join(f"\\u{ord(char):04X}" for char in PASSWORD),
    "in base64 of UTF-16": base64.b64encode(PASSWORD.encode("utf-16-le")).decode(),
    "in a URL with all its bytes": "".join(f"%{byte:02X}" for byte in PASSWORD.encode()),
    "in a URL with all its bytes in small letters": "".join(f"%{byte:02x}" for byte in PASSWORD.encode()),
    "in capitals": PASSWORD.upper(),
    "backwards": PASSWORD[::-1],
}  # fmt: skip


@pytest.mark.parametrize("written", SPELLED.values(), ids=SPELLED)
def test_a_secret_is_cut_in_every_spelling_and_comes_back_in_the_same(written: str) -> None:
    secrets = knowing(token=PASSWORD)
    text = f"before {written} after"
    cut = secrets.cut(text)
    assert isinstance(cut, str)
    assert cut.startswith(f"before {MARK}[token")
    assert cut.endswith("] after")
    assert secrets.fill(cut) == text
    assert hide(cut) == secrets.mask(text) == "before *** after"


@pytest.mark.parametrize("secret", ["secret", "secret1", "secret12"])
def test_base64_of_something_around_a_secret_shows_nothing_of_it(secret: str) -> None:
    secrets = knowing(token=secret)
    shared_with_neighbours = 2
    for before, behind in product(["", "a", "ab", "abc", "user:"], ["", "z", "yz", ":xyz"]):
        text = base64.b64encode(f"{before}{secret}{behind}".encode()).decode()
        hidden = len(text) - len(secrets.mask(text).replace(STARS, ""))
        assert hidden > len(secret) * 8 / 6 - shared_with_neighbours, (before, behind)


@pytest.mark.parametrize("before", ["", "a", "ab", "user:"])
@pytest.mark.parametrize("behind", ["", "z", ":xyz"])
def test_base64_of_utf_16_around_a_secret_shows_nothing_of_it(before: str, behind: str) -> None:
    secrets = knowing(token="secret12")
    text = base64.b64encode(f"{before}secret12{behind}".encode("utf-16-le")).decode()
    hidden = len(text) - len(secrets.mask(text).replace(STARS, ""))
    assert hidden > 2 * len("secret12") * 8 / 6 - 2
    assert secrets.fill(secrets.cut(text)) == text


@pytest.mark.parametrize("secret", ["swordfish\udcff", "\ud800 pä<ss>/word", "pass\udfffword", "\ud83d" * 8, "x\ude00"])
def test_a_secret_with_half_of_a_surrogate_pair_is_cut_and_comes_back(secret: str) -> None:
    """JSON of a site may hold one, as may an argument of a command that is not UTF-8."""
    secrets = knowing(token=secret)
    value: Json = {"whole": secret, "in": f"before {secret} after", "JSON": json.dumps(secret), secret: 1}
    assert secrets.appears_in(compact(value))
    cut = secrets.cut(value)
    assert secrets.fill(cut) == value
    if len(secret) >= SHORTEST:
        assert secrets.mask(f"before {secret} after") == secrets.mask(f"before {ascii(secret)[1:-1]} after")
        assert secret not in str(cut) + str(hide(cut))


def test_a_character_beyond_sixteen_bits_is_escaped_as_two() -> None:
    secrets = knowing(token="a😀bcdef")
    assert secrets.mask(r"\u0061\ud83d\ude00\u0062\u0063\u0064\u0065\u0066") == STARS


@pytest.mark.parametrize("length", range(3, 9))
def test_a_secret_whose_end_was_left_out_of_a_text_is_hidden(length: int) -> None:
    secrets = knowing(token="swordfish")
    text = f"it said {'swordfish'[:length]}… and more"
    assert secrets.mask(text) == "it said ***… and more"
    assert secrets.cut(text) == f"it said {MARK}[token|plain|0|{length}]… and more"
    assert secrets.fill(secrets.cut(text)) == text
    assert secrets.appears_in(compact([text]))


def test_a_secret_whose_end_was_left_out_is_hidden_in_every_spelling() -> None:
    secrets = knowing(token=PASSWORD)
    ways = list(spellings(PASSWORD).values())
    for way in (*ways[:40], *ways[40::40]):
        for length in range(3, len(way)):
            shown = secrets.mask(f"x: {way[:length]}…")
            assert way[:length] not in shown
            assert secrets.fill(secrets.cut(f"x: {way[:length]}…")) == f"x: {way[:length]}…"


@pytest.mark.parametrize("secret", ["ab…cdefgh", "abc…defgh", "abcdef…ghijkl", "……………………"])
def test_a_secret_that_holds_the_sign_of_a_shortened_text_is_hidden_however_it_is_shortened(secret: str) -> None:
    secrets = knowing(token=secret)
    for length in range(3, len(secret) + 1):
        text = f"x: {secret[:length]}… and {secret}"
        assert secrets.mask(text).replace("***…", "***") == "x: *** and ***"
        assert secrets.fill(secrets.cut(text)) == text


def test_two_letters_of_a_secret_before_a_text_that_was_shortened_are_none() -> None:
    assert knowing(token="swordfish").mask("it says… and the words, sword and so on…") == (
        "it says… and the words, sword and so on…"
    )


def test_the_secret_that_hides_more_is_taken_where_two_begin_alike() -> None:
    secrets = knowing(short="swordf", long="swordfish and chips")
    assert secrets.mask("swordfish an…") == "***…"
    assert secrets.mask("swordfish xx…") == "***ish xx…"


def test_the_hole_is_named_after_the_secret_and_its_spelling() -> None:
    secrets = knowing(**{"inputs.token": PASSWORD})
    assert secrets.cut(PASSWORD) == f"{MARK}[inputs.token]"
    assert secrets.cut(quote(PASSWORD, safe="")) == f"{MARK}[inputs.token|url]"


def test_the_mark_itself_is_doubled() -> None:
    secrets = knowing(token="swordfish")
    assert secrets.cut(f"{MARK}[token] swordfish") == f"{MARK}{MARK}[token] {MARK}[token]"
    assert hide(secrets.cut(f"{MARK}[token] swordfish")) == f"{MARK}[token] ***"


def test_keys_of_records_are_cut_and_hidden() -> None:
    secrets = knowing(token="swordfish")
    value: Json = {"swordfish": {"x swordfish": [1, None]}, "other": True}
    assert secrets.cut(value) == {f"{MARK}[token]": {f"x {MARK}[token]": [1, None]}, "other": True}
    assert secrets.fill(secrets.cut(value)) == value


def test_keys_that_are_hidden_alike_lose_no_value() -> None:
    secrets = knowing(one="swordfish", two="flounder")
    assert hide(secrets.cut({"swordfish": 1, "flounder": 2, "flounder!": 3})) == {"***": 1, "*** (2)": 2, "***!": 3}


def test_no_part_of_a_secret_survives_that_holds_another() -> None:
    secrets = knowing(short="swordfish", long="the swordfish swims")
    assert secrets.mask("see the swordfish swims, a swordfish") == "see ***, a ***"


def test_nothing_survives_of_two_secrets_that_overlap() -> None:
    secrets = knowing(one="abcdefgh", two="efghijkl", three="klmnopqr")
    text = "-abcdefghijklmnopqr-"
    assert secrets.cut(text) == f"-{MARK}[one]{MARK}[two|plain|4]{MARK}[three|plain|2]-"
    assert secrets.fill(secrets.cut(text)) == text
    assert hide(secrets.cut(text)) == secrets.mask(text) == "-***-"


def test_as_few_holes_are_made_as_hide_everything() -> None:
    secrets = knowing(one="abcdef", two="bcdefg", three="cdefghijklm")
    assert secrets.cut("abcdefghijklm") == f"{MARK}[one]{MARK}[three|plain|4]"


def test_the_longer_secret_is_found_where_two_begin_alike() -> None:
    secrets = knowing(short="swordfish", long="swordfish and chips")
    assert secrets.cut("swordfish and chips") == f"{MARK}[long]"
    assert secrets.cut("swordfish and") == f"{MARK}[short] and"


def test_a_secret_with_a_quote_is_found_between_either_quotes_of_python() -> None:
    secrets = knowing(token="it's\x07it")
    assert secrets.mask(repr("it's\x07it")) == '"***"'
    assert secrets.mask(repr("\"it's\x07it")) == "'\"***'"


def test_a_short_secret_is_hidden_only_where_it_is_a_whole_value() -> None:
    secrets = knowing(pin="1234")
    value: Json = {"pin": "1234", "phone": "555 1234", "1234": 1234}
    assert hide(secrets.cut(value)) == {"pin": "***", "phone": "555 1234", "1234": 1234}
    assert secrets.fill(secrets.cut(value)) == value
    assert secrets.mask("1234") == "***"
    assert secrets.weak == ("pin",)
    secrets.add("pin of the environment", secrets.plain["pin"])
    assert secrets.weak == ("pin",), "nobody reads of one value twice"


@pytest.mark.parametrize("number", [9.482736415827365e16, 1.25e-07, -2.5e300, 48273645.5, 94827364158273641])
def test_a_number_that_is_a_secret_appears_in_the_json_that_a_journal_writes(number: float) -> None:
    secrets = knowing(made=json.dumps(number))
    assert secrets.appears_in_json(msgspec.json.encode({"V": number}))
    assert secrets.fill(secrets.cut({"V": number})) == {"V": number}
    assert STARS in secrets.mask(json.dumps({"V": number}))


def test_a_number_that_is_written_like_a_secret_is_hidden_and_comes_back_as_a_number() -> None:
    secrets = knowing(account="1234567", ratio="1234.5678", word="true")
    value: Json = [1234567, 12345678, 1234.5678, True, "1234567"]
    shown = hide(secrets.cut(value))
    assert shown == ["***", 12345678, "***", True, "***"]
    filled = secrets.fill(secrets.cut(value))
    assert filled == value
    assert isinstance(filled, list)
    assert [type(item) for item in filled] == [int, int, float, bool, str]


def test_a_secret_that_is_a_name_of_a_secret_is_not_in_a_hole() -> None:
    secrets = knowing(**{"inputs.token": "swordfish", "inputs": "inputs.token"})
    cut = secrets.cut("swordfish and inputs.token")
    assert isinstance(cut, str)
    assert "inputs.token" not in cut
    assert secrets.fill(cut) == "swordfish and inputs.token"
    assert hide(cut) == "*** and ***"


def test_a_name_may_hold_any_character() -> None:
    name = f"target.headers.x|y]z[%{MARK}"
    secrets = knowing(**{name: "swordfish"})
    assert secrets.fill(secrets.cut("a swordfish")) == "a swordfish"
    assert hide(secrets.cut("a swordfish")) == "a ***"


def test_a_secret_of_stars_is_hidden_too() -> None:
    secrets = knowing(one="******", two="swordfish")
    assert "******" not in secrets.mask("***swordfish***swordfish******")


def test_adding_again_changes_nothing_and_another_value_is_known_beside_the_first() -> None:
    secrets = knowing(token="swordfish")
    secrets.add("token", "swordfish")
    secrets.add("token", "flounder")
    assert secrets.cut(["swordfish", "flounder"]) == [f"{MARK}[token]", f"{MARK}[token#2]"]


def test_an_empty_secret_is_passed_over() -> None:
    secrets = knowing(token="")
    assert secrets.cut(["", "a"]) == ["", "a"]
    assert secrets.mask("a") == "a"


def test_a_secret_that_is_added_later_is_hidden_from_then_on() -> None:
    secrets = knowing(one="swordfish")
    assert secrets.mask("swordfish flounder") == "*** flounder"
    secrets.add("two", "flounder")
    assert secrets.mask("swordfish flounder") == "*** ***"


def test_filling_a_hole_of_an_unknown_secret_is_a_fault() -> None:
    with pytest.raises(LookupError, match=r"`token` is not known"):
        Secrets().fill(f"{MARK}[token]")


def test_what_only_looks_like_a_hole_is_shown_without_a_crash() -> None:
    assert hide([f"{MARK}[a|b|c]", f"{MARK}[", MARK, f"{MARK}[]"]) == ["***", f"{MARK}[", MARK, "***"]


@pytest.mark.parametrize(
    "value", [PASSWORD, [f"x{repr(PASSWORD)[1:-1]}y"], {PASSWORD: 1}, MARK, "1234", ["1234"], {"a": 1234567}]
)
def test_a_secret_is_noticed_in_the_json_of_a_value(value: Json) -> None:
    secrets = knowing(token=PASSWORD, pin="1234", number="1234567")
    assert secrets.appears_in(compact(value))
    assert not secrets.appears_in(compact({"text": "pa 123 1234 5"}))


def test_values_may_nest_as_deep_as_they_like() -> None:
    value: Json = "swordfish"
    for _ in range(20_000):
        value = [value]
    shown = hide(knowing(token="swordfish").cut(value))
    while isinstance(shown, list):
        shown = shown[0]
    assert shown == "***"


@pytest.mark.slow
def test_a_text_full_of_marks_or_holes_takes_no_longer_than_any_other() -> None:
    secrets = knowing(token="swordfish")
    text = MARK * 200_000 + "swordfish, " * 20_000
    cut = secrets.cut(text)
    assert secrets.fill(cut) == text
    assert hide(cut) == MARK * 200_000 + "***, " * 20_000


def test_every_spelling_has_a_name_of_its_own_that_depends_on_the_text_alone() -> None:
    assert spellings(PASSWORD) == spellings(PASSWORD)
    assert len(set(spellings(PASSWORD).values())) == len(spellings(PASSWORD))
    assert set(spellings("swordfish")) >= {"plain", "base64", "hex", "case", "reversed"}


def test_runs_that_have_the_same_secret_do_not_work_its_spellings_out_again() -> None:
    assert spellings("swordfish") is spellings("swordfish")


ALPHABET = "ab1 /+%\"'\\<&\né😀[]|*.-#…\ud83d\udcff"
SECRET_TEXTS = st.text(ALPHABET, min_size=1, max_size=12)


@st.composite
def secrets_and_value(draw: st.DrawFn) -> tuple[dict[str, str], Json]:
    texts = draw(st.lists(SECRET_TEXTS, max_size=4))
    known = {draw(st.sampled_from(["inputs.a", "vars.b", "a|b", "ab1 /+"])) + str(place): text
             for place, text in enumerate(texts)}  # fmt: skip
    spelled = [way for text in texts for way in spellings(text).values()]
    halves = [way[:half] for way in spelled for half in (len(way) // 2,)] + [way[1:] for way in spelled]
    pool = [*spelled, *halves, MARK, f"{MARK}[inputs.a0]", "***", "\ue001", "x"]
    bits = st.integers(0, len(pool) - 1).map(lambda at: pool[at])  # `sampled_from` would print all of them
    text = st.lists(bits | st.text(ALPHABET + MARK, max_size=5), max_size=5).map("".join)
    leaves = text | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.booleans() | st.none()
    value: Json = draw(
        st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3))
    )
    return known, value


@pytest.mark.slow
@settings(max_examples=some(50), deadline=None)
@given(secrets_and_value())
def test_filling_gives_back_exactly_what_was_cut_and_what_was_cut_holds_no_secret(
    given_secrets: tuple[dict[str, str], Json],
) -> None:
    known, value = given_secrets
    secrets = knowing(**known)
    cut = secrets.cut(value)
    assert compact(secrets.fill(cut)) == compact(value)
    strong = [text for text in known.values() if len(text) >= SHORTEST]
    ways = {way for text in strong for way in spellings(text).values() if len(way) >= SHORTEST}
    for text in (*texts_in(cut), *texts_in(hide(cut))):
        # our own stars may complete a text that merely ended like a secret which begins with one
        assert not [way for way in ways if way in text and not way.startswith("*") and not way.endswith("*")]
    weak = {text for text in known.values() if len(text) < SHORTEST}
    assert not weak.intersection(leaf for leaf in texts_in(_without_keys(cut)))
    if cut != value:
        assert secrets.appears_in(compact(value))


def _without_keys(value: Json) -> Json:
    match value:
        case dict():
            return [_without_keys(item) for item in value.values()]
        case list():
            return [_without_keys(item) for item in value]
        case _:
            return value


@pytest.mark.slow
@settings(max_examples=some(100), deadline=None)
@given(st.lists(st.text("ab", min_size=6, max_size=9), min_size=1, max_size=3), st.text("ab", max_size=40))
def test_however_secrets_overlap_no_character_of_any_is_left(texts: list[str], text: str) -> None:
    secrets = knowing(**{f"s{place}": secret for place, secret in enumerate(texts)})
    covered = [False] * len(text)
    for way in {way for secret in texts for way in spellings(secret).values()}:
        for start in range(len(text)):
            if text.startswith(way, start):
                covered[start : start + len(way)] = [True] * len(way)
    bare = "".join(char if not hidden else "\0" for char, hidden in zip(text, covered, strict=True))
    assert secrets.mask(text) == STARS.join(_runs(bare))
    assert secrets.fill(secrets.cut(text)) == text


def _runs(bare: str) -> list[str]:
    borders = [0, *(place for place in range(1, len(bare)) if (bare[place] == "\0") != (bare[place - 1] == "\0"))]
    runs = [bare[start:end] for start, end in pairwise([*borders, len(bare)])]
    shown = [run for run in runs if "\0" not in run]
    head = [""] if runs and "\0" in runs[0] else []
    tail = [""] if runs and "\0" in runs[-1] else []
    return [*head, *shown, *tail]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text", "plain text"),
        ("Grüße 😀 \ue000", "Grüße 😀 \ue000"),
        ("\x1b[31mred\x1b[0m", "\\u001b[31mred\\u001b[0m"),
        ("a\tb", "a\tb"),
        ("a\nb\rc", "a\\u000ab\\u000dc"),
        ("\x00\x07\x7f\x85\x9b", "\\u0000\\u0007\\u007f\\u0085\\u009b"),
        ("\u202eevil\u2066\u200f\u061c", "\\u202eevil\\u2066\\u200f\\u061c"),
        ("a\u200b\u200d\u2060\ufeff\xad", "a\\u200b\\u200d\\u2060\\ufeff\\u00ad"),
        ("a\u2028b\u2029c", "a\\u2028b\\u2029c"),
        ("\ud800x\udfff", "\\ud800x\\udfff"),
        ("\U000e0041", "\\U000e0041"),
    ],
)
def test_text_from_outside_shows_its_invisible_characters(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_lines_are_kept_where_they_are_wanted() -> None:
    assert visible("a\r\nb\n\x1bc\rd", keep_lines=True) == "a\nb\n\\u001bc\\u000dd"


@given(st.text())
def test_no_control_character_survives(text: str) -> None:
    shown = visible(text)
    assert all(char == "\t" or not (char < " " or "\x7f" <= char <= "\x9f") for char in shown)
    assert shown == shown.encode(errors="replace").decode()


def test_the_newest_values_of_a_secret_that_changes_are_searched_for_and_all_are_filled_in() -> None:
    secrets = Secrets()
    cut = []
    for number in range(20):
        secrets.add("cookie", f"value-{number:04d}", newest=8)
        cut.append(secrets.cut(f"value-{number:04d}"))
    assert [secrets.mask(f"value-{number:04d}") for number in range(12, 20)] == [STARS] * 8
    assert secrets.mask("value-0000") == "value-0000"
    assert [secrets.fill(one) for one in cut] == [f"value-{number:04d}" for number in range(20)]


@given(st.lists(st.text("ab-", min_size=SHORTEST, max_size=12), min_size=2, max_size=5, unique=True), st.data())
def test_values_of_one_name_are_hidden_as_those_of_several_are(values: list[str], data: st.DataObject) -> None:
    """They overlap, and one begins as another does."""
    several = knowing(**{f"cookie_{number}": value for number, value in enumerate(values)})
    secrets = Secrets()
    for value in values:
        secrets.add("cookie", value)
    parts = [*values, *(value[3:] for value in values), *(f"{value[:4]}…" for value in values), " "]
    text = "".join(data.draw(st.lists(st.sampled_from(parts), max_size=8)))
    assert secrets.mask(text) == several.mask(text)
    assert secrets.appears_in(text) == several.appears_in(text)
    assert secrets.fill(secrets.cut(text)) == text


def test_another_value_of_a_name_makes_patterns_of_itself_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    def compiled(words: Iterable[str]) -> Search:
        made.extend(words)
        return search_for(words)

    secrets = knowing(password=PASSWORD, cookie="a-first-value")
    assert secrets.appears_in("a-first-value")
    search_for = needles.search_for
    monkeypatch.setattr(needles, "search_for", compiled)
    secrets.add("cookie", "the-next-value")
    assert secrets.appears_in("the-next-value")
    assert "the-ne" in made
    assert not [word for word in made if word.startswith((PASSWORD[:4], "a-fir"))]
