"""A plan that is kept, and carried out exactly as it was stored, whatever has become of its files."""

import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from captured import Capture
from sites import NOTHING, Answer, Site, site, targets, xml

from runner.cli.main import ended
from runner.foundation.values import JsonObject, canonical
from runner.runs.files.store import FileRunStore
from runner.runs.store import StoreError

pytestmark = pytest.mark.slow

INNER = """runner: 1
name: inner
inputs: {what: {type: integer}}
steps:
  - id: call
    execute: {process: UsrInner, parameters: {What: "{{ inputs.what }}"}}
"""
JOB = """runner: 1
name: release
target: here
inputs:
  limit: {type: integer, default: 3}
  token: {type: string, secret: true}
cases: cases.csv
defaults: {verify: none}
steps:
  - id: call
    execute:
      process: UsrOuter
      parameters:
        Limit: "{{ inputs.limit }}"
        Token: "{{ inputs.token }}"
        Case: "{{ case.name }}{{ case.index }}"
  - job: {file: inner/inner.job.yaml, inputs: {what: "{{ inputs.limit }}"}}
"""
SECRET = "s3cret-t0ken"
ALL = [
    "Outer/Execute?Limit=7&Token=s3cret-t0ken&Case=red0",
    "Inner/Execute?What=7",
    "Outer/Execute?Limit=3&Token=s3cret-t0ken&Case=blue1",
    "Inner/Execute?What=3",
]


@pytest.fixture(autouse=True)
def _its_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREATIO_RUNNER_INPUT_TOKEN", SECRET)


@pytest.fixture
def here() -> Iterator[Site]:
    """A site, and the files of a job for it."""

    def answer(_method: str, path: str) -> Answer:
        return xml(None) if "/Execute" in path else NOTHING

    with site(answer) as place:
        Path("targets.yaml").write_text(targets(place.url))
        Path("inner").mkdir()
        Path("inner/inner.job.yaml").write_text(INNER)
        Path("release.job.yaml").write_text(JOB)
        Path("cases.csv").write_text("name,limit\nred,7\nblue,\n")
        yield place


def asked(place: Site) -> list[str]:
    return [line.partition(".svc/Usr")[2] for line in place.executes()]


def keep(*options: str) -> JsonObject:
    assert ended(["plan", "release.job.yaml", "--out", "release.plan.json", *options]) == 0
    whole: JsonObject = json.loads(Path("release.plan.json").read_text())
    return whole


def rewrite(*, sealed: bool, **changes: object) -> None:
    """Change fields of the first run in the plan that is kept; `sealed`: and the digest of the file with it."""
    whole = json.loads(Path("release.plan.json").read_text())
    whole["runs"][0] |= changes
    if sealed:
        content = canonical([whole["runs"], whole["sources"]])
        whole["digest"] = "sha256:" + hashlib.sha256(content.encode()).hexdigest()
    Path("release.plan.json").write_text(json.dumps(whole))


def test_what_is_carried_out_is_what_was_kept_though_every_file_is_gone(here: Site) -> None:
    keep()
    assert here.asked == []
    for file in ("inner/inner.job.yaml", "release.job.yaml", "cases.csv"):
        Path(file).unlink()
    assert ended(["run", "release.plan.json"]) == 0
    assert asked(here) == ALL


def test_a_plan_needs_no_checkout_though_its_jobs_lie_in_several_folders_of_one(here: Site) -> None:
    Path(".git").mkdir()
    Path("jobs").mkdir()
    Path("jobs/release.job.yaml").write_text(
        JOB.replace("inner/inner", "../inner/inner").replace("cases.csv", "../cases.csv")
    )
    assert ended(["plan", "jobs/release.job.yaml", "--out", "release.plan.json"]) == 0
    Path(".git").rmdir()
    Path("jobs/release.job.yaml").unlink()
    assert ended(["run", "release.plan.json", "--targets", "targets.yaml"]) == 0
    assert asked(here) == ALL


