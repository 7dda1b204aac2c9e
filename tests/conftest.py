"""For all tests: `--update`, `--busy`, what the crash tests counted, and that no test writes into the checkout."""

import gc
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from functools import cache, partial
from pathlib import Path

import pytest
from _pytest.runner import runtestprotocol
from counted import COUNTED, SEED

sys.dont_write_bytecode = False  # else each command that a test starts compiles the program anew: 0.7 s
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
os.environ["HYPOTHESIS_NO_PLUGINS"] = "1"  # else it imports the whole of trio, here and in each program that uses it
pytest.register_assert_rewrite("expected_texts")  # so that a text that differs is shown, line by line

from busy import busy  # noqa: E402  only what is imported after that line is rewritten
from chromium import browser, chromium  # noqa: E402
from dealing import dealt  # noqa: E402
from examples import LONG, SOME  # noqa: E402
from expected_texts import ExpectedTexts  # noqa: E402
from hypothesis import HealthCheck, settings  # noqa: E402
from running import ENDING, end_clean_process  # noqa: E402

__all__ = ["browser", "chromium"]

_TESTS = Path(__file__).parent
_ROOT = _TESTS.parent
_IN_MEMORY = Path("/dev/shm")
_ENOUGH = 2 << 30
"""Bytes of it that must be free: the folders of all tests take a tenth of that."""
_OURS = ("CREATIO_", "CLIO_", "GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "HTTPS_PROXY", "https_proxy")
"""How variables begin that the runner reads."""
_ANYTHING = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""How long an example takes says how busy the machine is."""
settings.register_profile("some", _ANYTHING, max_examples=SOME)
settings.register_profile("long", _ANYTHING, max_examples=LONG)
settings.load_profile("some")

if _IN_MEMORY.is_dir() and os.access(_IN_MEMORY, os.W_OK) and shutil.disk_usage(_IN_MEMORY).free > _ENOUGH:
    # On a disk, tests of commands take a tenth more of a processor, and a seventh more time; more where it is busy.
    tempfile.tempdir = os.environ.get("TMPDIR") or str(_IN_MEMORY)

gc.disable()  # until all tests are collected: they stay, and are searched for garbage in vain
for _number in ENDING:
    if signal.getsignal(_number) is signal.SIG_IGN:  # as under `nohup`: the commands that tests start do not ignore it
        signal.signal(_number, lambda *_: None)
for _variable in [name for name in os.environ if name.startswith(_OURS)]:  # a test that is about them sets them
    del os.environ[_variable]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update", action="store_true", help="write the files of expected texts anew")
    parser.addoption("--busy", type=int, default=0, metavar="N", help="let N processes use a processor each meanwhile")
    parser.addoption("--long", action="store_true", help="carry out the long forms, too")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--long"):
        settings.load_profile("long")
    if "PYTEST_XDIST_WORKER" in os.environ:
        return
    if config.getoption("numprocesses", None):
        imported = [str(getattr(module, "__file__", "")) for module in sys.modules.values()]
        libraries = [file for file in imported if file.endswith(".py") and "site-packages" in file]
        subprocess.run([sys.executable, _TESTS / "support" / "prepared.py", *libraries], check=True)
    if config.getoption("--busy"):
        meanwhile = ExitStack()
        meanwhile.enter_context(busy(config.getoption("--busy")))
        config.add_cleanup(meanwhile.close)


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    """Workers begin to collect in different folders: where no test is compiled, each compiles its share, not all."""
    own: dict[str, str | int] = getattr(session.config, "workerinput", {})
    if own and session.config.args == [_TESTS.name]:
        names = sorted({path.relative_to(_TESTS).parts[0] for path in _TESTS.rglob("test_*.py")})
        first = int(str(own["workerid"]).removeprefix("gw")) * len(names) // int(own["workercount"])
        session.config.args[:] = [f"{_TESTS.name}/{name}" for name in names[first:] + names[:first]]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    items.sort(key=_place)  # the same order in all workers
    if not config.getoption("--long"):
        left_out = [item for item in items if _has("long", item)]
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=left_out)
    workers = getattr(config, "workerinput", {"workercount": 1})["workercount"]
    items[:] = dealt(items, workers=workers, waits=partial(_has, "crash"), computes=partial(_has, "first"))


def _has(mark: str, item: pytest.Item) -> bool:
    return mark in _marks(item)


@cache
def _marks(item: pytest.Item) -> frozenset[str]:
    """Read once of each of the ten thousand, not six times."""
    return frozenset(mark.name for mark in item.iter_markers())


def _place(item: pytest.Item) -> tuple[str, str]:
    """The folder of a test; those with a browser are together, so that few workers start one."""
    folder = item.path.parts[len(_TESTS.parts)]
    return ("browser" if _has("browser", item) else folder), folder


def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """A worker reports a test that passed once, not five times: for most that is a third of what they take."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return None
    for report in runtestprotocol(item, log=False, nextitem=nextitem):
        if report.when == "call" or not report.passed:
            item.ihook.pytest_runtest_logreport(report=report)
    return True


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


def pytest_unconfigure() -> None:
    end_clean_process()


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Two workers more than there are processors: many slow tests wait for a command, a site or a browser."""
    return (os.cpu_count() or 1) + 2 * ("not slow" not in config.getoption("markexpr"))


@pytest.fixture
def expected_texts(request: pytest.FixtureRequest) -> ExpectedTexts:
    return ExpectedTexts(update=request.config.getoption("--update"))


def _visible() -> set[str]:
    return {name for name in os.listdir(_ROOT) if not name.startswith(".")}  # noqa: PTH208  twice in each test


@pytest.fixture(autouse=True)
def _apart_from_other_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Nothing is left in the checkout, and each test has its own state folder: a port, and so a site, may have been
    another test's, and runs of all folders know whose rows are whose.
    """
    os.environ["XDG_STATE_HOME"] = str(tmp_path_factory.getbasetemp() / "state" / os.urandom(8).hex())
    before = _visible()
    yield
    assert _visible() <= before, "a test wrote into the root of the checkout: it needs a folder of its own"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    counts: Counter[str] = Counter()
    seeds: list[str] = []
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        for name, count in report.user_properties:
            if name == SEED:
                seeds.append(str(count))
            if name.startswith(COUNTED):
                counts[name.removeprefix(COUNTED)] += int(str(count))
    if counts:
        terminalreporter.write_line(COUNTED + ", ".join(f"{count:,} {name}" for name, count in counts.items()))
    if seeds:
        terminalreporter.write_line(f"{SEED}: " + ", ".join(seeds))
