"""PendingRun for a site that is deployed to: `runner ready`, `--wait-ready`, the target's `ready`."""

import json
import signal
import socket
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from captured import Capture
from deployments import CATALOGUE, Deployed, Phase
from running import command
from sites import NOTHING, Answer, Site, site

from runner.cli.main import ended
from runner.cli.ready import SiteWait, WaitProgress, wait_for_all
from runner.doctor.readiness import Look, ReadyOutcome, Story, Watched
from runner.doctor.readiness import Phase as Seen
from runner.hosts.stop import Stop
from runner.runs.events import Trouble
from runner.service.calls import Answered, Call, Ending
from runner.service.gate import OPEN, Gate
from runner.targets.model import Readiness
from runner.terminal import output

pytestmark = pytest.mark.slow

JOB = """runner: 1
name: tours
target: here
defaults: {verify: none}
steps:
  - id: add
    execute: {process: UsrAddTours, parameters: {Tours: 1}, result: Out}
"""
SOON = "{for: 30s, every: 20ms}"
NEW = "{for: 30s, every: 20ms, catalog: git.catalog.yaml}"


@pytest.fixture(autouse=True)
def _its_files() -> None:
    Path("a.job.yaml").write_text(JOB)
    Path("git.catalog.yaml").write_text(CATALOGUE)


def write_targets(*urls: str, ready: str | None = SOON) -> None:
    names = ("here", "there")
    text = "runner: 1\ntargets:\n"
    for name, url in zip(names, urls, strict=False):
        text += f"  {name}:\n    url: {url}\n    auth: {{username: integration, password: pa55-w0rd}}\n"
        text += f"    ready: {ready}\n" if ready else ""
    Path("targets.yaml").write_text(text)


def free_port() -> int:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


def test_the_first_call_is_sent_when_the_deployment_is_over_and_not_before() -> None:
    port, deployed = free_port(), Deployed(Phase.TROUBLE)
    write_targets(f"http://127.0.0.1:{port}", ready=NEW)
    with command("run", "a.job.yaml") as started:
        started.until("refuses connections")
        with site(deployed.answer, sign_in=None, port=port):
            started.until("503")
            deployed.phase = Phase.SIGN_IN
            started.until("it is a web page")
            deployed.phase = Phase.OLD_VERSION
            started.until("`UsrAddTours`: its version: 2 in git.catalog.yaml, 1 in the site")
            deployed.phase = Phase.OLD_PARAMETERS
            started.until("parameter `Tours`: integer, in in git.catalog.yaml, text, in in the site")
            deployed.phase = Phase.NEW
            assert started.end() == 0
    assert deployed.phases_of("/Execute") == [Phase.NEW]
    account = started.err.partition("here is ready after")[2]
    for words in ("refuses connections", "503", "it is a web page", "its version: 2", "parameter `Tours`"):
        assert words in account


@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 129)])
@pytest.mark.parametrize("verb", ["run", "ready"])
def test_a_signal_ends_the_wait_at_once(verb: str, name: str, code: int) -> None:
    write_targets(f"http://127.0.0.1:{free_port()}", ready="{for: 1h, every: 30m}")
    arguments = ["run", "a.job.yaml", "--report-json", "report.json"] if verb == "run" else ["ready", "-t", "here"]
    with command(*arguments) as started:
        started.until("refuses connections")
        started.send_signal(getattr(signal, name))
        assert started.end() == code
    said = started.err
    assert f"{name}: " in said
    assert "here is not ready after" in said
    assert "E317" not in said
    if verb == "run":
        assert "no run has begun" in said
        assert json.loads(Path("report.json").read_text())["runs"] == []


def test_a_signal_ends_it_also_while_a_site_holds_its_answer_back() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        write_targets(f"http://127.0.0.1:{silent.getsockname()[1]}", ready="{for: 1h}")
        with command("run", "a.job.yaml") as started:
            connection, _ = silent.accept()
            with closing(connection):
                started.send_signal(signal.SIGTERM)
                assert started.end() == 143
    assert "here is not ready after" in started.err