def test_files_that_have_changed_since_do_not_count(here: Site) -> None:
    keep()
    Path("inner/inner.job.yaml").write_text(INNER.replace("UsrInner", "UsrOther"))
    Path("release.job.yaml").write_text("nonsense: [")
    Path("cases.csv").write_text("name,limit\nred,8\n")
    assert ended(["run", "release.plan.json"]) == 0
    assert asked(here) == ALL


def test_a_kept_plan_holds_no_secret_and_says_what_it_was_made_of(here: Site) -> None:
    whole = keep("-k", "red")
    assert SECRET not in json.dumps(whole)
    sources = {name: Path(name).read_text() for name in ("release.job.yaml", "inner/inner.job.yaml")}
    runs = whole["runs"]
    assert isinstance(runs, list)
    (run,) = runs
    assert isinstance(run, dict)
    assert whole["sources"] == sources
    assert (whole["kind"], whole["format"]) == ("creatio-runner plan", 1)
    assert run["inputs"] == {"limit": 7, "token": "***"}
    assert run["case"] == {"name": "red", "index": 0}
    assert run["target"] == {"name": "here", "url": here.url, "sandbox": False}
    assert str(run["digest"]).startswith("sha256:")


def test_a_plan_needs_no_secret_and_is_the_same_with_it(here: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    digest = keep("-k", "red")["runs"]
    monkeypatch.setenv("CREATIO_RUNNER_INPUT_TOKEN", "")
    assert keep("-k", "red")["runs"] == digest
    monkeypatch.delenv("CREATIO_RUNNER_INPUT_TOKEN")
    assert keep("-k", "red")["runs"] == digest
    monkeypatch.setenv("CREATIO_RUNNER_INPUT_TOKEN", SECRET)
    assert ended(["run", "release.plan.json"]) == 0
    assert asked(here) == ALL[:2]


def test_the_digest_is_reported_and_is_in_the_report_of_the_run(here: Site, capsys: Capture) -> None:
    keep("-k", "red")
    digest = json.loads(Path("release.plan.json").read_text())["runs"][0]["digest"]
    assert f"digest {digest}" in capsys.readouterr().out
    assert ended(["run", "release.plan.json", "--report-json", "report.json"]) == 0
    assert f"the plan of release[red]@here is as it was stored, {digest}" in capsys.readouterr().err
    (run,) = json.loads(Path("report.json").read_text())["runs"]
    assert (run["digest"], run["case"], run["file"]) == (digest, "red", "release.job.yaml")
    assert here.executes()


def test_a_plan_is_known_by_what_it_holds_when_it_is_called_otherwise(here: Site) -> None:
    keep("-k", "red")
    Path("release.plan.json").rename("tonight.txt")
    assert ended(["run", "tonight.txt"]) == 0
    assert len(asked(here)) == 2


def test_a_plan_that_an_editor_saved_with_a_byte_order_mark_is_read(here: Site) -> None:
    keep("-k", "red")
    Path("tonight.json").write_bytes(b"\xef\xbb\xbf" + Path("release.plan.json").read_bytes())
    assert ended(["run", "tonight.json"]) == 0
    assert len(asked(here)) == 2


def test_secrets_come_anew_and_their_absence_is_reported_before_anything_is_sent(
    here: Site, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    keep("-k", "red")
    monkeypatch.delenv("CREATIO_RUNNER_INPUT_TOKEN")
    assert ended(["run", "release.plan.json"]) == 2
    assert "E130" in capsys.readouterr().err
    assert here.asked == []
    Path("token").write_text("an0ther-secret")
    assert ended(["run", "release.plan.json", "-i", "token=@token"]) == 0
    assert "Token=an0ther-secret" in asked(here)[0]


def test_the_environment_does_not_change_an_input_that_the_plan_has_fixed(
    here: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep("-k", "red")
    monkeypatch.setenv("CREATIO_RUNNER_INPUT_LIMIT", "99")
    assert ended(["run", "release.plan.json"]) == 0
    assert "Limit=7" in asked(here)[0]


def test_a_value_that_is_the_plan_s_own_may_be_given_again(here: Site) -> None:
    keep("-k", "red")
    assert ended(["run", "release.plan.json", "-i", "limit=7"]) == 0
    assert "Limit=7" in asked(here)[0]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["-i", "limit=9"], "input `limit` is fixed by the plan"),
        (["-i", "other=9"], "no selected job knows an input `other`"),
        (["-t", "here"], "`--target` cannot go with a stored plan"),
        (["--catalog", "x.yaml"], "`--catalog` cannot go with a stored plan"),
        (["--tags", "x"], "`--tags` cannot go with a stored plan"),
        (["-k", "red"], "`--keyword` cannot go with a stored plan"),
        (["--last-failed"], "`--last-failed` cannot go with a stored plan"),
        (["release.job.yaml"], "stored plans and job files cannot be carried out in one command"),
    ],
)
def test_nothing_on_the_command_line_changes_a_kept_plan(
    here: Site, options: list[str], says: str, capsys: Capture
) -> None:
    keep()
    capsys.readouterr()
    assert ended(["run", "release.plan.json", *options]) == 2
    assert says in capsys.readouterr().err
    assert here.asked == []


