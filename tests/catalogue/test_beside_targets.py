"""Catalogues beside a targets file: whose they are, and what is wrong with one that is looked at."""

from pathlib import Path

import pytest

from runner.project.project import open_project
from runner.reports import mistakes

UID = "7d8f6f3e-5a52-4b8f-9a54-2b6f0f8c1a11"
TARGETS = "runner: 1\ntargets:\n  staging: {url: https://staging.example.com}\n  local: {sandbox: doubles}\n"
JOB = "runner: 1\nname: a\ntarget: staging\nsteps: [{run: {process: UsrAdd}}]\n"
CATALOGUE = "runner: 1\nsite: https://staging.example.com\nprocesses: {UsrAdd: {runnable: true}}\n"


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("targets.yaml").write_text(TARGETS)
    Path("a.job.yaml").write_text(JOB)


def reported(**files: str) -> str:
    for name, content in files.items():
        Path(name.replace("__", ".")).write_text(content)
    return mistakes.text(open_project([Path("a.job.yaml")], targets=None, environment={}).problems)


@pytest.mark.parametrize(
    "site",
    ["https://staging.example.com", "https://STAGING.example.com/", "https://staging.example.com/0", "doubles", ""],
)
def test_a_catalogue_of_the_targets_own_site_is_right(site: str) -> None:
    assert reported(staging__catalog__yaml=CATALOGUE.replace("https://staging.example.com", f'"{site}"')) == ""


def test_a_catalogue_of_another_site_is_warned_of_where_it_names_its_site() -> None:
    assert reported(staging__catalog__yaml=CATALOGUE.replace("staging.ex", "prod.ex")) == (
        "staging.catalog.yaml:2:7: warning[E107]: this is the catalogue of https://prod.example.com, and the site of "
        "the target is https://staging.example.com\n"
        "  |\n"
        "2 | site: https://prod.example.com\n"
        "  |       ^^^^^^^^^^^^^^^^^^^^^^^^\n"
        "  = hint: run `runner catalog pull`: a copied file is still of the site that it comes from\n"
    )


def test_an_address_that_is_worked_out_later_is_not_compared() -> None:
    targets = TARGETS.replace("https://staging.example.com", '"{{ env.SITE }}"')

    assert reported(targets__yaml=targets, staging__catalog__yaml=CATALOGUE) == ""


@pytest.mark.parametrize(
    "name", ["stagging.catalog.yaml", "Staging.catalog.yaml", "staging.catalogue.yaml", "staging.catalog.yml"]
)
def test_a_catalogue_that_is_called_nearly_as_a_target_is_warned_of(name: str) -> None:
    Path(name).write_text(CATALOGUE)

    assert reported() == (
        f"{name}: warning[E179]: {name} is not read: a catalogue has the name of its target\n"
        "   = hint: did you mean `staging.catalog.yaml`?\n"
    )


@pytest.mark.parametrize("name", ["production.catalog.yaml", "env.catalog.yaml", "locale.catalog.yaml"])
def test_a_catalogue_of_a_target_that_is_elsewhere_may_lie_there(name: str) -> None:
    Path(name).write_text(CATALOGUE)

    assert reported() == ""


def test_the_catalogue_of_the_target_env_is_not_taken_for_that_of_a_target_that_is_called_nearly_so() -> None:
    Path("env.catalog.yaml").write_text(CATALOGUE)

    assert reported(targets__yaml=TARGETS.replace("  local:", "  env1: {url: https://a.example.com}\n  local:")) == ""


def test_one_that_lies_beside_the_right_one_is_a_copy() -> None:
    Path("staging2.catalog.yaml").write_text(CATALOGUE)

    assert reported(staging__catalog__yaml=CATALOGUE) == ""


def test_items_without_records_and_an_element_without_its_id_are_reported_in_the_catalogue() -> None:
    process = (
        "{runnable: true, parameters: {A: {type: text, direction: in, items: {Id: guid}}, "
        "B: {type: records, direction: in, items: {Id: guid}}, C: {type: unknown, direction: in, items: {}}}, "
        f"elements: {{UserTask2: {{name: Approve, type: UserTask}}, {UID}: {{name: Other, type: UserTask}}}}}}"
    )
    found = reported(staging__catalog__yaml=CATALOGUE.replace("{runnable: true}", process))
    named = f"staging.catalog.yaml:3:{process.index('UserTask2') + 21}"

    assert [line for line in found.splitlines() if "error" in line or "hint" in line] == [
        "staging.catalog.yaml:3:82: error[E107]: `items` is not allowed here",
        "  = hint: write `items` for `type: records` only",
        f"{named}: error[E107]: `UserTask2` cannot be a name in `elements`",
        "  = hint: use the id of the element: its name belongs after `name`",
    ]
