"""The reference is complete and true: its tables are drawn from what they describe."""

import re

from expected_texts import ExpectedTexts
from module_index import MAP
from reference import ACTIONS, REFERENCE, generated, keys_of, parts

from runner.foundation.problems import ExitCode

PAGE = REFERENCE.read_text(encoding="utf-8")


def test_the_reference_says_what_schemas_commands_and_codes_say(expected_texts: ExpectedTexts) -> None:
    expected_texts.check(REFERENCE, generated(PAGE))


def test_the_map_has_the_first_line_of_each_module(expected_texts: ExpectedTexts) -> None:
    page = MAP.read_text(encoding="utf-8")
    assert "modules" in parts(page)
    expected_texts.check(MAP, generated(page))


def test_every_action_and_every_record_of_the_schemas_has_its_part() -> None:
    wanted = {f"job {action}" for action in ACTIONS if action not in {"confirm", "pause"}}
    wanted |= {"job", "job step", "job retry", "job input", "job case", "job expectation", "job defaults"}
    wanted |= {"targets target", "targets auth", "targets allow", "targets ready"}
    wanted |= {"process", "process parameter", "process activity", "process fault"}
    wanted |= {"catalog", "catalog process", "catalog member", "catalog parameter", "catalog element"}
    assert wanted <= set(parts(PAGE))


def test_every_key_that_a_file_of_people_may_have_is_in_the_reference() -> None:
    page = REFERENCE.read_text(encoding="utf-8")  # as `--update` has just written it
    for file in ("job", "targets", "process", "catalog"):
        missing = [key for key in sorted(keys_of(file)) if not re.search(rf"`([a-z_]+\.)*{key}`", page)]
        assert missing == [], file


def test_every_exit_code_is_explained() -> None:
    table = PAGE.partition("## Exit codes")[2].partition("\n## ")[0]
    assert [int(code) for code in ExitCode if f"| {int(code)} " not in table and f" {int(code)}" not in table] == []