def test_a_secret_on_the_command_line_is_the_only_mistake_of_it(here: Site, capsys: Capture) -> None:
    keep()
    capsys.readouterr()
    assert ended(["run", "release.plan.json", "-i", "token=x"]) == 2
    said = capsys.readouterr().err
    assert "E133" in said
    assert "E131" not in said
    assert here.asked == []


@pytest.mark.parametrize(
    "changes",
    [
        {"inputs": {"limit": 8, "token": "***"}},
        {"digest": "sha256:0"},
        {"sources": ["release.job.yaml"]},
        {"sources": ["release.job.yaml", "nowhere.job.yaml"]},
        {"target": None},
    ],
    ids=["inputs", "digest", "fewer sources", "other sources", "no target"],
)
@pytest.mark.parametrize("sealed", [False, True])
def test_a_plan_that_was_changed_is_not_carried_out(
    here: Site, changes: JsonObject, *, sealed: bool, capsys: Capture
) -> None:
    keep("-k", "red")
    rewrite(sealed=sealed, **changes)
    assert ended(["run", "release.plan.json"]) == 2
    assert "E154" in capsys.readouterr().err
    assert here.asked == []


def test_a_case_that_was_renamed_in_the_plan_is_not_carried_out(here: Site) -> None:
    keep("-k", "red")
    rewrite(sealed=False, case={"name": "green", "index": 0})
    assert ended(["run", "release.plan.json"]) == 2
    assert here.asked == []


def test_a_text_that_was_changed_in_the_plan_is_not_carried_out(here: Site) -> None:
    keep("-k", "red")
    plan = Path("release.plan.json")
    plan.write_text(plan.read_text().replace("UsrInner", "UsrOther"))
    assert ended(["run", "release.plan.json"]) == 2
    assert here.asked == []


def test_a_target_that_is_another_place_by_now_is_not_gone_to(here: Site, capsys: Capture) -> None:
    keep("-k", "red")
    Path("targets.yaml").write_text(targets("https://elsewhere.example.com"))
    assert ended(["run", "release.plan.json"]) == 2
    assert "is another place now" in capsys.readouterr().err
    Path("targets.yaml").write_text(targets(here.url).replace("here:", "there:"))
    assert ended(["run", "release.plan.json"]) == 2
    assert "unknown target `here`" in capsys.readouterr().err
    assert here.asked == []


@pytest.mark.parametrize(
    "content", ["", "{", "[1]", '{"kind": "creatio-runner plan"}', '{"kind": "creatio-runner plan", "format": 9}']
)
def test_a_file_that_is_no_plan_is_reported(content: str, capsys: Capture) -> None:
    Path("x.plan.json").write_text(content)
    assert ended(["run", "x.plan.json"]) == 2
    assert "x.plan.json: error[E154]: this is not a stored plan" in capsys.readouterr().err


