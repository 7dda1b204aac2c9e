"""`runner catalog`: what a site has, pulled into a file, checked against it, compared with another's."""

import json
import shutil
from pathlib import Path

import pytest
from captured import Capture
from sites import NOTHING, REFUSED, Answer, site, targets

from runner.catalogue.write import OF_SITE
from runner.cli.main import ended

pytestmark = pytest.mark.slow

SPECS = Path(__file__).parents[2] / "specs"
ROW: dict[str, object] = {
    "Id": "id-1",
    "UId": "uid-1",
    "Name": "UsrPing",
    "Caption": "Ping",
    "Enabled": True,
    "Version": 1,
}
OPENED: dict[str, object] = {"metaData": {"schema": {"parameters": [], "flowElements": []}}}


@pytest.fixture
def specs(tmp_path: Path) -> Path:
    shutil.copytree(SPECS, tmp_path / "specs")
    return Path("specs")


def change(specs: Path, double: str, old: str, new: str) -> None:
    file = specs / "sandbox" / f"{double}.process.yaml"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def answering(row: dict[str, object] = ROW, schema: Answer | None = None) -> list[Answer]:
    page = Answer(body=json.dumps({"value": [row]}))
    metadata = Answer(body=json.dumps({"success": True, "schema": {"metaData": json.dumps(OPENED)}}))
    return [page, schema or metadata]


def reply(method: str, path: str, answers: list[Answer]) -> Answer:
    if "VwProcessLib" in path:
        return answers[0]
    return answers[1] if method == "POST" and "ProcessSchemaRequest" in path else NOTHING


def test_a_catalogue_lies_beside_the_targets_and_shows_what_the_site_has(specs: Path, capsys: Capture) -> None:
    assert ended(["catalog", "pull", "-t", "sandbox", "specs"]) == 0
    text = (specs / "sandbox.catalog.yaml").read_text()
    assert (
        "  UsrDeleteContact:\n    caption: Delete a contact\n    version: 1\n    traced: true\n    runnable: true\n"
        in text
    )
    assert (
        "      ContactList: {type: records, direction: out, items: {Id: guid, MobilePhone: text, Name: text}}\n" in text
    )
    assert "      7d8f6f3e-5a52-4b8f-9a54-2b6f0f8c1a11: {name: UserTask1, caption: Approve, type: UserTask}\n" in text
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines()[-1] == "specs/sandbox.catalog.yaml: 9 processes"


def test_a_catalogue_is_written_to_stdout_where_it_is_asked_for_there(specs: Path, capsys: Capture) -> None:
    assert ended(["catalog", "pull", "-t", "sandbox", "specs", "--out", "-"]) == 0
    assert "  UsrDeleteContact:\n" in capsys.readouterr().out
    assert not Path("-").exists()
    assert not (specs / "sandbox.catalog.yaml").exists()


def test_pulling_again_changes_nothing_where_nothing_has_changed(specs: Path, capsys: Capture) -> None:
    assert ended(["catalog", "pull", "specs"]) == 0
    file = specs / "sandbox.catalog.yaml"
    before = file.read_text().replace("pulled: {at: ", 'pulled: {at: "2025-01-01T00:00:00Z", by: bob} # ')
    before = "\n".join(line.partition(" # ")[0] for line in before.splitlines()) + "\n"
    file.write_text(before)

    assert ended(["catalog", "pull", "specs"]) == 0

    assert file.read_text() == before
    assert "nothing has changed since 2025-01-01T00:00:00Z" in capsys.readouterr().err


def test_what_people_write_into_the_file_stays_where_nothing_has_changed(specs: Path) -> None:
    assert ended(["catalog", "pull", "specs"]) == 0
    file = specs / "sandbox.catalog.yaml"
    noted = file.read_text().replace("  UsrDeleteContact:\n", "  UsrDeleteContact: # not on Fridays\n")
    file.write_text(noted)

    assert ended(["catalog", "pull", "specs"]) == 0

    assert file.read_text() == noted