def test_where_the_time_is_over_nothing_is_sent_and_the_last_answer_is_reported(capsys: Capture) -> None:
    deployed = Deployed(Phase.TROUBLE)
    with site(deployed.answer, sign_in=None) as here:
        write_targets(here.url)
        assert ended(["run", "a.job.yaml", "--wait-ready", "3s", "--report-json", "report.json"]) == 3
    err = capsys.readouterr().err
    assert "E317: here was not ready within 3 s" in err.replace("error[", "").replace("]", "")
    assert "503 Service Unavailable" in err
    assert "not begun: tours@here" in err
    assert "exit 3: no usable answer" in err
    assert deployed.phases_of("/Execute") == []
    written = json.loads(Path("report.json").read_text())
    assert written["runs"] == []
    why, not_begun = (problem["message"] for problem in written["problems"])
    assert why.startswith("here was not ready within 3 s: ")
    assert not_begun == "a site was not ready, so these runs did not begin: tours@here"


def test_two_refused_sign_ins_end_it(capsys: Capture) -> None:
    deployed = Deployed(Phase.LOCKED)
    with site(deployed.answer, sign_in=None) as here:
        write_targets(here.url)
        assert ended(["run", "a.job.yaml"]) == 3
    assert deployed.sign_ins() == 2
    err = capsys.readouterr().err
    assert "error[E318]: the wait for here is given up" in err
    assert "Wrong name or password" in err
    assert "a few wrong tries lock an account" in err


def test_a_wait_hides_what_is_secret(capsys: Capture) -> None:
    def answer(method: str, path: str) -> Answer:
        del method, path
        return Answer(status=503, body="no database for pa55-w0rd", kind="text/plain")

    with site(answer, sign_in=None) as here:
        write_targets(here.url)
        assert ended(["ready", "--for", "100ms"]) == 3
    err = capsys.readouterr().err
    assert "no database for ***" in err
    assert "pa55" not in err


def ready_at_once(*arguments: str, ready: str | None = SOON) -> tuple[int, Deployed]:
    deployed = Deployed(Phase.NEW)
    with site(deployed.answer, sign_in=None) as here:
        write_targets(here.url, ready=ready)
        return ended(list(arguments)), deployed


def test_a_site_that_is_ready_is_read_twice_and_then_the_run_goes_on_in_its_session(capsys: Capture) -> None:
    code, deployed = ready_at_once("run", "a.job.yaml")
    assert code == 0
    assert len(deployed.phases_of("/odata/VwProcessLib?$top=1")) == 2
    assert deployed.sign_ins() == 1
    assert "here is ready after 0 s\n" in capsys.readouterr().err


def test_without_a_word_of_it_nothing_is_waited_for() -> None:
    code, deployed = ready_at_once("run", "a.job.yaml", ready=None)
    assert (code, deployed.phases_of("/odata/VwProcessLib?$top=1")) == (0, [])


def test_quiet_says_nothing_of_a_site_that_is_ready(capsys: Capture) -> None:
    code, _ = ready_at_once("run", "a.job.yaml", "-q")
    assert code == 0
    assert "ready" not in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "--wait-ready", "a.job.yaml"],
        ["run", "--wait-ready", ".", "-t", "here"],
        ["run", "--wait-ready", "30s", "a.job.yaml"],
        ["run", "a.job.yaml", "--wait-ready=30s"],
        ["run", "a.job.yaml", "--wait-ready"],
        ["run", "--wait-ready", "--", "a.job.yaml"],
        ["run", "a.job.yaml", "--wait-ready", "--catalog", "git.catalog.yaml"],
    ],
)
def test_the_option_may_have_a_duration_and_need_not(arguments: list[str]) -> None:
    code, deployed = ready_at_once(*arguments)
    assert code == 0
    assert len(deployed.phases_of("/odata/VwProcessLib?$top=1")) == 2


