import pytest
from bounded import bounded
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.foundation import suggestions
from runner.foundation.suggestions import suggest
from runner.json_schema import formats, schemas

STEP: tuple[str, ...] = (
    "id",
    "name",
    "if",
    "for_each",
    "execute",
    "element",
    "elements",
    "run",
    "wait",
    "cancel",
    "failures",
    "signal",
    "query",
    "job",
    "confirm",
)
STEP += ("pause", "effect", "retry", "timeout", "verify", "expect", "outputs", "secret", "on_failure", "undo", "help")
JOB: tuple[str, ...] = (
    "runner",
    "name",
    "description",
    "help",
    "tags",
    "target",
    "timeout",
    "cleanup_timeout",
    "inputs",
    "vars",
)
JOB += ("defaults", "cases", "concurrency", "steps", "finally", "outputs")
RETRY = ("max_attempts", "initial", "factor", "max", "jitter", "on")


@pytest.mark.parametrize(
    ("word", "known", "ours"),
    [
        ("exceute", STEP, "execute"),
        ("outptus", STEP, "outputs"),
        ("expects", STEP, "expect"),
        ("onFailure", STEP, "on_failure"),
        ("ON-FAILURE", STEP, "on_failure"),
        ("forEach", STEP, "for_each"),
        ("attemps", RETRY, "max_attempts"),
        ("maxAttempts", RETRY, "max_attempts"),
        ("maxattemps", RETRY, "max_attempts"),
        ("step", JOB, "steps"),
        ("tag", JOB, "tags"),
        ("exec", STEP, "execute"),
        ("desc", JOB, "description"),
        ("timeout_seconds", STEP, "timeout"),
        ("GET", ("get", "post"), "get"),
        ("idempotant", ("once", "idempotent", "read"), "idempotent"),
    ],
)
def test_a_misspelt_word_leads_to_the_likely_word(word: str, known: tuple[str, ...], ours: str) -> None:
    assert suggest(word, known) == ours


@pytest.mark.parametrize(
    ("word", "known", "ours"),
    [
        # Ansible
        ("when", STEP, "if"),
        ("with_items", STEP, "for_each"),
        ("loop", STEP, "for_each"),
        ("register", STEP, "outputs"),
        ("ignore_errors", STEP, "on_failure"),
        ("until", STEP, "retry"),
        ("retries", STEP, "retry"),
        ("retries", RETRY, "max_attempts"),
        ("delay", RETRY, "initial"),
        ("tasks", JOB, "steps"),
        ("hosts", JOB, "target"),
        # GitHub Actions
        ("uses", STEP, "job"),
        ("with", STEP, "job"),
        ("with", ("file", "inputs"), "inputs"),
        ("needs", STEP, "if"),
        ("env", JOB, "vars"),
        ("continue-on-error", STEP, "on_failure"),
        ("timeout-minutes", STEP, "timeout"),
        ("runs-on", JOB, "target"),
        # Hurl, Tavern, Step CI, pytest, Robot Framework
        ("asserts", STEP, "expect"),
        ("captures", STEP, "outputs"),
        ("stages", JOB, "steps"),
        ("response", STEP, "expect"),
        ("save", STEP, "outputs"),
        ("check", STEP, "expect"),
        ("assert", STEP, "expect"),
        ("Teardown", JOB, "finally"),
        ("Documentation", JOB, "description"),
    ],
)
def test_a_word_of_a_neighbour_leads_to_ours(word: str, known: tuple[str, ...], ours: str) -> None:
    assert suggest(word, known) == ours


@pytest.mark.parametrize(
    ("word", "known"),
    [
        ("zebra", STEP),
        ("of", RETRY),
        ("x", STEP),
        ("", STEP),
        ("--", STEP),
        ("name", RETRY),
        ("test", ("retry", "result")),
        ("if", ("id", "on")),
        ("when", RETRY),
        ("execute", ()),
        ("e" * 10_000, STEP),
    ],
)
def test_no_suggestion_is_better_than_a_silly_one(word: str, known: tuple[str, ...]) -> None:
    assert suggest(word, known) is None


def test_the_word_with_the_same_beginning_is_suggested_where_several_are_equally_near() -> None:
    assert suggest("pint", ("mint", "pine")) == "pine"
    assert suggest("pint", ("pine", "mint")) == "pine"


def test_a_name_with_another_number_is_no_typo() -> None:
    assert suggest("customer02", ("customer01", "customer12")) is None
    assert suggest("customer1", ("customer01", "customer12")) == "customer01"
    assert suggest("custmer01", ("customer01", "customer12")) == "customer01"


def test_every_word_of_ours_in_the_table_of_neighbours_is_one() -> None:
    shipped = "".join(schemas.shipped_text(name) for name in ("job", "targets", "process"))
    keywords = {"$defs", "dependentSchemas", "items", "type", "pattern", "examples"}
    keywords |= {"string", "integer", "number", "boolean", "array", "object"}
    keywords |= {"status", "$id", *formats.EXAMPLES}  # `status` of a step, in expressions
    ours = {word for meant in suggestions.foreign_words().values() for word in meant}

    assert {word for word in ours if f'"{word}"' not in shipped} <= keywords


def test_the_table_of_neighbours_is_written_as_it_is_looked_up() -> None:
    assert [word for word, ours in suggestions.foreign_words().items() if suggest(word.upper(), ours) is None] == []


@given(st.text(), st.lists(st.text()))
@settings(deadline=None)
def test_a_suggestion_is_a_known_word_and_never_the_word_itself(word: str, known: list[str]) -> None:
    suggestion = suggest(word, known)

    assert suggestion is None or (suggestion in known and suggestion != word)


def test_a_long_word_costs_no_time() -> None:
    with bounded():
        suggest("a" * 1_000_000, ["a" * 1_000_000 + "b"] * 100)
