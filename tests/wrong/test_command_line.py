"""Mistakes on the command line: each is refused before anything is sent, and says what was probably meant."""

from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from captured import Capture
from expected_texts import ExpectedTexts

from runner.cli import hints
from runner.cli.main import VERBS, ended, load
from runner.cli.reports import print_unstarted
from runner.foundation.problems import Problem

JOB = """runner: 1
name: contact-smoke
tags: [smoke, contacts]
target: sandbox
inputs:
  phone: {type: string, default: x}
  limit: {type: integer, default: 1}
  due: {type: string, format: date, default: 2026-12-31}
steps: [{pause: 1ms}]
"""
TARGETS = "runner: 1\ntargets: {sandbox: {sandbox: sandbox}, staging: {url: https://staging.example.com}}\n"
MISTAKES = {
    "validat a.job.yaml": "did you mean `validate`?",
    "check a.job.yaml": "did you mean `validate`?",
    "lint a.job.yaml": "did you mean `validate`?",
    "test a.job.yaml": "did you mean `run`?",
    "exec a.job.yaml": "did you mean `run`?",
    "dry-run a.job.yaml": "did you mean `plan`?",
    "serve": "did you mean `sandbox`?",
    "validate": "name a job, or a folder of jobs: `runner validate .` takes this folder",
    "list": "name a job, or a folder of jobs: `runner list .` takes this folder",
    "resume": "name a run by its id, or write `last`; `runner runs` lists them",
    "show": "name a run by its id, or write `last`; `runner runs` lists them",
    "worker": "give it on the command line, or set the environment variable `CREATIO_RUNNER_DB`",
    "status": "or set the environment variable `CREATIO_RUNNER_DB`; without a fleet `runner runs` lists the runs",
    "import orders.postman_collection.json": "`runner validate FILE` says of a command of curl",
    "run a.job.yml": "did you mean `a.job.yaml`?",
    "run A.job.yaml": "did you mean `a.job.yaml`?",
    "run a.yaml": "did you mean `a.job.yaml`?",
    "run a": "did you mean `a.job.yaml`?",
    "run other.job.yaml": "name a job that is there: `a.job.yaml`",
    "run a.job.yaml -i phon=1": "did you mean `phone`?",
    "run a.job.yaml -i Phone=1": "did you mean `phone`?",
    "run a.job.yaml -i phone": "write `-i NAME=VALUE`",
    "run a.job.yaml -i phone:1": "write `-i NAME=VALUE`",
    "run a.job.yaml -i limit=ten": "`ten` is not a whole number",
    "run a.job.yaml -i due=24.12.2026": "write `2026-12-24`",
    "run a.job.yaml -i limit=1.5": "1.5 is not a whole number",
    "run a.job.yaml -i phone=@phone.txt": "a value that begins with `@` names a file",
    "run . --tags smoke|or|contatcs": "no job has the tag `contatcs` of `--tags`\n   = hint: did you mean `contacts`?",
    "run . --tags not|contatcs": "did you mean `contacts`?",
    "run . --tags true": "words with `and`",
    "run . -k contact -k red": "no run is called like `red`\n   = hint: the jobs are `contact-smoke`",
    "run a.job.yaml sandbox": "there is no *.job.yaml in sandbox\n   = hint: leave it out, or add `--allow-empty`",
    "plan inhabited a.job.yaml": "there is no *.job.yaml in inhabited\n   = hint: it is a folder of doubles",
    "validate . sandbox": "there is no *.job.yaml in sandbox",
    "list . sandbox": "there is no *.job.yaml in sandbox",
    "ready -t staging sandbox": "there is no *.job.yaml in sandbox",
    "catalog check -t staging --for a.job.yaml --for sandbox": "there is no *.job.yaml in sandbox",
    "run . --report-junit -q": "`--report-junit` needs a value before `-q`\n   = hint: write `--report-junit FILE`",
    "run . -k --yes": "`-k` needs a value before `--yes`\n   = hint: write `-k TEXT`",
    "run . --inputs empty.json": "empty.json:1:1: error[E108]: there is nothing in this file",
    "runs --prune 0d": "write a number above 0 and a unit",
    "run a.job.yaml -t stagin": "did you mean `staging`?",
    "run a.job.yaml -t Sandbox": "did you mean `sandbox`?",
    "run a.job.yaml -t prod": "has `sandbox`, `staging`",
    "run a.job.yaml --tags smoke&&contacts": "words with `and`",
    "run a.job.yaml --tags smoke,contacts": "write `smoke and contacts` for jobs with all of them, `smoke or",
    "run a.job.yaml --tags smoke|+|contacts": "write `smoke and contacts` for jobs with all of them, `smoke or",
    "run a.job.yaml --tags smoke|or|true": "words with `and`",
    "run a.job.yaml --tags (smoke": "words with `and`",
    "run a.job.yaml --tag smoke": "--tags",
    "run a.job.yaml --report-junit r.xml --report-ctrf ./r.xml": "two reports would go to r.xml",
    "run a.job.yaml --grace 30": "as in `30s`",
    "show last --step read": "`runner show RUN STEP` shows a step",
    "apply a.job.yaml --force": "`--retry failed` carries out what did not pass once more",
    "run a.job.yaml --wait-lock 10": "as in `30s`",
    "run a.job.yaml -j 0": "range 1",
    "run a.job.yaml --junit out.xml": "--report-junit",
    "run a.job.yaml --inputs input.yaml": "did you mean `inputs.yaml`?",
    "run a.job.yaml --targets target.yaml": "did you mean `targets.yaml`?",
    "validate a.job.yaml --format junit": "'sarif'",
    "explain E10": "near are E100",
    "runs --prune 30": "`30d`",
    "plan a.job.yaml -o plan.json": "`--out FILE` names the file that is written",
    "run a.job.yaml -o report.json": "`--report-json FILE`",
    "validate a.job.yaml -o report.json": "`runner validate --help` shows how it is used",
    "run a.job.yaml --dry-run": "`runner plan` prints what a job would send",
    "run a.job.yaml -e phone=1": "`-i NAME=VALUE` gives an input",
    "run a.job.yaml --environment staging": "`-t NAME` names a target",
    "run a.job.yaml --parallel 4": "`-j N`",
    "run a.job.yaml --db postgresql://h/n": "`runner apply`",
    "rerun last --db postgresql://h/n": "`runner apply`",
    "run a.job.yaml -i limit=5 -i limit=6": "input `limit` is given 2 times, and takes one value",
    "run a.job.yaml -i limit=5 --input limit=5": "input `limit` is given 2 times, and takes one value",
    "run a.job.yaml --tags smoke --tags slow": "`--tags` is given 2 times, and takes one value",
    "run a.job.yaml -q -v": "choose one",
    "run a.job.yaml -t sandbox,staging": "`-t sandbox -t staging`",
    "run a.job.yaml -target staging": "write `--target`, with two hyphens",
    "run a.job.yaml -Target staging": "write `--target`, with two hyphens",
    "run a.job.yaml --html x.html": "`--report-html FILE`",
    "-t staging run a.job.yaml": "options come after the verb",
    "run a.job.yaml -tags=smoke": "write `--tags=smoke`, with two hyphens",
    "run a.job.yaml —target staging": "write `--target`",
    "run a.job.yaml \N{EN DASH}t staging": "write `-t`",
    "run a.job.yaml -i phone: 1": "write `-i phone=1`",
    "run a.job.yaml -i phone=Boris Koval": '`-i "phone=Boris Koval"`',
    "run a.job.yaml -i phone Boris": "`-i phone=Boris`",
    "run a.job.yaml -i phone Boris Koval": '`-i "phone=Boris Koval"`',
    "run -i phone=Boris van Koval a.job.yaml": '`-i "phone=Boris van Koval"`',
    "run a.job.yaml --tags smoke and not slow": '`--tags "smoke and not slow"`',
    "run a.job.yaml -i phone = 5": "write `-i phone=5`",
    "run a.job.yaml -i phone= 5": "write `-i phone=5`",
    "run a.job.yaml --tags smoke slow": '`--tags "smoke and slow"`',
    "run a.job.yaml --config targets.yaml": "`--targets FILE` names the targets file",
    "run -f a.job.yaml": "name the job after the verb: `runner run FILE`",
    "run a.job.yaml -u Supervisor": "`auth` of a target in targets.yaml says who signs in",
    "run a.job.yaml -y": "`--yes` answers questions",
    "run a.job.yaml --report-xml x.xml": "write `--report-junit FILE`",
    "list a.job.yaml --json": "`--format json`",
    "run a.job.yaml phone=1": "there is no file `phone=1`\n   = hint: write `-i phone=1`, if it is an input",
    "plan phone=1 a.job.yaml limit=5": "write `-i phone=1 -i limit=5`, if they are inputs",
    "rerun last token=x": "write `-i token=x`",
    "validate a.job.yaml phone=1": "there is no file `phone=1`",
    "run *.jobs.yaml": "there is no file `*.jobs.yaml`\n   = hint: name the folder, which means every job in it",
    "run a.job.yaml --targets staging": "`-t staging` names a target",
    "run a.job.yaml --inputs phone=1": "`-i NAME=VALUE` gives an input",
    "run a.job.yaml --catalog staging": "`staging.catalog.yaml`",
    "run a.job.yaml --timeout 30": "`timeout` is a key: of a job, of a step, of a target",
    "run a.job.yaml -d cases.csv": "`cases` in a job names its CSV or JSON file",
    "run a.job.yaml --iteration-data cases.csv": "`cases` in a job",
    "run a.job.yaml --variable phone=1": "`-i NAME=VALUE` gives an input",
    "run a.job.yaml --insecure": "TLS is always verified",
    "run a.job.yaml --limit staging": "`-t NAME` names a target",
    "run a.job.yaml --failed": "`--last-failed` repeats what did not pass",
    "rerun last --lf": "`--failed` repeats what did not pass",
    "runs --failed": "`--status failed` lists the runs that failed",
    "run a.job.yaml --syntax-check": "`runner validate` checks the files",
    "run a.job.yaml --list-tasks": "`runner list` prints the jobs",
    "run a.job.yaml --start-at-task add": "a job runs whole; `runner resume` continues a run",
    "run a.job.yaml --ask-vault-pass": "secrets come from the environment or a file: `{{ env.NAME }}`",
    "run a.job.yaml --targt staging": "No such option '--targt'\n   = hint: did you mean `--target`?",
    "run a.job.yaml --hlep": "did you mean `--help`?",
    "run a.job.yaml --phone 1": "`-i NAME=VALUE` gives an input; `runner run --help` shows how it is used",
    "plan a.job.yaml --format json": "No such option '--format'\n   = hint: `runner plan --help` shows how it is used",
    "run a.job.yaml -j x": "'x' is not a whole number\n   = hint: write a whole number from 1 to 64",
    "run a.job.yaml --report-junit": "`--report-junit FILE`; `-` is stdout",
    "report last --format junit": "`--report-junit FILE`",
    "apply a.job.yaml --dryrun": "write `--dry-run`",
    "run a.job.yaml --dry": "`runner plan` prints what a job would send",
    "run a.job.yaml --case small": "`-k TEXT` selects runs by their name",
    "run a.job.yaml --no-color": "with the environment variable `NO_COLOR=1`",
    "run a.job.yaml --version": "write `runner --version`",
    "run a.job.yaml --log-level debug": "`-v` prints every call",
    "run a.job.yaml --max-failures 1": "`-x` ends at the first run that does not pass",
    "run a.job.yaml --skip slow": '`--tags "not slow"` leaves jobs out',
    "run a.job.yaml --input-file in.yaml": "`--inputs FILE` reads inputs from YAML or JSON",
    "rerun last -t staging": "`runner run FILE -t NAME` names another",
    "apply a.job.yaml --last-failed": "`--retry failed` carries out what did not pass once more",
    "prune": "did you mean `runs --prune 30d`?",
    "jobs": "did you mean `list`?",
    "run specs": "there is no file `specs`\n   = hint: name what is here: `a.job.yaml`",
    "run contact-smoke": "name the file: the job `contact-smoke` is in a.job.yaml",
    "validate contact-smoke": "name the file: the job `contact-smoke` is in a.job.yaml",
    "run UsrCreateOrder": "a process is started by a step of a job",
    "UsrCreateOrder": "a process is started by a step of a job: `runner run FILE`",
    "sandbox .": "did you mean `inhabited`?",
    "a.job.yaml": "did you mean `runner run a.job.yaml`?",
    "inhabited": "did you mean `runner run inhabited`?",
    "help run": "did you mean `runner run --help`?",
    "help": "did you mean `--help`?",
    "version": "did you mean `--version`?",
    "-V": "`runner --version`",
    "catalog pull staging": "`-t staging` names a target",
    "catalog check staging.catalog.yaml": "`--catalog staging.catalog.yaml` compares with it",
    "run a.job.yaml --report-junit a.job.yaml": "cannot be written to a.job.yaml: this command reads it",
    "run . --report-json a.job.yaml": "cannot be written to a.job.yaml: this command reads it",
    "run a.job.yaml --report-json targets.yaml": "targets.yaml: it is there already, and holds something else",
    "run a.job.yaml --inputs given.json --report-jsonl given.json": "given.json: this command reads it",
    "run a.job.yaml --report-json given.json": "given.json: it is there already, and holds something else",
    "plan a.job.yaml --out a.job.yaml": "the plan cannot be written to a.job.yaml: this command reads it",
    "plan a.job.yaml --out targets.yaml": "targets.yaml: it is there already, and holds something else",
    "catalog pull -t sandbox --out a.job.yaml": "a.job.yaml: it is there already, and holds something else",
}
ENVIRONMENT = {
    "CREATIO_RUNNER_JOBS=many": "the value comes from the environment variable `CREATIO_RUNNER_JOBS`",
    "CREATIO_RUNNER_TARGETS=sandbox": "the value comes from the environment variable `CREATIO_RUNNER_TARGETS`",
    "CREATIO_RUNNER_TARGET=stagin": "these environment variables are in use: `CREATIO_RUNNER_TARGET`",
    "CREATIO_RUNNER_TARGETS=nowhere.yaml": "these environment variables are in use: `CREATIO_RUNNER_TARGETS`",
    "CREATIO_RUNNER_RUNS=": "variable `CREATIO_RUNNER_RUNS` is empty; set it, or remove it",
    "CREATIO_RUNNER_TARGET=": "variable `CREATIO_RUNNER_TARGET` is empty; set it",
    "CREATIO_RUNNER_TAGS=": "variable `CREATIO_RUNNER_TAGS` is empty; set it",
    "CREATIO_RUNNER_KEYWORD=": "variable `CREATIO_RUNNER_KEYWORD` is empty; set it",
    "CREATIO_RUNNER_CHANGED_SINCE=": "variable `CREATIO_RUNNER_CHANGED_SINCE` is empty; set it",
    "CREATIO_RUNNER_FAIL_FAST=": "variable `CREATIO_RUNNER_FAIL_FAST` is empty; set it",
    "CREATIO_RUNNER_CATALOG=": "variable `CREATIO_RUNNER_CATALOG` is empty; set it",
    "CREATIO_RUNNER_GRACE=30": "the value comes from the environment variable `CREATIO_RUNNER_GRACE`",
}
PROBABLE = {
    "run . --confirm sandbx": "confirms nothing: there is no such target\n   = hint: did you mean `sandbox`?",
    "run . -i phone=1,limit=2": "write `-i limit=…` of its own, if it is meant for the input `limit`",
    "run . CREATIO_RUNNER_TARGT=staging": "did you mean `CREATIO_RUNNER_TARGET`?",
    "run . CREATIO_RUNER_TARGET=staging": "did you mean `CREATIO_RUNNER_TARGET`?",
    "run . CREATIO_RUNNER_T=staging": "did you mean `CREATIO_RUNNER_TARGET`?",
    "run . CREATIO_TARGET=staging": "did you mean `CREATIO_RUNNER_TARGET`?",
    "run . CREATIO_INPUT_PHONE=3": "did you mean `CREATIO_RUNNER_INPUT_PHONE`?",
    "run . CREATIO_RUNNER_TAG=smoke": "did you mean `CREATIO_RUNNER_TAGS`?",
    "run . CREATIO_RUNNER_JOBSS=2": "did you mean `CREATIO_RUNNER_JOBS`?",
    "run . CREATIO_RUNNER_REPORTJSON=x": "did you mean `CREATIO_RUNNER_REPORT_JSON`?",
    "run . CREATIO_RUNNER_YES=1": "type `--yes` on the command line, each time anew",
    "run . CREATIO_RUNNER_EVEN_THOUGH=1": "type `--even-though` on the command line, each time anew",
    "apply . CREATIO_RUNNER_RETRY=failed": "type `--retry` on the command line, each time anew",
    "runs CREATIO_RUNNER_PRUNE=30d": "is not read: no variable gives this option\n   = hint: type `--prune` on",
    "run . CREATIO_RUNNER_INPUTS_PHONE=1": "did you mean `CREATIO_RUNNER_INPUT_PHONE`?",
    "ready -t sandbox CREATIO_RUNNER_FOR=30s": "`CREATIO_RUNNER_WAIT_READY` is the variable of `--for` here",
    "apply . CREATIO_RUNNER_FOR=r2": "not read: it is of other verbs\n   = hint: `CREATIO_RUNNER_APPLY_FOR` is",
    "run . CREATIO_RUNER_INPUT_PHONE=1": "did you mean `CREATIO_RUNNER_INPUT_PHONE`?",
    "run . CREATIO_RUNNER_PHONE=1": "did you mean `CREATIO_RUNNER_INPUT_PHONE`?",
    "run . CREATIO_RUNNER_INPT_PHONE=1": "did you mean `CREATIO_RUNNER_INPUT_PHONE`?",
    "run . CREATIO_RUNNER_INPUT_PHOEN=1": "did you mean `CREATIO_RUNNER_INPUT_PHONE`?",
}
LET_BE = [
    "run a.job.yaml --tags not|slow",
    "run a.job.yaml --tags not|smoke2|and|smoke",
    "run a.job.yaml --confirm staging",
    "run a.job.yaml -k|smoke",
    "run a.job.yaml -t sandbox CREATIO_TARGET=sandbox",
    "run a.job.yaml -i phone=1234567 CREATIO_INPUT_PHONE=1234567",
    "run a.job.yaml -i phone=-target",
    "run a.job.yaml -i phone=—",
    "run *.job.yaml",
    "run [ab].job.yaml",
    "run a.job.yaml --report-json empty.json",
    "run a.job.yaml --report-junit /dev/null",
    "run a.job.yaml CREATIO_RUNNER_VERSION=0.1.0",
    "run a.job.yaml CREATIO_RUNNER_INPUT_TOKEN=x",
    "run a.job.yaml CREATIO_RUNNER_INPUT_PHONE2=x",
    "run a.job.yaml CREATIO_RUNNER_INPUT_PHONES=x",
    "run a.job.yaml CREATIO_RUNNER_INPUT_PHONE_ID=x",
    "run a.job.yaml CREATIO_RUNNER_INPUT_PHRONE=x",
    "run a.job.yaml CREATIO_RUNNER_OUTPUT_PHONE=x",
    "run a.job.yaml CREATIO_RUNNER_HOSTNAME=ci-7",
    "run a.job.yaml CREATIO_RUNNER_DATE=2026-11-26",
    "run a.job.yaml CREATIO_RUNNER_DATABASE=x",
    "run a.job.yaml CREATIO_RUNNER_TARGET_URL=https://example.com",
    "run a.job.yaml CREATIO_RUNNER_SERVICE_HOST=10.0.0.1 CREATIO_RUNNER_SERVICE_PORT=8080",
    "run a.job.yaml CREATIO_RUNNER_PORT=tcp://10.0.0.1:8080 CREATIO_RUNNER_PORT_80_TCP=tcp://10.0.0.1:80",
    "run a.job.yaml CREATIO_RUNNER_PORT_80_TCP_ADDR=10.0.0.1 CREATIO_RUNNER_PORT_80_TCP_PROTO=tcp",
    "run a.job.yaml --report-json /dev/null --report-junit /dev/null",
    "run a.job.yaml --inputs comments.yaml",
    "run a.job.yaml sandbox --allow-empty",
    "list . CREATIO_RUNNER_FORMAT=github",
    "runs CREATIO_RUNNER_FORMAT=sarif",
    "explain E104 CREATIO_RUNNER_FORMAT=github",
    "run a.job.yaml CREATIO_URL=x",
    "run a.job.yaml -q CREATIO_RUNNER_VERBOSE=1",
    "plan a.job.yaml",
    "list .",
    "validate . -t staging",
]
NOTHING = {
    "run a.job.yaml -k contact*": "no run is called like `contact*`; the jobs are `contact-smoke`: nothing",
    "run a.job.yaml --tags smok": "no job fits `--tags smok`; did you mean `smoke`? Nothing was selected, so nothing",
    "run a.job.yaml --tags nightly": "no job fits `--tags nightly`; the tags are `contacts`, `smoke`: nothing",
    "run a.job.yaml --tags smok -i limit=3": "no job fits `--tags smok`; did you mean `smoke`? Nothing was selected",
    "run a.job.yaml -k red -i limit=3": "no run is called like `red`; the jobs are `contact-smoke`: nothing",
    "run a.job.yaml --tags smok --inputs inputs.yaml": "no job fits `--tags smok`; did you mean `smoke`? Nothing",
    "apply a.job.yaml --tags smok -i limit=3": "no job fits `--tags smok`; did you mean `smoke`? Nothing was selected",
    "run a.job.yaml -k contact-smok3": "no run is called like `contact-smok3`; did you mean `contact-smoke`? Nothing",
    "run a.job.yaml -k smoke,red": "no run is called like `smoke,red`; name each by itself: `-k smoke -k red`. Nothing",
    "run a.job.yaml -k red|or|blue": "name each by itself: `-k red -k blue`. Nothing was selected",
    "run a.job.yaml -k red": "no run is called like `red`; the jobs are `contact-smoke`: nothing",
    "run inhabited": "it is a folder of doubles: name a job whose target is this sandbox, such as a.job.yaml. Nothing",
    "run sandbox": "there is no *.job.yaml in sandbox: nothing was selected, so nothing ran",
    "plan sandbox": "there is no *.job.yaml in sandbox: nothing was selected",
    "validate sandbox": "there is no *.job.yaml in sandbox",
    "list sandbox": "there is no *.job.yaml in sandbox",
    "validate other": "rename `b.job.yml` to `b.job.yaml`: it is not read as it is",
    "validate above": "above/below has some, and folders below are not entered: name it",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".git").mkdir()
    (tmp_path / "sandbox").mkdir()
    (tmp_path / "a.job.yaml").write_text(JOB)
    (tmp_path / "targets.yaml").write_text(TARGETS)
    (tmp_path / "inputs.yaml").write_text("phone: y\n")
    (tmp_path / "comments.yaml").write_text("# phone: y\n")
    (tmp_path / "given.json").write_text('{"phone": "y"}\n')
    (tmp_path / "empty.json").touch()
    (tmp_path / "staging.catalog.yaml").write_text("runner: 1\nsite: https://staging.example.com\nprocesses: {}\n")
    (tmp_path / "inhabited").mkdir()
    (tmp_path / "inhabited" / "UsrA.process.yaml").write_text("runner: 1\nprocess: UsrA\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("line", MISTAKES)
def test_a_mistake_on_the_command_line_is_reported_with_a_suggestion(
    line: str, folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = ended(words_of(line, monkeypatch))

    output = capsys.readouterr()
    assert code == 2, output.out
    assert MISTAKES[line] in output.err + output.out
    assert not (folder / ".runner").exists()


@pytest.mark.parametrize(
    "line", ["resume", "reconcile", "rerun", "show", "show last", "report", "diff", "diff last", "history"]
)
def test_an_empty_argument_names_no_run(line: str, folder: Path, capsys: Capture) -> None:
    assert ended(["run", "a.job.yaml", "-q"]) == 0
    assert ended([*line.split(), ""]) == 2
    assert "is empty; perhaps a variable of the shell is not set" in capsys.readouterr().err
    assert len(list((folder / ".runner" / "runs").glob("*/events.jsonl"))) == 1


def words_of(line: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The words of a command, in which `|` stands for a blank; variables at its end go into the environment."""
    words = [word.replace("|", " ") for word in line.split()]
    for variable in [word for word in words if word.startswith("CREATIO_")]:
        monkeypatch.setenv(*variable.split("=", 1))
    return [word for word in words if not word.startswith("CREATIO_")]


@pytest.mark.parametrize("variable", ENVIRONMENT)
def test_a_value_from_the_environment_is_reported_by_its_variable(
    variable: str, folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ended(words_of(f"run a.job.yaml {variable}", monkeypatch)) == 2

    assert ENVIRONMENT[variable] in capsys.readouterr().err
    assert not (folder / ".runner").exists()


@pytest.mark.parametrize("line", PROBABLE)
@pytest.mark.usefixtures("folder")
def test_what_was_probably_mistyped_is_warned_of_and_the_command_is_carried_out(
    line: str, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ended(words_of(line, monkeypatch)) == 0

    output = capsys.readouterr().err
    assert "warning[E150]: " in output
    assert PROBABLE[line] in output


@pytest.mark.parametrize("line", LET_BE)
@pytest.mark.usefixtures("folder")
def test_what_may_be_right_as_it_is_is_let_be(line: str, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    code = ended(words_of(line, monkeypatch))

    output = capsys.readouterr()
    assert "warning" not in output.err + output.out
    assert code in {0, 5}, output.err


LEFT_OUT = {
    "b.job.yml": "rename it to `b.job.yaml`",
    "b.jobs.yaml": "rename it to `b.job.yaml`",
    "b.job.yaml.txt": "rename it to `b.job.yaml`",
    "b.job.json": "rename it to `b.job.yaml`",
    "B.Job.YAML": "rename it to `B.job.yaml`",
    "b.yaml": "rename it to `b.job.yaml`",
    "b-job.yaml": "rename it to `b.job.yaml`",
}


@pytest.mark.parametrize("name", LEFT_OUT)
@pytest.mark.parametrize("verb", ["run", "plan", "list", "validate"])
def test_a_job_by_another_name_beside_good_ones_is_reported_as_left_out(
    verb: str, name: str, folder: Path, capsys: Capture
) -> None:
    (folder / name).write_text(JOB)

    assert ended([verb, "."]) == 0

    output = capsys.readouterr()
    assert f"{name}: warning[E100]: this job is not read: its name must end in .job.yaml" in output.out + output.err
    assert LEFT_OUT[name] in output.out + output.err


@pytest.mark.parametrize("name", ["b.job.yaml~", "b.job.yaml.bak", "b.job.yaml.orig", ".b.job.yml.swp", "b.md"])
def test_copies_of_editors_and_other_texts_are_let_be(name: str, folder: Path, capsys: Capture) -> None:
    (folder / name).write_text(JOB)
    (folder / "ci.job.yml").write_text("script: make\n")
    (folder / "other.yaml").write_text("runner: [1]\nsteps: []\n")

    assert ended(["validate", "."]) == 0
    assert capsys.readouterr().out == ""


def test_a_file_that_another_job_includes_is_not_left_out(folder: Path, capsys: Capture) -> None:
    (folder / "part.yaml").write_text("runner: 1\nname: part\nsteps: [{pause: 1ms}]\n")
    (folder / "b.job.yaml").write_text("runner: 1\nname: b\nsteps: [{job: {file: part.yaml}}]\n")

    assert ended(["validate", "."]) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("name", ["targets.yml", "target.yaml", "targets.yaml.txt", "Targets.yaml"])
def test_a_targets_file_by_another_name_is_reported_as_left_out(name: str, folder: Path, capsys: Capture) -> None:
    (folder / "targets.yaml").rename(folder / name)

    assert ended(["run", "a.job.yaml"]) == 0

    assert f"{name}: warning[E100]: this file is not read: targets belong in targets.yaml" in capsys.readouterr().err


FILES_OF_OTHERS = {
    "build.job.yml": "steps: [make]\n",
    "deploy.jobs.yml": "jobs: {a: {steps: [make]}}\n",
    "etl.job.json": '{"runner": "docker", "steps": []}\n',
    "backup.job": "# steps: none\n",
    "targets.json": '[{\n  "targets": ["10.0.0.1:9100"]\n}]\n',
    "targets.yml": "- labels: {}\n  targets: [10.0.0.1:9100]\n",
    "b.disabled.yaml": JOB,
    "b.disabled.job.yml": JOB,
    "template.yaml": JOB,
    "b.example.yaml": JOB,
    "b-draft.yaml": JOB,
    "shared.yaml": JOB.replace("target: sandbox\n", ""),
    ".b.job.yaml": "steps: [\n",
    "._a.job.yaml": "\0\5\26\7",
}


@pytest.mark.parametrize("name", FILES_OF_OTHERS)
def test_files_of_others_and_jobs_put_aside_are_let_be(name: str, folder: Path, capsys: Capture) -> None:
    (folder / name).write_text(FILES_OF_OTHERS[name])
    if name.startswith("targets"):
        (folder / "targets.yaml").unlink()

    assert ended(["validate", "."]) == 0
    assert capsys.readouterr().out == ""


def test_a_job_without_its_ending_is_reported_where_the_folder_holds_no_other(folder: Path, capsys: Capture) -> None:
    (folder / "other").mkdir()
    (folder / "other" / "b.yaml").write_text(JOB)

    assert ended(["validate", "other"]) == 5
    assert "rename `b.yaml` to `b.job.yaml`: it is not read as it is" in capsys.readouterr().err
    assert ended(["validate", ".", "other"]) == 2
    assert "rename `b.yaml` to `b.job.yaml`" in capsys.readouterr().out


@pytest.mark.parametrize("pattern", [".", "*.job.yaml"])
@pytest.mark.usefixtures("folder")
def test_a_folder_or_a_pattern_means_visible_files(pattern: str, capsys: Capture) -> None:
    Path(".#a.job.yaml").symlink_to("somebody@host.1234:5")
    Path(".b.job.yaml").write_text(JOB)
    Path("old.job.yaml").mkdir()
    Path("old.job.yaml", "b.job.yaml").write_text("steps: [\n")

    assert ended(["validate", pattern]) == 0
    assert ended(["run", pattern]) == 0
    assert "error" not in capsys.readouterr().err

    Path("gone.job.yaml").symlink_to("nowhere.job.yaml")
    assert ended(["validate", pattern]) == 2
    assert "there is no file `gone.job.yaml`" in capsys.readouterr().out


def test_a_form_that_no_verb_has_is_refused_and_one_of_another_verb_only_on_the_command_line(
    folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    del folder
    assert ended(["list", ".", "--format", "github"]) == 2
    monkeypatch.setenv("CREATIO_RUNNER_FORMAT", "gihtub")
    assert ended(["validate", "."]) == 2
    assert "the value comes from the environment variable `CREATIO_RUNNER_FORMAT`" in capsys.readouterr().err


def test_all_forms_of_all_verbs_are_known() -> None:
    options = [option for verb in VERBS for option in options_of(load(verb))]
    forms = [one.type.choices for one in options if one.name == "form" and isinstance(one.type, click.Choice)]
    assert {form for choices in forms for form in choices} == hints.FORMATS


def test_why_a_command_did_not_begin_is_not_printed_in_a_form_that_has_none_for_it(capsys: Capture) -> None:
    verb = click.Command("runs", params=[click.Option(["--format", "form"], type=click.Choice(["text", "csv"]))])
    print_unstarted(["runs", "--format", "csv"], {}, [Problem(code="E150", message="no")], command=verb)
    assert capsys.readouterr().out == ""


def test_a_kept_plan_is_carried_out_quietly_where_little_is_to_be_said(folder: Path, capsys: Capture) -> None:
    assert ended(["plan", "a.job.yaml", "--out", "a.plan.json"]) == 0
    assert ended(["plan", "a.job.yaml", "--out", "a.plan.json"]) == 0, "a plan of before is written over"
    capsys.readouterr()
    assert ended(["run", "a.plan.json", "-q"]) == 0
    assert "as it was stored" not in capsys.readouterr().err
    assert ended(["run", "a.plan.json", "--report-json", "a.plan.json"]) == 2
    assert "this command reads it" in capsys.readouterr().err
    text = (folder / "a.plan.json").read_text()
    (folder / "a.plan.json").write_text(text.replace("1ms", "2ms"))
    assert ended(["run", "a.plan.json"]) == 2
    assert "this plan was changed after it was stored" in capsys.readouterr().err


def test_a_plan_is_not_stored_in_a_file_whose_name_is_a_dash(folder: Path, capsys: Capture) -> None:
    assert ended(["plan", "a.job.yaml", "--out", "-"]) == 2
    assert "a plan is stored in a file, and `-` is none" in capsys.readouterr().err
    assert not (folder / "-").exists()


def test_where_nothing_is_carried_out_no_report_is_asked_for(
    folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ended(["apply", "a.job.yaml", "--dry-run", "--report-junit", "junit.xml"]) == 2
    assert "`--dry-run` carries nothing out, so `--report-junit` has nothing to report" in capsys.readouterr().err
    (folder / "junit.xml").unlink()  # of what was refused
    monkeypatch.setenv("CREATIO_RUNNER_REPORT_JUNIT", "junit.xml")
    assert ended(["apply", "a.job.yaml", "--dry-run"]) == 0
    assert not (folder / "junit.xml").exists()


def test_every_option_has_its_variable_and_no_other_name_is_one(expected_texts: ExpectedTexts) -> None:
    names = {name.removeprefix(hints.PREFIX) for verb in VERBS for name in variables_of(load(verb))}
    expected_texts.check(hints.VARIABLES, "".join(f"{name}\n" for name in sorted(names)))


def variables_of(command: click.Command) -> Iterator[str]:
    return (option.envvar for option in options_of(command) if isinstance(option.envvar, str))


def options_of(command: click.Command) -> Iterator[click.Option]:
    for inner in command.commands.values() if isinstance(command, click.Group) else ():
        yield from options_of(inner)
    yield from (option for option in command.params if isinstance(option, click.Option))


@pytest.mark.parametrize("line", NOTHING)
def test_where_nothing_is_selected_it_is_reported_why(
    line: str, folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "above" / "below").mkdir(parents=True)
    (folder / "above" / "below" / "b.job.yaml").write_text(JOB)
    (folder / "other").mkdir()
    (folder / "other" / "b.job.yml").write_text(JOB)
    (folder / "other" / "a.yaml").write_text("records: {}\n")

    assert ended(words_of(line, monkeypatch)) == 5

    assert NOTHING[line] in capsys.readouterr().err


def test_where_there_is_no_project_the_command_that_starts_one_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)
    assert ended(["run", "specs"]) == 2
    assert "there is no file `specs`\n   = hint: `runner init my-project` starts a project" in capsys.readouterr().err
    (tmp_path / "targets.yaml").write_text(TARGETS)
    assert ended(["run", "specs"]) == 2
    assert "runner init" not in capsys.readouterr().err


@pytest.mark.usefixtures("folder")
def test_a_misspelt_tag_that_selects_nothing_is_reported_once(capsys: Capture) -> None:
    assert ended(["run", "a.job.yaml", "--tags", "smok"]) == 5
    assert capsys.readouterr().err.count("smok`") == 1
    assert ended(["plan", "a.job.yaml", "--tags", "smok or contacts"]) == 2
    assert "no job has the tag `smok` of `--tags`" in capsys.readouterr().err


@pytest.mark.parametrize("value", ["$USER", "${USER}", "%USER%", "$env:USER"])
@pytest.mark.usefixtures("folder")
def test_a_variable_that_no_shell_has_filled_in_is_warned_of(value: str, capsys: Capture) -> None:
    assert ended(["plan", "a.job.yaml", "-i", f"phone={value}"]) == 0
    assert f"the input `phone` is the text `{value}`: no shell has put" in capsys.readouterr().err
    assert ended(["plan", "a.job.yaml", "-i", "phone=$5 and 10%"]) == 0
    assert "no shell" not in capsys.readouterr().err


def test_a_tag_and_a_keyword_that_fit_different_jobs_are_reported_to_be_too_much_together(
    folder: Path, capsys: Capture
) -> None:
    (folder / "b.job.yaml").write_text(JOB.replace("contact-smoke", "other").replace("smoke, contacts", "nightly"))

    assert ended(["run", ".", "--tags", "nightly", "-k", "contact"]) == 5

    assert "no run fits both `--tags` and `-k`: nothing was selected" in capsys.readouterr().err


def test_a_target_that_is_an_address_is_reported_where_addresses_stand(folder: Path, capsys: Capture) -> None:
    (folder / "a.job.yaml").write_text(JOB.replace("target: sandbox", "target: https://staging.example.com"))

    assert ended(["validate", "a.job.yaml"]) == 2

    output = capsys.readouterr().out
    assert "a.job.yaml:4:9: error[E141]" in output
    assert "its `url` is under this name in targets.yaml" in output


@pytest.mark.parametrize("written", ["env.PASSWORD", "{env.PASSWORD}"])
def test_a_variable_without_its_braces_is_reported_where_a_target_signs_in(
    written: str, folder: Path, capsys: Capture
) -> None:
    auth = f'auth: {{username: "{{{{ env.USER }}}}", password: "{written}"}}'
    (folder / "targets.yaml").write_text(f"runner: 1\ntargets: {{s: {{url: https://example.com, {auth}}}}}\n")

    ended(["validate", "targets.yaml"])

    assert 'write `"{{ env.NAME }}"`' in capsys.readouterr().out


def test_a_sandbox_without_a_process_says_so(folder: Path, capsys: Capture) -> None:
    (folder / "none").mkdir()
    assert ended(["sandbox", "none", "--host", "192.0.2.1"]) == 2, "no interface of this machine: it serves nothing"
    assert "warning[E100]: there is no *.process.yaml in none\n" in capsys.readouterr().err