@pytest.mark.parametrize(("value", "looks"), [("true", 2), ("30s", 2), ("0", 0)])
def test_its_twin_is_a_duration_or_a_switch(value: str, looks: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREATIO_RUNNER_WAIT_READY", value)
    deployed = Deployed(Phase.NEW)
    with site(deployed.answer, sign_in=None) as here:
        write_targets(here.url, ready=SOON if looks else None)
        assert ended(["run", "a.job.yaml"]) == 0
    assert len(deployed.phases_of("/odata/VwProcessLib?$top=1")) == looks


def test_the_twin_of_the_option_says_how_long_ready_waits_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREATIO_RUNNER_WAIT_READY", "300ms")
    deployed = Deployed(Phase.TROUBLE)
    with site(deployed.answer, sign_in=None) as here:
        write_targets(here.url)
        assert ended(["ready"]) == 3


@pytest.mark.parametrize("value", ["10", "10x", "0s"])
def test_a_duration_that_is_none_is_a_mistake_of_the_command_line(value: str, capsys: Capture) -> None:
    code, deployed = ready_at_once("run", "a.job.yaml", "--wait-ready", value)
    assert (code, deployed.asked) == (2, [])
    assert "is no duration" in capsys.readouterr().err


def test_the_catalogue_of_the_command_line_is_waited_for_where_the_wait_is_asked_for_there() -> None:
    deployed = Deployed(Phase.OLD_VERSION)
    with site(deployed.answer, sign_in=None) as here:
        write_targets(here.url)
        by_option = ["run", "a.job.yaml", "--catalog", "git.catalog.yaml"]
        assert ended([*by_option, "--wait-ready", "300ms"]) == 3
        assert deployed.phases_of("/Execute") == []
        assert ended(by_option) == 0


def test_a_site_that_stays_old_is_reported_with_the_command_that_shows_all(capsys: Capture) -> None:
    deployed = Deployed(Phase.OLD_PARAMETERS)
    with site(deployed.answer, sign_in=None) as here:
        write_targets(here.url, ready=NEW)
        assert ended(["ready", "--for", "3s"]) == 3
    err = capsys.readouterr().err
    assert "E317" in err
    assert "it is not as git.catalog.yaml says: `UsrAddTours`: parameter `Tours`: integer, in" in err
    assert "`runner catalog check -t here --against git.catalog.yaml` shows all differences" in err


def test_a_catalogue_that_is_not_there_is_found_out_before_anything_is_sent(capsys: Capture) -> None:
    Path("git.catalog.yaml").unlink()
    code, deployed = ready_at_once("run", "a.job.yaml", ready=NEW)
    assert (code, deployed.asked) == (2, [])
    err = capsys.readouterr().err
    assert "error[E179]: there is no catalogue git.catalog.yaml" in err
    assert "runner catalog build" in err


def test_a_catalogue_without_any_process_of_the_jobs_is_refused(capsys: Capture) -> None:
    Path("git.catalog.yaml").write_text(CATALOGUE.replace("UsrAddTours", "UsrSomethingElse"))
    code, deployed = ready_at_once("run", "a.job.yaml", ready=NEW)
    assert (code, deployed.asked) == (2, [])
    sentence = "the catalogue git.catalog.yaml has none of the processes that the jobs start: `UsrAddTours`"
    assert f"error[E168]: {sentence}" in capsys.readouterr().err


def test_a_process_that_the_catalogue_does_not_have_is_reported_and_not_waited_for(capsys: Capture) -> None:
    Path("a.job.yaml").write_text(JOB + "  - id: more\n    execute: {process: UsrMore, result: Out}\n")
    code, _ = ready_at_once("run", "a.job.yaml", ready=NEW)
    assert code == 0
    assert "git.catalog.yaml does not have `UsrMore`: it is not waited for" in capsys.readouterr().err


def test_two_readings_that_do_not_fit_into_the_time_are_refused(capsys: Capture) -> None:
    code, deployed = ready_at_once("run", "a.job.yaml", "--wait-ready", "10ms")
    assert (code, deployed.asked) == (2, [])
    err = capsys.readouterr().err
    assert "error[E168]: a site is ready after two readings, " in err
    assert " apart: 10 ms is too short for them\n" in err
    assert "wait longer: `--wait-ready 10m`, or `runner ready --for 10m`" in err


def test_several_targets_are_waited_for_side_by_side_and_nothing_is_sent_before_all_are_ready(capsys: Capture) -> None:
    ready, away = Deployed(Phase.NEW), Deployed(Phase.TROUBLE)
    with site(ready.answer, sign_in=None) as here, site(away.answer, sign_in=None) as there:
        write_targets(here.url, there.url)
        both = ["run", "a.job.yaml", "-t", "here", "-t", "there"]
        assert ended([*both, "--wait-ready", "2s"]) == 3  # the one that is ready is so in time on a busy machine, too
        assert (ready.phases_of("/Execute"), away.phases_of("/Execute")) == ([], [])
        out, err = capsys.readouterr()
        assert "nothing" not in out
        assert "here is ready after" in err
        assert "there is not ready after" in err
        away.phase = Phase.NEW
        assert ended(both) == 0
    assert (ready.phases_of("/Execute"), away.phases_of("/Execute")) == ([Phase.NEW], [Phase.NEW])


def test_where_one_target_can_not_be_ready_any_more_the_others_are_not_waited_for() -> None:
    locked, away = Deployed(Phase.LOCKED), Deployed(Phase.TROUBLE)
    with site(locked.answer, sign_in=None) as here, site(away.answer, sign_in=None) as there:
        write_targets(here.url, there.url, ready="{for: 1h, every: 20ms}")
        assert ended(["ready", "-t", "here", "-t", "there"]) == 3


def test_a_sandbox_is_ready_at_once(capsys: Capture) -> None:
    assert ended(["init", "project"]) == 0
    assert ended(["ready", "-t", "sandbox", "project"]) == 0
    assert ended(["run", "--wait-ready", "project", "-q"]) == 0
    err = capsys.readouterr().err
    assert "sandbox is ready: it is a sandbox" in err
    assert "waiting" not in err


def test_ready_alone_looks_at_all_processes_of_the_catalogue_or_at_those_of_the_jobs() -> None:
    Path("git.catalog.yaml").write_text(CATALOGUE + "  UsrOther: {runnable: true, version: 6, parameters: {}}\n")
    whole = ["ready", "--catalog", "git.catalog.yaml", "--every", "20ms"]
    assert ready_at_once(*whole, "--for", "300ms", ready=None)[0] == 3, "the site has version 7 of UsrOther"
    code, deployed = ready_at_once(*whole, "--for", "5m", "a.job.yaml", ready=None)
    assert code == 0
    assert deployed.phases_of("/Execute") == []


@pytest.mark.parametrize("pattern", ["UsrAddTours", "Usr*"])
def test_a_process_that_the_jobs_only_watch_is_waited_for_too(pattern: str) -> None:
    Path("a.job.yaml").write_text(f"runner: 1\nname: a\nsteps: [{{failures: {{processes: ['{pattern}'], for: 1s}}}}]\n")
    Path("git.catalog.yaml").write_text(CATALOGUE.replace("version: 2", "version: 3"))
    whole = ["ready", "--catalog", "git.catalog.yaml", "--for", "300ms", "--every", "20ms", "a.job.yaml"]
    assert ready_at_once(*whole, ready=None)[0] == 3


def test_where_the_jobs_need_nothing_of_the_catalogue_a_line_says_so(capsys: Capture) -> None:
    Path("a.job.yaml").write_text("runner: 1\nname: a\nsteps: [{query: {entity: Contact}}]\n")
    assert ready_at_once("ready", "a.job.yaml", ready=NEW)[0] == 0
    line = "the jobs start and watch no process: nothing of the catalogue git.catalog.yaml is waited for"
    assert line in capsys.readouterr().err


def test_a_folder_without_jobs_is_a_mistake_and_no_option_is_named_that_ready_does_not_have(capsys: Capture) -> None:
    Path("empty/below").mkdir(parents=True)
    assert ended(["init", "project"]) == 0
    assert ended(["ready", "project", "empty"]) == 2
    assert "= hint: leave it out\n" in capsys.readouterr().err
    Path("empty/below/a.job.yaml").write_text("")
    assert ended(["ready", "project", "empty"]) == 2
    assert "folders below are not entered: name it\n" in capsys.readouterr().err


def test_a_folder_of_packages_is_a_catalogue_too(capsys: Capture) -> None:
    Path("packages").mkdir()
    assert ready_at_once("ready", "--catalog", "packages")[0] == 2
    assert "packages" in capsys.readouterr().err


@pytest.fixture
def in_doubt() -> Iterator[tuple[Deployed, Site]]:
    """A site that is ready, and has answered the only call of the last run with nothing."""

    def answer(method: str, path: str) -> Answer:
        sentence = deployed.answer(method, path)
        return Answer(silent=True) if "/Execute" in path else NOTHING if "SysProcessLog" in path else sentence

    deployed = Deployed(Phase.NEW)
    with site(answer, sign_in=None) as here:
        write_targets(here.url, ready=None)
        assert ended(["run", "a.job.yaml"]) == 4
        yield deployed, here


@pytest.mark.parametrize("verb", ["resume", "reconcile"])
def test_a_run_that_is_under_way_waits_and_one_that_only_reads_does_not(
    verb: str, in_doubt: tuple[Deployed, Site], capsys: Capture
) -> None:
    _, here = in_doubt
    write_targets(here.url, ready=SOON)
    settled = ["--step", "add", "--as", "failed"] if verb == "resume" else []
    capsys.readouterr()
    assert ended([verb, "last", *settled]) in (1, 4)
    said = "here is ready after" in capsys.readouterr().err
    assert said is (verb == "resume")


def test_resume_has_the_option_too(in_doubt: tuple[Deployed, Site], capsys: Capture) -> None:
    deployed, here = in_doubt
    deployed.phase = Phase.TROUBLE
    write_targets(here.url)
    assert ended(["resume", "last", "--wait-ready", "300ms", "--step", "add", "--as", "failed"]) == 3
    err = capsys.readouterr().err
    assert "error[E317]" in err
    assert "not begun: tours@here" in err


class Terminal(output.MessageStream):
    """A terminal, as far as progress is shown there."""

    def __init__(self, *, is_there: bool) -> None:
        super().__init__("stderr")
        self.written: list[str] = []
        self._is_there = is_there

    def isatty(self) -> bool:
        return self._is_there

    def write(self, text: str, /) -> int:
        self.written.append(text)
        return len(text)

    def drawing(self) -> "Terminal":
        return self


class Nobody:
    """A site that is not asked in this test."""

    def sign_in(self, seconds: float) -> None: ...

    def perform(self, call: Call, seconds: float, *, gate: Gate = OPEN) -> Ending:
        del call, seconds, gate
        return Answered(value=None)

    def forget_sign_in(self) -> None:
        """Nothing is known."""


@dataclass
class Watching:
    """Progress of one wait, with a clock that the test holds."""

    out: Terminal
    now: float = 0.0

    def __post_init__(self) -> None:
        story = Story(name="here", wanted=Readiness())
        self.wait = SiteWait(site=Watched(caller=Nobody(), clock=lambda: self.now), story=story)
        self.progress = WaitProgress(waits=[self.wait], began=0.0, clock=lambda: self.now, out=self.out)

    def hear(self, words: str, *, phase: Seen = Seen.AWAY) -> None:
        look = Look(phase=phase, trouble=Trouble(code="E301", message=words))
        self.wait.story.see(look, self.now)
        self.progress.tick()


@pytest.fixture
def _no_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "60")


