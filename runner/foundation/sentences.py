"""Words and names, as a sentence has them."""

from collections.abc import Collection, Sequence

MOST = 8  # more names than these nobody reads; the rest is counted


def job_and_case(job: str, case: str | None) -> str:
    """`job[case]`, or the job alone without cases."""
    return job if case is None else f"{job}[{case}]"


def joined_by_or(words: Sequence[str]) -> str:
    """`a`, `a or b`, `a, b or c`."""
    return " or ".join((", ".join(words[:-1]), words[-1])) if len(words) > 1 else words[0]


def joined_by_and(names: Collection[str]) -> str:
    """The same with `and`, each of the names in backticks."""
    words = [f"`{name}`" for name in names]
    return " and ".join((", ".join(words[:-1]), words[-1])) if len(words) > 1 else words[0]


def listed(names: Collection[str]) -> str:
    """The first names, each in backticks, and how many are left; empty where there are none."""
    return first_few([f"`{name}`" for name in names], MOST)


def first_few(words: Sequence[str], most: int) -> str:
    """The first words, and how many are left."""
    more = f" and {len(words) - most} more" if len(words) > most else ""
    return ", ".join(words[:most]) + more


def with_article(words: str) -> str:
    return f"{'an' if words[:1] in 'aeiou' else 'a'} {words}"


def shortened(text: str, most: int) -> str:
    """A text in a sentence, where it is longer than `most` characters its start."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def plural(number: int, word: str, words: str | None = None) -> str:
    """`1 file`, `1,200 files`; `words` is a plural that is not made with `s`."""
    return f"{number:,} {word if number == 1 else words or word + 's'}"
