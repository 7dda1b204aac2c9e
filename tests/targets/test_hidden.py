"""What is reported of a targets file shows no secret that somebody wrote into it, however wrong the file is."""

import pytest
from examples import some
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.foundation.problems import Problem
from runner.language import lookalikes, schema
from runner.reading.document import Document
from runner.reading.load import load
from runner.reports import mistakes
from runner.targets import rules
from runner.targets.hidden import without_secrets

SITE = "    url: https://a.example\n"


def problems(text: str) -> list[Problem]:
    document = load("targets.yaml", f"runner: 1\n{text}".encode())
    if not isinstance(document, Document):
        return without_secrets(document, None)
    found = [*schema.check(document, "targets")]
    found.extend(rules.check(document, reported=found))
    return without_secrets(found, document)


def problems_in(target: str) -> str:
    found = problems(f"targets:\n  a:\n{SITE}{target}")
    assert found
    shown = mistakes.text(found)
    assert "hunter" not in shown + mistakes.json(found)
    return shown


@pytest.mark.parametrize(
    "target",
    [
        "    auth: {username: hunter22, password: [hunter22]}\n",
        "    auth:\n      username: hunter22\n      pasword: hunter22\n",
        "    auth: hunter22\n",
        "    auth:\n      password:hunter22\n",
        "    auth: {hunter22}\n",
        "    auth:\n      hunter22\n",
        "    auth: {password: {hunter22}, username: {hunter23}}\n",
        "    auth:\n      username: a\n      password: [hunter22,\n        hunter23]\n",
        "    password: hunter22\n",
        "    pasword: hunter22\n",
        "    headers: {A B: hunter22, Cookie: hunter23}\n",
        "    headers:\n      X-A: |\n        hunter22\n        hunter23\n",
        "    headers:\n      X-A: 'hunter22\n        hunter23 '\n",
        "    headers: hunter22\n",
        "    headers: [hunter22]\n",
        "    proxy: https://hunter21:hunter22@proxy\n",
        "    proxy: {url: hunter22}\n",
        "    auth: {username: 'hunter22{{ inputs.a }}', password: \"{{ env.X | upcase('hunter22') }}\"}\n",
        "    auth: &hunter {username: hunter22}\n",
        "    auth: {username: a, password: 'hunter''22', other: 1}\n",
    ],
)
def test_a_secret_in_a_file_that_can_be_read_is_never_shown(target: str) -> None:
    problems_in(target)


@pytest.mark.parametrize(
    "target",
    [
        '    auth:\n      username: a\n      password: "hunter22\n',
        "    auth:\n      password: *hunter22\n",
        "    auth:\n      password:hunter22\n      username: a\n",
        "    auth: {password:hunter22, username: a}\n",
        '    auth:\n      password: "hunter22",\n',
        '    auth:\n      password: "hunter22" // hunter23\n',
        "    auth:\n      password: a ? hunter22 : hunter23\n",
        "    auth:\n      password: @hunter22\n",
        "    auth:\n      password: %hunter22\n",
        "    auth:\n      password: !t hunter22\n",
        "    auth:\n      password: hunter22: x\n",
        "    auth:\n      password: hunter22\n      password: hunter23\n",
        "    auth:\n      password: 'hunter22' x\n",
        "    auth: {username: a, password: hunter22: x}\n",
        "    auth: {username: a, password: @hunter22}\n",
        "    auth: {username: a, password: *hunter22}\n",
        "    auth:\n\t  password: hunter22\n",
        "    auth:\n      password: hunter22\n    hunter23\n    b: 1\n",
        "    auth:\n      password: hunter22\n     b: hunter23\n",
        "    auth:\n      - hunter22\n      password: hunter23\n",
        "    headers:\n      <<: hunter22\n",
        "    proxy: http://hunter22:hunter23@proxy: x\n",
        "    url: https://hunter21:hunter22@a.example: x\n",
    ],
)
def test_a_secret_in_a_file_that_cannot_be_read_is_never_shown(target: str) -> None:
    problems_in(target)


def test_a_secret_that_is_read_otherwise_than_it_looks_is_never_shown() -> None:
    text = "targets:\n  a:\n    auth:\n      password: hunter22 #12\n      username: “hunter23”\n"
    document = load("targets.yaml", text.encode())
    assert isinstance(document, Document)

    shown = mistakes.text(without_secrets(lookalikes.check(document, shown=False), document))

    assert shown.count("E109") == 2
    assert "hunter" not in shown
    assert "12" not in shown


def test_a_number_that_is_a_secret_is_hidden() -> None:
    found = problems(f"targets:\n  a:\n{SITE}    auth:\n      username: a\n      password: 87654321\n")

    assert "87654321" not in mistakes.text(found)
    assert "      password: ***\n" in mistakes.text(found)


