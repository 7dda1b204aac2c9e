import importlib
import re
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType

import pytest

from runner.foundation.lazy import lazy_module, lazy_pattern, lazy_patterns, stand_in


def test_a_lazy_pattern_finds_what_a_pattern_finds() -> None:
    text = "a1 b22"
    lazy, compiled = lazy_pattern(r"([a-z])(\d+)", re.IGNORECASE), re.compile(r"([a-z])(\d+)", re.IGNORECASE)

    assert lazy.findall(text) == compiled.findall(text) == [("a", "1"), ("b", "22")]
    assert lazy.sub(r"\2", text) == compiled.sub(r"\2", text)
    assert (lazy.pattern, lazy.groups) == (compiled.pattern, compiled.groups)


def test_a_lazy_pattern_reads_bytes_where_it_is_written_in_bytes() -> None:
    assert lazy_pattern(rb"\d+").search(b"a 12") is not None


def test_a_lazy_pattern_is_not_compiled_before_its_first_use() -> None:
    never_used = lazy_pattern("(")

    assert never_used.pattern == "("


def test_what_is_imported_meanwhile_compiles_its_patterns_at_their_first_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "many_patterns.py").write_text(
        "import re\nNEVER_USED = re.compile('(')\nNUMBER = re.compile(r'\\d+', re.ASCII)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)

    with lazy_patterns():
        patterns = importlib.import_module("many_patterns")
        assert patterns.NUMBER.findall("a1 b22") == ["1", "22"]

    assert re.compile(r"\d").match("1") is not None
    with pytest.raises(re.error):
        patterns.NEVER_USED.match("(")
    with pytest.raises(re.error):
        re.compile("(")


def test_a_lazy_package_is_carried_out_when_a_name_of_it_is_used_that_is_no_module_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "lazily_imported"
    package.mkdir()
    (package / "__init__.py").write_text("from lazily_imported.dear import PRICE\nfrom lazily_imported import cheap\n")
    (package / "dear.py").write_text("PRICE = 100\n")
    (package / "cheap.py").write_text("PRICE = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    lazy_module("lazily_imported")
    cheap = importlib.import_module("lazily_imported.cheap")
    assert "lazily_imported.dear" not in sys.modules
    whole = importlib.import_module("lazily_imported")
    assert (whole.PRICE, whole.cheap) == (100, cheap)
    assert not hasattr(whole, "anything_else")
    lazy_module("lazily_imported")
    assert sys.modules["lazily_imported"] is whole


def test_no_thread_sees_a_part_of_a_lazy_module_that_another_is_carrying_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    half = threading.Event()
    monkeypatch.setattr(sys, "lazily_half", half, raising=False)
    (tmp_path / "lazily_halved.py").write_text(
        "import sys, time\ndef price():\n    return PRICE\nsys.lazily_half.set()\ntime.sleep(0.1)\nPRICE = 1\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    lazy_module("lazily_halved")
    module = importlib.import_module("lazily_halved")
    with ThreadPoolExecutor() as threads:
        first = threads.submit(lambda: module.PRICE)
        assert half.wait(10)
        second = threads.submit(module.price)
        assert (first.result(10), second.result(10)) == (1, 1)
    assert type(module) is ModuleType


def test_a_lazy_module_is_carried_out_at_its_first_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "lazily_read.py").write_text("import lazily_brought\nPRICE = 1\n")
    (tmp_path / "lazily_brought.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    lazy_module("lazily_read")
    module = importlib.import_module("lazily_read")
    assert "lazily_brought" not in sys.modules
    assert module.PRICE == 1
    assert "lazily_brought" in sys.modules
    assert not hasattr(module, "anything_else")


def test_what_is_imported_meanwhile_finds_a_stand_in_and_nobody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "asked_for.py").write_text("def price() -> int:\n    return 100\n")
    (tmp_path / "asks.py").write_text(
        "from asked_for import price\ntry:\n    import not_there\nexcept ImportError:\n    not_there = None\n"
    )
    (tmp_path / "not_there.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    with stand_in("asked_for", price=lambda: 1), stand_in("not_there"):
        asks = importlib.import_module("asks")
    assert (asks.price(), asks.not_there) == (1, None)
    assert importlib.import_module("asked_for").price() == 100
    with stand_in("asked_for", price=lambda: 1):
        assert importlib.import_module("asked_for").price() == 100


def test_a_lazy_package_that_cannot_be_carried_out_says_why_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lazily_broken").mkdir()
    (tmp_path / "lazily_broken" / "__init__.py").write_text("import a_module_that_is_not_there\n")
    monkeypatch.syspath_prepend(tmp_path)
    lazy_module("lazily_broken")
    for _ in range(2):
        with pytest.raises(ModuleNotFoundError, match="a_module_that_is_not_there"):
            _ = importlib.import_module("lazily_broken").PRICE


def test_what_expressions_need_of_jinja_is_a_part_of_it_and_the_same_as_in_all_of_it() -> None:
    code = (
        "import sys\nfrom runner.expressions.parse import expression\n"
        "tree = expression('a | length > 0').tree\nassert 'jinja2.environment' not in sys.modules\n"
        "import jinja2\nassert isinstance(tree, jinja2.nodes.Compare)\n"
        "assert jinja2.Environment().from_string('{{ 1 + 1 }}').render() == '2'\n"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_what_files_need_of_pyyaml_is_a_part_of_it_and_the_same_as_in_all_of_it() -> None:
    code = (
        "import sys\nfrom runner.reading.load import load\n"
        "assert 'yaml.loader' not in sys.modules\n"
        "import yaml\nassert yaml.safe_load('{a: 2026-01-31, b: 1.5}')['a'].year == 2026\n"
        "assert yaml._yaml.CParser is sys.modules['yaml._yaml'].CParser\n"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
