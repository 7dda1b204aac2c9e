"""Words of printed commands: for bash as `shlex` has them, for PowerShell as its rules of quoting say."""

import shlex

import pytest

from runner.foundation.shell_words import shell_word, shell_words


@pytest.mark.parametrize(
    ("word", "written"),
    [
        ("specs/a.job.yaml", "specs/a.job.yaml"),
        (r"C:\jobs\a.job.yaml", r"C:\jobs\a.job.yaml"),
        ("token=@FILE", "token=@FILE"),
        ("@FILE", '"@FILE"'),
        ("billing[red]", '"billing[red]"'),
        ("two words", '"two words"'),
        ("a,b", '"a,b"'),
        ("", '""'),
        ("it's", '"it\'s"'),
        ("50 $", "'50 $'"),
        ("%PATH% it's", "'%PATH% it''s'"),
        ('say "x"', "'say \"x\"'"),
        ("a `b`", "'a `b`'"),
        ("my folder\\", "'my folder\\'"),
        ("\u201ca b", "'\u201ca b'"),
        ("50 $ it\u2019s", "'50 $ it\u2019\u2019s'"),
    ],
)
def test_on_windows_a_word_is_quoted_for_powershell_and_for_cmd_where_double_quotes_do(word: str, written: str) -> None:
    assert shell_word(word, windows=True) == written


@pytest.mark.parametrize("word", ["a", "", "it's", "a b", "$x", "billing[red]"])
def test_elsewhere_a_word_is_quoted_for_a_posix_shell(word: str) -> None:
    assert shlex.split(shell_word(word, windows=False)) == [word]


def test_words_make_a_command() -> None:
    assert shell_words(["runner", "run", "a b"]) == "runner run 'a b'"