def test_a_change_on_the_site_changes_its_lines_and_the_stamp(specs: Path, capsys: Capture) -> None:
    assert ended(["catalog", "pull", "specs"]) == 0
    file = specs / "sandbox.catalog.yaml"
    before = file.read_text().splitlines()
    change(specs, "UsrRecalculateScores", "Bonus: {type: integer", "Bonus: {type: decimal")

    assert ended(["catalog", "pull", "specs"]) == 0

    changed = [new for old, new in zip(before, file.read_text().splitlines(), strict=True) if old != new]
    assert [line for line in changed if "pulled" not in line] == ["      Bonus: {type: decimal, direction: in}"]
    assert "9 processes, 1 difference to what it held" in capsys.readouterr().err


def test_a_file_that_is_broken_is_written_anew(specs: Path) -> None:
    file = specs / "sandbox.catalog.yaml"
    file.write_text(f"<<<<<<< HEAD\n{OF_SITE}=======\n")

    assert ended(["catalog", "pull", "specs"]) == 0
    assert file.read_text().startswith("# What the site has")


@pytest.mark.usefixtures("specs")
def test_a_file_that_cannot_be_written_is_reported(capsys: Capture) -> None:
    assert ended(["catalog", "pull", "specs", "--out", "nowhere/x.catalog.yaml"]) == 2
    assert "error[E179]: the catalogue nowhere/x.catalog.yaml cannot be written" in capsys.readouterr().err


def test_a_file_that_is_no_catalogue_is_not_written_over_whatever_its_name(specs: Path, capsys: Capture) -> None:
    file = specs / "sandbox.catalog.yaml"
    file.write_text("notes: of somebody\n")

    assert ended(["catalog", "pull", "specs"]) == 2

    assert file.read_text() == "notes: of somebody\n"
    assert "error[E153]: the catalogue cannot be written to specs/sandbox.catalog.yaml" in capsys.readouterr().err


def test_a_check_shows_what_differs_first_what_matters_to_the_jobs(specs: Path, capsys: Capture) -> None:
    text = "caption: Tell how far"
    change(specs, "UsrGetOnboardingStage", f"{text} the onboarding of a contact is", text)
    assert ended(["catalog", "pull", "specs"]) == 0
    assert ended(["catalog", "check", "--for", "specs"]) == 0
    capsys.readouterr()
    change(specs, "UsrCheckDiscount", "Percent", "Percents")
    change(specs, "UsrGetOnboardingStage", "Tell how far", "Say how far")

    assert ended(["catalog", "check", "-t", "sandbox", "--for", "specs"]) == 1

    catalogue = "the catalogue specs/sandbox.catalog.yaml"
    assert capsys.readouterr().out.splitlines() == [
        "the catalogue specs/sandbox.catalog.yaml and target `sandbox`: 3 differences",
        "1 of them matters to the jobs:",
        "  `UsrCheckDiscount`: parameter `Percent`: only in the catalogue specs/sandbox.catalog.yaml, integer, out",
        "      used in specs/discounts.job.yaml:20",
        "the jobs use nothing of this:",
        "  `UsrCheckDiscount`: parameter `Percents`: only in target `sandbox`, integer, out",
        f"  `UsrGetOnboardingStage`: its caption: Tell how far in {catalogue}, Say how far in target `sandbox`",
    ]


def test_a_check_as_json_is_for_programs(specs: Path, capsys: Capture) -> None:
    assert ended(["catalog", "pull", "specs"]) == 0
    change(specs, "UsrCheckDiscount", "Percent", "Percents")

    assert ended(["catalog", "check", "specs", "--format", "json"]) == 1

    found = json.loads(capsys.readouterr().out)
    assert found["format"] == 1
    assert found["differences"][0] == {
        "process": "UsrCheckDiscount",
        "about": "parameter",
        "name": "Percent",
        "before": "integer, out",
        "after": None,
        "used_in": ["specs/discounts.job.yaml:20"],
    }


def test_a_check_without_a_catalogue_says_how_to_get_one(specs: Path, capsys: Capture) -> None:
    assert ended(["catalog", "check", str(specs)]) == 2
    err = capsys.readouterr().err
    assert "error[E179]: there is no catalogue specs/sandbox.catalog.yaml" in err
    assert "`runner catalog pull -t sandbox` writes it" in err


