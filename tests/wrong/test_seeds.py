"""How many of the mistakes that people make are found, reported at their place, and with the right suggestion.

Each is held against what was written down before it was tried, and all together against what is promised.
"""

import re
from pathlib import Path

import pytest
from seeds import Seed, read_seeds

from runner.foundation.problems import Problem

pytestmark = pytest.mark.slow

FOLDER = Path(__file__).parent
SEEDS = read_seeds(FOLDER / "seeds")
FILES = [file for file in FOLDER.glob("*.yaml") if file.with_suffix(".txt").exists()]


@pytest.fixture(scope="module")
def reported(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Problem, ...]]:
    folder = tmp_path_factory.mktemp("seeds")
    (folder / "right.job.yaml").write_text("runner: 1\nname: right\nsteps: [{pause: 1s}]\n")
    return {seed.name: seed.problems(folder) for seed in SEEDS}


def at_its_place(seed: Seed, problems: tuple[Problem, ...]) -> tuple[Problem, ...]:
    return tuple(each for each in problems if each.span and (each.span.line, each.span.column) == seed.place())


def suggested(seed: Seed, problems: tuple[Problem, ...]) -> bool:
    reported = at_its_place(seed, problems) or problems
    return any((seed.hint or "") in f"{each.message} {each.hint or ''}" for each in reported)


def test_there_are_enough_mistakes_to_judge_by() -> None:
    assert len({(seed.kind, seed.text) for seed in SEEDS}) == len(SEEDS) >= 700
    assert len({seed.name for seed in SEEDS}) == len(SEEDS)
    assert len(FILES) >= 200


@pytest.mark.slow
def test_every_mistake_is_found(reported: dict[str, tuple[Problem, ...]]) -> None:
    assert [name for name, problems in reported.items() if not problems] == []


def test_97_in_100_are_reported_at_their_exact_place(reported: dict[str, tuple[Problem, ...]]) -> None:
    elsewhere = [seed.name for seed in SEEDS if not at_its_place(seed, reported[seed.name])]

    share = 1 - len(elsewhere) / len(SEEDS)
    print(f"{len(SEEDS)} seeded mistakes, {share:.1%} at the exact place; elsewhere: {elsewhere}")  # noqa: T201  figures
    assert share >= 0.97


def test_95_in_100_come_with_the_right_suggestion_where_one_is_due(reported: dict[str, tuple[Problem, ...]]) -> None:
    due = [seed for seed in SEEDS if seed.hint]
    without = [seed.name for seed in due if not suggested(seed, reported[seed.name])]

    share = 1 - len(without) / len(due)
    print(f"a suggestion is due for {len(due)}, right for {share:.1%}; not for: {without}")  # noqa: T201  figures
    assert share >= 0.95


def test_what_is_reported_speaks_of_the_mistake(reported: dict[str, tuple[Problem, ...]]) -> None:
    beside = [
        seed.name
        for seed in SEEDS
        if not any(re.search(seed.says, f"{each.message} {each.hint or ''}") for each in reported[seed.name])
    ]

    assert beside == []