def test_a_plan_file_that_is_not_there_is_reported(capsys: Capture) -> None:
    assert ended(["run", "x.plan.json"]) == 2
    assert "E100" in capsys.readouterr().err


def test_a_plan_of_another_version_is_carried_out_with_a_warning(here: Site, capsys: Capture) -> None:
    whole = keep("-k", "red")
    Path("release.plan.json").write_text(json.dumps(whole | {"version": "0.0.0"}))
    assert ended(["run", "release.plan.json"]) == 0
    assert "version 0.0.0 made this plan" in capsys.readouterr().err
    assert here.executes()


def test_a_kept_plan_is_shown_again_by_plan(here: Site, capsys: Capture) -> None:
    keep()
    first = capsys.readouterr().out
    Path("release.job.yaml").unlink()
    assert ended(["plan", "release.plan.json"]) == 0
    assert capsys.readouterr().out == first
    assert here.asked == []


def test_a_plan_that_cannot_be_written_is_reported_and_one_of_nothing_is_not_kept(here: Site) -> None:
    assert ended(["plan", "release.job.yaml", "--out", "no/such/folder.plan.json"]) == 2
    assert ended(["plan", "release.job.yaml", "-k", "green", "--out", "x.plan.json"]) == 5
    assert not Path("x.plan.json").exists()
    assert here.asked == []


def test_a_sandbox_is_a_target_of_a_plan_whatever_port_it_is_served_at(capsys: Capture) -> None:
    assert ended(["init", "."]) == 0
    assert ended(["plan", "hello.job.yaml", "-i", "name=You", "--out", "hello.plan.json"]) == 0
    capsys.readouterr()
    assert ended(["run", "hello.plan.json"]) == 0
    assert 'outputs.greeting: "Hello, You"' in capsys.readouterr().out