def test_without_a_terminal_a_line_says_what_is_new_and_each_30_s_that_it_goes_on() -> None:
    watching = Watching(Terminal(is_there=False))
    for second in range(100):
        watching.now = float(second)
        watching.hear("it is away" if second < 40 else "it is in trouble")
    assert watching.out.written == [
        "waiting for here, 0 s so far: it is away\n",
        "waiting for here, 30 s so far: it is away\n",
        "waiting for here, 40 s so far: it is in trouble\n",
        "waiting for here, 1 min 10 s so far: it is in trouble\n",
    ]


@pytest.mark.usefixtures("_no_ci")
def test_a_terminal_has_a_line_that_is_redrawn_for_each_site_that_is_waited_for() -> None:
    watching = Watching(Terminal(is_there=True))
    watching.progress.begin()
    watching.hear("it is away")
    watching.now = 1.2
    assert watching.progress.lines() == ["waiting for here, 1 s so far: it is away"]
    watching.wait.story.outcome = ReadyOutcome.READY
    assert watching.progress.lines() == []
    watching.progress.close()
    drawn = "".join(watching.out.written)
    assert drawn.rindex("\x1b[?25h") > drawn.rindex("\x1b[?25l")


def test_an_account_of_very_many_states_shows_the_first_and_the_last() -> None:
    story = Story(name="here", wanted=Readiness())
    for second in range(100):
        story.see(Look(phase=Seen.AWAY, trouble=Trouble(code="E301", message=f"state {second}")), float(second))
    story.outcome = ReadyOutcome.OVER
    lines = list(story.transcript(100.0))
    assert len(lines) == 22
    assert "state 0" in lines[1]
    assert "80 more" in lines[11]
    assert "state 99" in lines[-1]


def test_what_nothing_can_mend_has_its_own_code() -> None:
    story = Story(name="here", wanted=Readiness())
    trouble = Trouble(
        code="E301", message="the proxy refuses the name and the password that it was given", hint="check"
    )
    story.see(Look(phase=Seen.HOPELESS, trouble=trouble), 0.0)
    story.outcome = ReadyOutcome.HOPELESS
    problem = story.problem()
    assert problem is not None
    assert (problem.code, problem.message, problem.hint) == ("E301", trouble.message, "check")


class Broken(Nobody):
    def perform(self, call: Call, seconds: float, *, gate: Gate = OPEN) -> Ending:
        raise ZeroDivisionError(call, seconds, gate)


def test_a_fault_of_ours_in_a_wait_reaches_the_command() -> None:
    wait = SiteWait(site=Watched(caller=Broken(), clock=lambda: 0.0), story=Story(name="here", wanted=Readiness()))
    with pytest.raises(ZeroDivisionError):
        wait_for_all([wait], stop=Stop(grace=0))