@pytest.mark.usefixtures("specs")
def test_what_git_says_is_built_and_not_pulled_from_the_site(capsys: Capture) -> None:
    assert ended(["catalog", "check", "specs", "--against", "git.catalog.yaml"]) == 2
    err = capsys.readouterr().err
    assert "error[E179]: there is no catalogue git.catalog.yaml" in err
    assert "`runner catalog build PACKAGES -o git.catalog.yaml` writes it" in err


@pytest.mark.usefixtures("specs")
def test_jobs_with_mistakes_cannot_say_what_matters_to_them(capsys: Capture) -> None:
    assert ended(["catalog", "pull", "specs"]) == 0
    Path("specs/bad.job.yaml").write_text("runner: 1\nname: bad\nstep: []\n")

    assert ended(["catalog", "check", "--for", "specs"]) == 2
    assert "unknown key `step`" in capsys.readouterr().err


def test_jobs_that_do_not_fit_the_old_catalogue_are_asked_all_the_same(specs: Path) -> None:
    change(specs, "UsrCheckDiscount", "Percent", "Percents")
    assert ended(["catalog", "pull", "specs"]) == 0
    change(specs, "UsrCheckDiscount", "Percents", "Percent")

    assert ended(["catalog", "check", "--for", "specs"]) == 1


def test_two_files_or_sites_are_compared(specs: Path, capsys: Capture) -> None:
    assert ended(["catalog", "pull", "specs", "--out", "a.catalog.yaml"]) == 0
    change(specs, "UsrCheckDiscount", "Percent", "Percents")
    assert ended(["catalog", "pull", "specs", "--out", "b.catalog.yaml"]) == 0
    capsys.readouterr()

    assert ended(["catalog", "diff", "a.catalog.yaml", "a.catalog.yaml"]) == 0
    assert "nothing differs" in capsys.readouterr().out
    assert ended(["catalog", "diff", "a.catalog.yaml", "b.catalog.yaml"]) == 1
    only = "`UsrCheckDiscount`: parameter `Percent`: only in the catalogue a.catalog.yaml, integer, out"
    assert only in capsys.readouterr().out
    assert ended(["catalog", "diff", "sandbox", "b.catalog.yaml", "--targets", "specs/targets.yaml"]) == 0
    assert ended(["catalog", "diff", "nowhere", "b.catalog.yaml", "--targets", "specs/targets.yaml"]) == 2
    assert "unknown target `nowhere`" in capsys.readouterr().err
    assert ended(["catalog", "diff", "specs", "b.catalog.yaml", "--targets", "specs/targets.yaml"]) == 2
    assert "no process is found in specs" in capsys.readouterr().err


def test_a_real_site_is_asked_for_nothing_that_could_start_a_process(capsys: Capture) -> None:
    with site(lambda method, path: reply(method, path, answering())) as here:
        Path("targets.yaml").write_text(targets(here.url))
        assert ended(["catalog", "pull", "-t", "here"]) == 0
        assert [line for line in here.asked if "ProcessEngineService" in line] == []
        assert sum("ProcessSchemaRequest" in line for line in here.asked) == 1
        text = Path("here.catalog.yaml").read_text()
        assert f"site: {here.url}\n" in text
    assert "pa55-w0rd" not in text + capsys.readouterr().err
    assert "integration" not in text


def test_a_site_that_lets_nobody_in_gives_no_catalogue(capsys: Capture) -> None:
    with site(lambda method, path: reply(method, path, answering()), sign_in=REFUSED) as here:
        Path("targets.yaml").write_text(targets(here.url))
        assert ended(["catalog", "pull", "-t", "here"]) == 3
    assert "E303" in capsys.readouterr().err
    assert not Path("here.catalog.yaml").exists()


