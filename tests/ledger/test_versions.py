"""What makes a version of a job, and what does not."""

import shutil
from pathlib import Path

import pytest

from runner.execution.prepare import prepare
from runner.execution.run_spec import Wanted
from runner.execution.run_versions import versions_of
from runner.ledger.versions import key_of_time

JOB = """runner: 1
name: billing
description: What it is for
tags: [smoke]
target: here
needs: [other]
inputs:
  who: {type: string, default: Ann, description: Who pays}
  token: {type: string, secret: true, default_of_nothing: 1}
cases: [{name: red, inputs: {who: Red}}, {name: blue, inputs: {who: Blue}}]
steps:
  - {id: look, execute: {process: UsrLook}, effect: read, help: Ask the team}
  - {id: part, job: {file: parts/part.job.yaml}}
""".replace(", default_of_nothing: 1", "")
PART = "runner: 1\nname: part\nhelp: Ask\nsteps: [{execute: {process: UsrPart}}]\n"
OTHER = "runner: 1\nname: other\ntarget: here\nsteps: [{execute: {process: UsrOther}}]\n"
TARGETS = "runner: 1\ntargets:\n  here: {url: 'https://a.example', auth: {username: a, password: '{{ env.P }}'}}\n"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CREATIO_RUNNER_INPUT_TOKEN", "s3cret-t0ken")
    write(Path("specs"))


def write(folder: Path, **changes: str) -> None:
    (folder / "parts").mkdir(parents=True, exist_ok=True)
    files = {"billing.job.yaml": JOB, "parts/part.job.yaml": PART, "other.job.yaml": OTHER, "targets.yaml": TARGETS}
    for name, text in {**files, **changes}.items():
        (folder / name).write_text(text)


def digests(*specs: str, key: str | None = None, targets: tuple[str, ...] = ()) -> dict[str, str]:
    found = prepare(Wanted(specs=[Path(spec) for spec in specs or ("specs",)], targets=targets, has_ledger=True))
    return {version.title: version.digest for version in versions_of(found.runs, key=key, base=Path.cwd())}


def test_comments_layout_texts_tags_needs_and_the_order_of_keys_make_no_version() -> None:
    before = digests()
    text = JOB.replace("What it is for", "Something else").replace("[smoke]", "[slow]").replace("Who pays", "A name")
    text = text.replace("needs: [other]\n", "").replace("runner: 1\nname: billing", "name: billing # here\nrunner: 1")
    text = text.replace("help: Ask the team", "help: Ask nobody").replace("{id: part,", "{ id:   part,")
    write(Path("specs"), **{"billing.job.yaml": text, "parts/part.job.yaml": PART.replace("help: Ask\n", "")})
    assert digests() == before


def test_the_name_of_a_step_and_the_message_of_an_expectation_make_no_version() -> None:
    job = JOB.replace(
        "help: Ask the team", "name: Look, expect: [1 == 1, {that: 2 == 2, message: No}], undo: [{pause: 1s, name: N}]"
    )
    write(Path("specs"), **{"billing.job.yaml": job})
    before = digests()
    text = (
        job.replace("name: Look, ", "").replace("message: No", "message: None of them").replace("name: N}", "name: M}")
    )
    write(Path("specs"), **{"billing.job.yaml": text})
    assert digests() == before
    write(Path("specs"), **{"billing.job.yaml": text.replace("{that: 2 == 2,", "{that: 2 == 3,")})
    assert digests() != before


def test_an_equal_duration_makes_no_version_unless_it_is_what_the_job_hands_on() -> None:
    timed = "effect: read, timeout: 60s, retry: {max_attempts: 2, on: [not_sent], initial: 1s}"
    job = JOB.replace("effect: read", timed).replace("UsrLook}", "UsrLook, parameters: {timeout: 60s}}")
    write(Path("specs"), **{"billing.job.yaml": job})
    before = digests()
    text = job.replace("read, timeout: 60s", "read, timeout: 1m").replace("initial: 1s", "initial: 1000ms")
    write(Path("specs"), **{"billing.job.yaml": text})
    assert digests() == before
    write(Path("specs"), **{"billing.job.yaml": text.replace("{timeout: 60s}", "{timeout: 1m}")})
    assert digests() != before
    write(Path("specs"), **{"billing.job.yaml": text.replace("timeout: 1m", "timeout: 2m")})
    assert digests() != before


@pytest.mark.parametrize("kind", ["integer", "number"])
def test_a_number_that_a_spreadsheet_has_written_anew_makes_no_version(kind: str) -> None:
    job = JOB.replace("who: {type: string, default: Ann, description: Who pays}", f"who: {{type: {kind}}}")
    job = job.replace("[{name: red, inputs: {who: Red}}, {name: blue, inputs: {who: Blue}}]", "cases.csv")
    write(Path("specs"), **{"billing.job.yaml": job, "cases.csv": "name,who\nred,1\nblue,2\n"})
    before = digests()
    write(Path("specs"), **{"billing.job.yaml": job, "cases.csv": "name,who\nred,1.0\nblue,2.0\n"})
    assert digests() == before


def test_a_new_case_makes_no_version_of_the_others() -> None:
    before = digests()
    more = JOB.replace("cases: [", "cases: [{name: green, inputs: {who: Green}}, ")
    write(Path("specs"), **{"billing.job.yaml": more})
    after = digests()
    assert set(after) - set(before) == {"billing[green]@here"}
    assert before.items() <= after.items()