@pytest.mark.parametrize("name", ["p/hello.plan.json", "p/deep/er/hello.plan.json"])
def test_a_plan_is_carried_out_from_the_folder_in_which_it_lies(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ended(["init", "specs"]) == 0
    Path(name).parent.mkdir(parents=True)
    assert ended(["plan", "specs/hello.job.yaml", "--out", name]) == 0
    monkeypatch.chdir(Path(name).parent)
    assert ended(["run", "hello.plan.json"]) == 0


def test_where_a_plan_lies_is_no_part_of_its_digest_and_gives_no_name_of_a_folder(
    here: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = keep()
    Path("p").mkdir()
    assert ended(["plan", "release.job.yaml", "--out", "p/release.plan.json"]) == 0
    there = json.loads(Path("p/release.plan.json").read_text())
    assert there == whole | {"base": "..", "key": there["key"]}
    Path("p").rename("inner/p")
    monkeypatch.chdir("inner")
    assert ended(["plan", "../release.job.yaml", "--out", "../other.plan.json"]) == 0
    assert "base" not in json.loads(Path("../other.plan.json").read_text())
    assert here.asked == []


def test_a_plan_that_was_made_elsewhere_says_so_and_takes_the_file_of_its_targets(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ended(["init", "specs"]) == 0
    assert ended(["plan", "specs/hello.job.yaml", "--out", "hello.plan.json"]) == 0
    Path("elsewhere").mkdir()
    Path("hello.plan.json").rename("elsewhere/hello.plan.json")
    monkeypatch.chdir("elsewhere")
    assert ended(["run", "hello.plan.json"]) == 2
    assert "it was planned in another folder: go there, or name its targets file" in capsys.readouterr().err
    assert ended(["run", "hello.plan.json", "--targets", "../specs/targets.yaml"]) == 0


def test_what_is_set_for_all_commands_gives_way_to_a_kept_plan(here: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    keep("-k", "red")
    Path("inputs.yaml").write_text("limit: 99\nother: 1\n")
    for name, value in {"TARGET": "staging", "TAGS": "slow", "KEYWORD": "x", "LAST_FAILED": "1"}.items():
        monkeypatch.setenv(f"CREATIO_RUNNER_{name}", value)
    monkeypatch.setenv("CREATIO_RUNNER_INPUTS", "inputs.yaml")
    assert ended(["run", "release.plan.json"]) == 0
    assert "Limit=7" in asked(here)[0]


def test_guards_hold_for_kept_plans_too(here: Site) -> None:
    Path("targets.yaml").write_text(targets(here.url) + "    protected: true\n")
    keep("-k", "red")
    assert ended(["run", "release.plan.json"]) == 6
    assert here.asked == []
    assert ended(["run", "release.plan.json", "--confirm", "here"]) == 0


AGAIN = "error[E165]: this plan has been carried out before"


def test_a_plan_that_has_been_carried_out_is_carried_out_once_more_only_where_that_is_said(
    here: Site, capsys: Capture
) -> None:
    keep()
    assert ended(["run", "release.plan.json"]) == 0
    assert asked(here) == ALL
    capsys.readouterr()
    assert ended(["run", "release.plan.json"]) == 6
    assert asked(here) == ALL
    output = capsys.readouterr().err
    runs = sorted(folder.name for folder in Path(".runner/runs").iterdir() if folder.name[0] != ".")
    assert f"{AGAIN}: run {runs[0]} of release[red]@here, passed; run {runs[1]} of release[blue]@here, passed" in output
    assert "nothing was sent; `--again` carries it out once more" in output
    assert "resume" not in output
    assert ended(["run", "release.plan.json", "--again"]) == 0
    assert asked(here) == ALL + ALL
    assert ended(["run", "release.plan.json"]) == 6
    assert "; and by 1 run before\n" in capsys.readouterr().err


def test_a_copy_of_a_plan_is_the_same_and_a_new_plan_of_the_same_jobs_another(here: Site) -> None:
    keep()
    assert ended(["run", "release.plan.json"]) == 0
    Path("copy.plan.json").write_text(Path("release.plan.json").read_text())
    assert ended(["run", "copy.plan.json"]) == 6
    keep()
    assert ended(["run", "release.plan.json"]) == 0
    assert asked(here) == ALL + ALL


def test_a_plan_that_a_command_names_twice_or_beside_its_copy_is_carried_out_once(here: Site, capsys: Capture) -> None:
    keep()
    Path("copy.plan.json").write_text(Path("release.plan.json").read_text())
    Path("link.plan.json").symlink_to("release.plan.json")
    named = ["release.plan.json", "./release.plan.json", "copy.plan.json", "link.plan.json"]
    assert ended(["run", *named, "-j", "4"]) == 0
    assert sorted(asked(here)) == sorted(ALL)
    once = "is a plan that this command names before it: it is carried out once\n"
    said = capsys.readouterr().err
    assert f"copy.plan.json {once}link.plan.json {once}" in said
    assert ended(["run", *named, "--again"]) == 0
    assert sorted(asked(here)) == sorted(ALL + ALL)


def test_two_plans_of_the_same_run_are_not_carried_out_in_one_command(here: Site, capsys: Capture) -> None:
    keep()
    Path("other.plan.json").write_text(Path("release.plan.json").read_text())
    keep()
    here.asked.clear()
    assert ended(["run", "release.plan.json", "other.plan.json"]) == 2
    said = capsys.readouterr().err
    assert "other.plan.json: error[E111]: `release[red]@here` is in another of these plans, too" in said
    assert here.asked == []


def test_a_plan_is_carried_out_once_whatever_folder_has_its_runs(here: Site, capsys: Capture) -> None:
    keep()
    assert ended(["run", "release.plan.json"]) == 0
    here.asked.clear()
    ran = max(folder.name for folder in Path(".runner/runs").iterdir())
    capsys.readouterr()
    assert ended(["run", "release.plan.json", "--runs", "other"]) == 6
    assert f"run {ran} of release[blue]@here, passed in {Path('.runner/runs').absolute()}" in capsys.readouterr().err
    assert here.asked == []
    assert ended(["run", "release.plan.json", "--runs", "other", "--again"]) == 0
    assert asked(here) == ALL
    shutil.rmtree(".runner")
    capsys.readouterr()
    assert ended(["run", "release.plan.json"]) == 6
    assert f"run {ran}, which is not stored any more; run " in capsys.readouterr().err


def test_a_run_of_a_plan_that_broke_off_in_another_folder_is_resumed_there(here: Site, capsys: Capture) -> None:
    keep("-k", "red")
    assert ended(["run", "release.plan.json", "--runs", "other"]) == 0
    (events,) = Path("other").glob("*/events.jsonl")
    events.write_text("".join(events.read_text().splitlines(keepends=True)[:-1]))
    (events.parent / "report.json").unlink()
    here.asked.clear()
    capsys.readouterr()
    assert ended(["run", "release.plan.json"]) == 6
    assert f"`runner resume {events.parent.name} --runs {Path('other').absolute()}` goes on" in capsys.readouterr().err


def test_where_a_plan_is_carried_out_once_is_the_last_line_of_the_command_that_stores_it(
    here: Site, capsys: Capture
) -> None:
    del here
    keep()
    last = capsys.readouterr().err.splitlines()[-1]
    assert last == (
        "it is carried out once by one user on one machine; another machine knows only what `.runner/` says:"
        " in CI, keep that folder between the jobs"
    )


def test_a_plan_of_a_version_that_gave_no_keys_is_known_by_what_it_holds(here: Site) -> None:
    whole = keep()
    del whole["key"]
    Path("release.plan.json").write_text(json.dumps(whole))
    assert ended(["run", "release.plan.json"]) == 0
    assert ended(["run", "release.plan.json"]) == 6
    assert asked(here) == ALL


def test_a_plan_whose_run_broke_off_is_resumed_by_resume(here: Site, capsys: Capture) -> None:
    del here
    Path("cases.csv").write_text("name,limit\nred,7\n")
    keep()
    assert ended(["run", "release.plan.json"]) == 0
    (folder,) = Path(".runner/runs").glob("*/events.jsonl")
    folder.write_text("".join(folder.read_text().splitlines(keepends=True)[:-1]))
    (folder.parent / "report.json").unlink()
    capsys.readouterr()
    assert ended(["run", "release.plan.json"]) == 6
    output = capsys.readouterr().err
    assert f"run {folder.parent.name} of release[red]@here, which has not come to its end" in output
    assert f"`runner resume {folder.parent.name}` goes on with the run that has not ended" in output


def test_a_run_that_is_not_kept_any_more_still_counts(here: Site, capsys: Capture) -> None:
    keep()
    assert ended(["run", "release.plan.json"]) == 0
    assert ended(["runs", "--prune", "1ms"]) == 0
    assert ended(["run", "release.plan.json"]) == 6
    assert asked(here) == ALL
    assert "which is not stored any more" in capsys.readouterr().err


def test_a_plan_that_was_refused_before_a_run_began_has_not_been_carried_out(
    here: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep()
    monkeypatch.delenv("CREATIO_RUNNER_INPUT_TOKEN")
    assert ended(["run", "release.plan.json"]) == 2
    monkeypatch.setenv("CREATIO_RUNNER_INPUT_TOKEN", SECRET)
    Path("targets.yaml").write_text(targets(here.url) + "    protected: true\n")
    assert ended(["run", "release.plan.json"]) == 6
    state = Path("state")
    state.write_text("no folder, so that there are no locks")
    monkeypatch.setenv("XDG_STATE_HOME", str(state.absolute()))
    Path("release.job.yaml").write_text(JOB + "concurrency: one\n")
    keep()
    assert ended(["run", "release.plan.json", "--confirm", "here"]) == 6
    state.unlink()
    assert ended(["run", "release.plan.json", "--confirm", "here"]) == 0
    assert asked(here) == ALL


def test_a_plan_whose_use_could_not_be_written_down_has_not_been_carried_out(here: Site, capsys: Capture) -> None:
    keep()
    Path(".runner").mkdir()
    Path(".runner/.plans").write_text("in the way")
    assert ended(["run", "release.plan.json"]) == 2
    Path(".runner/.plans").unlink()
    capsys.readouterr()
    assert ended(["run", "release.plan.json"]) == 0, capsys.readouterr().err
    assert asked(here) == ALL


def test_again_is_for_stored_plans_alone(here: Site, capsys: Capture) -> None:
    assert ended(["run", "release.job.yaml", "--again"]) == 2
    assert "error[E150]: `--again` carries out a stored plan once more" in capsys.readouterr().err
    assert asked(here) == []


def test_a_run_of_a_plan_that_cannot_be_written_down_is_refused(
    here: Site, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_store: FileRunStore, _key: str, _run: str) -> None:
        raise StoreError("no space left")

    keep()
    with monkeypatch.context() as patched:
        patched.setattr(FileRunStore, "add_run_of_plan", full)
        assert ended(["run", "release.plan.json"]) == 2
    assert "error[E151]" in capsys.readouterr().err
    assert ended(["run", "release.plan.json"]) == 0
    assert asked(here) == ALL


def test_a_plan_whose_run_has_sent_nothing_is_said_to_be_ready_to_be_carried_out(here: Site, capsys: Capture) -> None:
    key, run, store = str(keep()["key"]), "0193a0c4-0000-7000-8000-000000000001", FileRunStore(Path(".runner/runs"))
    store.prepare()
    assert store.claim_plan(key)
    store.create(run).close()
    store.add_run_of_plan(key, run)
    assert ended(["run", "release.plan.json"]) == 6
    assert "= hint: it has sent nothing: `--again` carries the plan out" in capsys.readouterr().err
    assert ended(["run", "release.plan.json", "--again"]) == 0
    assert asked(here) == ALL


def test_of_the_runs_of_a_plan_that_is_named_again_the_one_that_can_be_resumed_is(here: Site, capsys: Capture) -> None:
    keep()
    assert ended(["run", "release.plan.json"]) == 0
    first, second = sorted(run.name for run in Path(".runner/runs").iterdir() if run.name[0] != ".")
    journal = Path(f".runner/runs/{first}/events.jsonl")
    journal.write_bytes(b"".join(journal.read_bytes().splitlines(keepends=True)[:-1]))
    Path(f".runner/runs/{second}/events.jsonl").write_bytes(b"")
    for file in (Path(".runner/history.jsonl"), *Path(".runner/runs").glob("*/report.json")):
        file.unlink()
    capsys.readouterr()
    here.asked.clear()
    assert ended(["run", "release.plan.json"]) == 6
    assert here.asked == []
    said = capsys.readouterr().err
    assert (
        f"run {first} of release[red]@here, which has not come to its end; run {second}, which broke off before" in said
    )
    assert f"= hint: `runner resume {first}` goes on with the run that has not ended" in said


def test_one_of_two_commands_that_begin_the_same_plan_at_once_is_refused(here: Site, capsys: Capture) -> None:
    keep()
    store = FileRunStore(Path(".runner/runs"))
    assert store.claim_plan(
        json.loads(Path("release.plan.json").read_text())["key"]
    )  # as another command leaves it between its claim and its first run
    assert ended(["run", "release.plan.json"]) == 6
    assert asked(here) == []
    said = capsys.readouterr().err
    assert f"{AGAIN}: no run of it is known; another command may be about to begin" in said
    assert (
        "= hint: if no other command is about to begin it, nothing of it was sent: `--again` carries it out\n" in said
    )
    assert ended(["run", "release.plan.json", "--again"]) == 0
    assert asked(here) == ALL


def test_a_key_that_leads_elsewhere_is_no_path(here: Site) -> None:
    whole = keep()
    Path("release.plan.json").write_text(json.dumps(whole | {"key": "../../../../evil"}))
    assert ended(["run", "release.plan.json"]) == 0
    assert asked(here) == ALL
    assert [path.name for path in Path().rglob("*evil*")] == []