def test_a_site_without_the_library_says_so(capsys: Capture) -> None:
    with site(lambda _method, _path: NOTHING) as here:
        Path("targets.yaml").write_text(targets(here.url))
        assert ended(["catalog", "pull", "-t", "here"]) == 3
        assert ended(["catalog", "diff", "here", "here"]) == 3
    assert "404 Not Found" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("library", "code", "words"),
    [
        (Answer(status=403, body='{"error":{"message":"No right"}}'), "E205", "403 Forbidden: No right"),
        (Answer(body='{"value":[]}'), "E307", "shows none at all"),
        (Answer(body='<html><script src="/Login/NuiLogin.js"></html>', kind="text/html"), "E304", "its login page"),
    ],
    ids=["refused", "empty", "login-page"],
)
def test_a_site_that_shows_no_library_leaves_the_catalogue_as_it_is(
    library: Answer, code: str, words: str, capsys: Capture
) -> None:
    before = f"{OF_SITE}broken: [\n"
    Path("here.catalog.yaml").write_text(before)
    with site(lambda _method, path: library if "VwProcessLib" in path else NOTHING) as here:
        Path("targets.yaml").write_text(targets(here.url))
        assert ended(["catalog", "pull", "-t", "here"]) == 3
    err = capsys.readouterr().err
    assert f"error[{code}]" in err
    assert words in err
    assert Path("here.catalog.yaml").read_text() == before


def test_the_first_of_very_many_odd_things_are_reported_and_how_many_there_are(capsys: Capture) -> None:
    design = {"parameters": [{"name": f"P{number}", "direction": 0} for number in range(30)], "flowElements": []}
    metadata = json.dumps({"metaData": {"schema": design}})
    found = Answer(body=json.dumps({"success": True, "schema": {"metaData": metadata}}))
    with site(lambda method, path: reply(method, path, answering(schema=found))) as here:
        Path("targets.yaml").write_text(targets(here.url))
        assert ended(["catalog", "pull", "-t", "here"]) == 0
    err = capsys.readouterr().err
    assert err.count("warning[E178]") == 11
    assert "`UsrPing`: the type of `P0` is missing" in err
    assert "20 more things could not be read, in 1 process altogether" in err


def test_a_process_that_is_not_reported_is_kept_as_unknown_and_nothing_is_held_against_it(capsys: Capture) -> None:
    refused = Answer(body='{"success":false,"errorInfo":{"message":"Not\\u0007 for you"}}')
    job = "runner: 1\nname: a\ntarget: here\nsteps:\n  - execute: {process: UsrPing, parameters: {Any: 1}, result: X}\n"
    Path("a.job.yaml").write_text(job)
    with site(lambda method, path: reply(method, path, answering(schema=refused))) as here:
        Path("targets.yaml").write_text(targets(here.url))
        assert ended(["catalog", "pull", "-t", "here"]) == 0
        assert ended(["catalog", "check", "-t", "here"]) == 0
    err = capsys.readouterr().err
    assert "warning[E178]: `UsrPing`: the site does not give it:" in err
    assert "\x07" not in err
    assert "unread: the site did not give it in full\n" in Path("here.catalog.yaml").read_text()
    assert ended(["validate", "a.job.yaml"]) == 0


def test_a_process_that_is_disabled_cannot_be_used_in_a_job(capsys: Capture) -> None:
    job = "runner: 1\nname: a\ntarget: here\nsteps:\n  - execute: {process: UsrPing}\n"
    Path("a.job.yaml").write_text(job)
    disabled = answering({**ROW, "Enabled": False})
    with site(lambda method, path: reply(method, path, disabled)) as here:
        Path("targets.yaml").write_text(targets(here.url))
        assert ended(["catalog", "pull", "-t", "here"]) == 0
        assert ended(["run", "a.job.yaml"]) == 2
        assert here.executes() == []
    captured = capsys.readouterr()
    assert "1 process, 1 of which cannot be started" in captured.err
    assert "error[E170]: `UsrPing` cannot be started: it is disabled" in captured.err


@pytest.mark.parametrize("verb", ["validate", "plan", "run"])
def test_a_catalogue_that_is_named_counts_whatever_the_target(specs: Path, verb: str, capsys: Capture) -> None:
    assert ended(["catalog", "pull", "specs", "--out", "x.yaml"]) == 0
    text = Path("x.yaml").read_text().replace("ContactList:", "Contacts:")
    Path("x.yaml").write_text(text)

    assert ended([verb, str(specs / "contact-smoke.job.yaml"), "--catalog", "x.yaml"]) == 2

    captured = capsys.readouterr()
    assert "error[E146]: `UsrGetAllContacts` has no parameter `ContactList`" in captured.out + captured.err


def test_a_catalogue_that_is_named_and_not_there_is_a_mistake(specs: Path, capsys: Capture) -> None:
    assert ended(["validate", str(specs), "--catalog", "nowhere.catalog.yaml"]) == 2
    assert "there is no file `nowhere.catalog.yaml`" in capsys.readouterr().out


