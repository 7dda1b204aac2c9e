"""Which texts of a file are taken for secrets, and which never are."""

import pytest

from runner.secrets.written_out import (
    is_plain,
    looks_like_token,
    may_hold_secrets,
    names_password,
    names_secret_header,
    names_token,
)

TOKENS = (
    "Bearer 8f2c9a41d7b34e60a1c5",
    "basic dXNlcjpwYXNzd29yZDEyMw==",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.abc",
    "AKIAIOSFODNN7EXAMPLE",
    "ghp_" + "a1" * 18,
    "glpat-" + "a1" * 10,
    "xoxb-1234567890-abc",
    "-----BEGIN RSA PRIVATE KEY-----",
)


@pytest.mark.parametrize(
    "name", ["password", "Password", "DbPassword", "NEW_PASSWORD", "client_secret", "Kennwort", "user-pwd", "password2"]
)
def test_a_name_of_a_password_ends_in_the_word(name: str) -> None:
    assert names_password(name)
    assert may_hold_secrets(f"{name}: x")


@pytest.mark.parametrize("name", ["PasswordAge", "passwordless", "Secretary", "SecretaryName", "Compass", "Keyword"])
def test_a_name_that_only_holds_the_word_is_none(name: str) -> None:
    assert not names_password(name)
    assert not names_token(name)


@pytest.mark.parametrize("name", ["token", "Token", "ApiToken", "api_key", "access-token", "RefreshToken", "X-Api-Key"])
def test_a_token_is_known_by_the_words_before_it(name: str) -> None:
    assert names_secret_header(name)
    assert may_hold_secrets(f"{name}: x")


@pytest.mark.parametrize("name", ["PageToken", "next_token", "TokenType", "Tokens", "X-Team", "Accept"])
def test_other_tokens_are_no_secrets(name: str) -> None:
    assert not names_secret_header(name)


@pytest.mark.parametrize("text", TOKENS)
def test_what_only_a_token_looks_like_is_one_and_no_file_with_it_is_passed_over(text: str) -> None:
    assert looks_like_token(f"a {text} b")
    assert may_hold_secrets(text)


@pytest.mark.parametrize(
    "text", ["bearer of good news", "basic training for everybody", "eyJ", "the private key", "x" * 99]
)
def test_words_are_no_tokens(text: str) -> None:
    assert not looks_like_token(text)


@pytest.mark.parametrize("text", ["", " ", "{{ inputs.password }}", "$PASSWORD", "${PASSWORD}", "%PASSWORD%"])
def test_what_takes_the_place_of_a_secret_is_not_written_out(text: str) -> None:
    assert not is_plain(text)