def test_a_secret_is_hidden_where_an_alias_leads_to_it() -> None:
    text = f"x: &p hunter22\ntargets:\n  a:\n{SITE}    auth: {{username: *p, password: *p}}\n"

    assert "hunter22" not in mistakes.text(problems(text))


def test_a_secret_is_hidden_where_it_is_in_something_open() -> None:
    text = "targets:\n  a:\n    url: ftp://a.example/hunter22\n    auth: {username: a, password: hunter22}\n"

    assert "    url: ftp://a.example/***\n" in mistakes.text(problems(text))


def test_an_address_with_a_password_is_hidden() -> None:
    found = mistakes.text(problems("targets:\n  a:\n    url: https://ann:hunter22@a.example\n"))

    assert "4 |     url: ***\n" in found
    assert "hunter22" not in found


def test_what_is_no_secret_stays_visible_with_its_place() -> None:
    found = mistakes.text(problems("targets:\n  a:\n    url: ftp://a.example\n    rate: 5\n    auth: {username: u}\n"))

    assert "3 |     url: ftp://a.example\n  |          ^^^^^^^^^^^^^^^\n".replace("3", "4") in found
    assert "5 |     rate: 5\n" in found


def test_a_template_stays_visible_and_what_is_written_beside_it_does_not() -> None:
    shown = problems_in("    auth: {username: \"{{ inputs.u }}\", password: '{{ env.P }}'}\n")
    assert "5 |     auth: {username: \"{{ inputs.u }}\", password: '{{ env.P }}'}\n" in shown
    assert "6 |       X-A: ***\n" in problems_in("    headers:\n      X-A: 'hunter22{{ inputs.u }}'\n")
    assert "6 |       X-A: ***\n" in problems_in("    headers:\n      X-A: \"{{ env.X | upcase('hunter22') }}\"\n")


def test_a_template_without_quotes_is_shown_in_them_where_it_only_names_a_variable() -> None:
    document = load(
        "targets.yaml", b"targets:\n  a:\n    auth:\n      password: {{ env.P }}\n      username: {{ 'hunter22' }}\n"
    )

    assert not isinstance(document, Document)
    assert [problem.hint for problem in without_secrets(document, None)] == [
        'put the template in quotes: "{{ env.P }}"',
        "put the template in quotes: `***`",
    ]


def test_the_marks_under_a_hidden_value_do_not_show_its_length() -> None:
    shown = problems_in("    headers:\n      X-A: ' hunter2222222222222222'\n")

    assert "6 |       X-A: ***\n  |            ^^^\n" in shown


def test_a_value_with_a_comment_is_left_out() -> None:
    shown = problems_in('    auth:\n      username: a\n      pasword: "{{ env.P }}" # before: hunter22\n')

    assert "7 |       pasword: ***\n" in shown
    assert "#" not in shown


def test_a_line_in_which_the_marks_would_be_misplaced_is_left_out() -> None:
    assert " | " not in problems_in("    auth: {username: hunter22, pasword: b, password: c}\n")


def test_an_open_value_of_a_file_that_cannot_be_read_stays_visible() -> None:
    document = load("targets.yaml", b"targets:\n  a:\n    url: @a.example\n")

    assert not isinstance(document, Document)
    assert "    url: @a.example\n" in mistakes.text(without_secrets(document, None))


def test_our_own_words_are_readable_in_a_sentence_also_where_a_value_is_such_a_word() -> None:
    found = mistakes.text(problems("targets:\n  sandbox: sandbox\n"))
    assert "`sandbox` must be a record, not a text" in found
    assert "hint: write `sandbox: {sandbox: sandbox}`" in found
    assert "3 |   sandbox: ***\n" in found


def test_without_problems_there_is_nothing_to_hide() -> None:
    auth = '{username: a, password: "{{ env.P }}"}'
    assert problems(f"targets:\n  a:\n{SITE}    auth: {auth}\n") == []


@pytest.mark.slow
@given(
    st.sampled_from(["auth", "headers", "proxy", "pasword", "x"]),
    st.text(alphabet="[]}:,-*&!|>'\"%@` \n#", max_size=6),
    st.text(alphabet="[]{},-*&!|>'\"%@` \n#", max_size=6),
)
@settings(deadline=None, max_examples=some(300))
def test_no_broken_value_shows_its_secret(key: str, before: str, behind: str) -> None:
    found = problems(f"targets:\n  a:\n{SITE}    {key}: {before}hunter22{behind}\n")

    assert "hunter22" not in mistakes.text(found) + mistakes.json(found)