def test_a_catalogue_with_a_mistake_stops_a_run_before_anything_is_sent(capsys: Capture) -> None:
    Path("a.job.yaml").write_text("runner: 1\nname: a\ntarget: here\nsteps:\n  - execute: {process: UsrPing}\n")
    Path("here.catalog.yaml").write_text("runner: 1\nsite: x\nproceses: {}\n")
    with site(lambda _method, _path: NOTHING) as here:
        Path("targets.yaml").write_text(targets(here.url))
        assert ended(["run", "a.job.yaml"]) == 2
        assert here.asked == []
    assert "here.catalog.yaml:3:1: error[E104]: unknown key `proceses` in a catalogue" in capsys.readouterr().err


def test_a_job_with_another_mistake_is_held_against_the_catalogue_in_the_same_pass(
    specs: Path, capsys: Capture
) -> None:
    job = "runner: 1\nname: a\ntarget: sandbox\ntag: [x]\nsteps:\n  - execute: {process: UsrDeleteContac}\n"
    (specs / "a.job.yaml").write_text(job)

    assert ended(["validate", str(specs / "a.job.yaml")]) == 2

    out = capsys.readouterr().out
    assert "unknown key `tag`" in out
    assert "has no process `UsrDeleteContac`" in out


def test_a_job_without_a_target_is_reported_of_types_that_need_no_catalogue(capsys: Capture) -> None:
    Path("a.job.yaml").write_text(
        "runner: 1\nname: a\nsteps:\n"
        "  - id: q\n    query: {entity: Contact}\n    expect: ['result | length > \"1\"', result.Name == 1]\n"
    )

    assert ended(["validate", "a.job.yaml"]) == 2

    out = capsys.readouterr().out
    assert "a.job.yaml:6:14: error[E174]" in out
    assert "error[E173]: `result` is a list, and has no `Name`" in out


def test_a_target_whose_name_no_file_can_have_needs_a_name_for_its_catalogue(specs: Path, capsys: Capture) -> None:
    (specs / "targets.yaml").write_text('runner: 1\ntargets: {"a/b": {sandbox: sandbox}}\n')

    assert ended(["catalog", "pull", "specs"]) == 2
    assert "name the file with `--out`" in capsys.readouterr().err
    assert ended(["catalog", "pull", "specs", "--out", "x.catalog.yaml"]) == 0


FAMILY = {
    "UsrAddTours": "runner: 1\nprocess: UsrAddTours\nparameters: {Seats: {type: integer}}\n",
    "UsrAddTours_v1": (
        "runner: 1\nprocess: UsrAddTours_v1\nof: UsrAddTours\nversion: 2\nactive: true\n"
        "parameters: {Level: {type: integer}}\n"
    ),
}
JOB = "runner: 1\nname: tours\ntarget: {target}\nsteps:\n  - run: {{process: {code}, parameters: {{{given}}}}}\n"


@pytest.mark.parametrize(
    ("code", "given", "codes"),
    [
        ("UsrAddTours", "Level: 2", []),
        ("UsrAddTours", "Seats: 2", ["E145"]),
        ("UsrAddTours_v1", "Level: 2", ["E148"]),
    ],
)
def test_on_a_site_with_versions_the_right_job_is_not_refused(
    specs: Path, capsys: Capture, *, code: str, given: str, codes: list[str]
) -> None:
    for name, text in FAMILY.items():
        (specs / "sandbox" / f"{name}.process.yaml").write_text(text)
    assert ended(["catalog", "pull", "-t", "sandbox", "specs"]) == 0
    assert "    members:\n      UsrAddTours: {uid: " in (specs / "sandbox.catalog.yaml").read_text()
    job = Path("tours.job.yaml")
    job.write_text(JOB.format(target="here", code=code, given=given))
    Path("targets.yaml").write_text(targets("http://127.0.0.1:9"))
    capsys.readouterr()

    ended(["validate", str(job), "--catalog", "specs/sandbox.catalog.yaml", "--format", "json"])

    assert [one["code"] for one in json.loads(capsys.readouterr().out)["problems"]] == codes