@pytest.mark.parametrize("default", ["default: Bob, ", ""])
def test_the_default_of_an_input_makes_a_version_only_of_what_takes_it(default: str) -> None:
    job = JOB.replace(", {name: blue, inputs: {who: Blue}}", ", {name: blue}" if default else "")
    write(Path("specs"), **{"billing.job.yaml": job})
    before = digests()
    write(Path("specs"), **{"billing.job.yaml": job.replace("default: Ann, ", default)})
    after = digests()
    changed = {title for title in after if after[title] != before[title]}
    assert changed == ({"billing[blue]@here"} if default else set())


def test_the_default_of_an_included_job_makes_a_version() -> None:
    part = PART.replace("steps:", "inputs: {n: {type: integer, default: 1}}\nsteps:")
    write(Path("specs"), **{"parts/part.job.yaml": part})
    before = digests()
    write(Path("specs"), **{"parts/part.job.yaml": part.replace("default: 1", "default: 2")})
    assert before["billing[red]@here"] != digests()["billing[red]@here"]


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("billing.job.yaml", "UsrLook", "UsrSee"),
        ("billing.job.yaml", "effect: read", "effect: idempotent"),
        ("billing.job.yaml", "who: Blue", "who: Navy"),
        ("parts/part.job.yaml", "UsrPart", "UsrPiece"),
        ("targets.yaml", "https://a.example", "https://b.example"),
    ],
)
def test_what_is_done_with_what_and_where_makes_a_version(file: str, old: str, new: str) -> None:
    before = digests()["billing[blue]@here"]
    path = Path("specs") / file
    path.write_text(path.read_text().replace(old, new))
    assert digests()["billing[blue]@here"] != before


def test_a_key_makes_a_version_and_a_secret_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    before = digests()
    monkeypatch.setenv("CREATIO_RUNNER_INPUT_TOKEN", "an0ther-t0ken")
    assert digests() == before
    assert before.items().isdisjoint(digests(key="release 1").items())
    assert digests(key="release 1") == digests(key="release 1")


def test_the_current_folder_the_spec_and_names_of_files_make_no_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = digests()["billing[red]@here"]
    assert digests("specs/billing.job.yaml")["billing[red]@here"] == before
    shutil.copytree("specs", tmp_path / "elsewhere" / "jobs")
    monkeypatch.chdir(tmp_path / "elsewhere" / "jobs")
    Path("billing.job.yaml").rename("a.job.yaml")
    assert digests(".")["billing[red]@here"] == before


def test_files_that_are_links_into_a_folder_with_a_time_in_its_name_make_no_version(tmp_path: Path) -> None:
    before = digests()
    for moment in ("..2026_11_29", "..2026_11_30"):
        mounted = tmp_path / "mounted" / moment[-2:]
        mounted.mkdir(parents=True)
        shutil.copytree("specs", mounted / moment)
        (mounted / "..data").symlink_to(moment)
        for name in ("billing.job.yaml", "other.job.yaml", "targets.yaml", "parts"):
            (mounted / name).symlink_to(Path("..data") / name)
        assert digests(str(mounted)) == before


def test_an_included_job_that_is_moved_or_renamed_makes_no_version() -> None:
    part = PART + "finally: [{job: {file: inner.job.yaml}}]\n"
    write(Path("specs"), **{"parts/part.job.yaml": part, "parts/inner.job.yaml": PART.replace("part", "inner")})
    before = digests()["billing[red]@here"]
    shutil.rmtree("specs")
    files = {
        "parts/part.job.yaml": "",
        "lib.job.yaml": part.replace("inner.job", "parts/i.job").replace("part\n", "x\n"),
    }
    job = JOB.replace("parts/part.job.yaml", "lib.job.yaml")
    inner = PART.replace("part", "other")
    write(Path("specs"), **{"billing.job.yaml": job, **files, "parts/i.job.yaml": inner})
    assert digests("specs/billing.job.yaml")["billing[red]@here"] == before
    write(Path("specs"), **{"billing.job.yaml": job, **files, "parts/i.job.yaml": inner.replace("UsrPart", "UsrNew")})
    assert digests("specs/billing.job.yaml")["billing[red]@here"] != before


def test_two_included_files_that_swap_their_texts_make_a_version() -> None:
    both = JOB + "  - {id: more, job: {file: parts/more.job.yaml}}\n"
    more = PART.replace("part", "more").replace("UsrPart", "UsrMore")
    write(Path("specs"), **{"billing.job.yaml": both, "parts/more.job.yaml": more})
    before = digests()["billing[red]@here"]
    swapped = {"parts/more.job.yaml": more.replace("UsrMore", "UsrPart").replace("name: more", "name: part")}
    write(Path("specs"), **{"billing.job.yaml": both, "parts/part.job.yaml": more, **swapped})
    assert digests()["billing[red]@here"] != before


def test_the_spelling_of_an_address_makes_no_version() -> None:
    before = digests()
    write(Path("specs"), **{"targets.yaml": TARGETS.replace("https://a.example", "https://A.example:443/")})
    assert digests() == before


def test_a_stretch_of_time_has_one_key_for_all_who_ask_in_it() -> None:
    day = 24 * 3600.0
    assert key_of_time(day, now=10 * day) == key_of_time(day, now=11 * day - 1)
    assert key_of_time(day, now=11 * day) != key_of_time(day, now=11 * day - 1)
    assert key_of_time(day, now=0) != key_of_time(2 * day, now=0)
