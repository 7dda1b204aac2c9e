from pathlib import Path

from runner.foundation.values import JsonObject
from runner.sandbox.store import Store
from runner.sandbox.veil import Veil

RECORD: JsonObject = {"Id": "hunter2-xyz", "Name": "it is hunter2-xyz", "Number": 1234567, "Odd": "\ue000 \ud800"}


def store(file: Path, *secrets: tuple[str, str]) -> Store:
    veil = Veil()
    for name, text in secrets:
        veil.learn(name, text)
    return Store({"Thing": ("Id", "Name")}, file=file, veil=veil)


def test_a_record_is_read_as_it_was_written_and_its_file_holds_no_secret(tmp_path: Path) -> None:
    secrets = ("inputs.token", "hunter2-xyz"), ("inputs.number", "1234567")
    first = store(tmp_path / "data", *secrets)
    assert first.insert("Thing", RECORD)
    assert not first.insert("Thing", RECORD)
    first.replace("Thing", RECORD | {"Name": "hunter2-xyz!"})
    assert first.records("Thing") == [RECORD | {"Name": "hunter2-xyz!"}]
    first.close()
    assert not [file for file in tmp_path.iterdir() if b"hunter2" in file.read_bytes()]
    assert not [file for file in tmp_path.iterdir() if b"1234567" in file.read_bytes()]
    again = store(tmp_path / "data", *(("vars.other", text) for _, text in reversed(secrets)))
    assert again.records("Thing") == [RECORD | {"Name": "hunter2-xyz!"}]
    again.delete("Thing", "hunter2-xyz")
    assert again.records("Thing") == []
    again.close()


def test_a_value_whose_secret_nobody_gives_again_is_read_as_stars(tmp_path: Path) -> None:
    first = store(tmp_path / "data", ("inputs.token", "hunter2-xyz"))
    first.insert("Thing", {"Id": "1", "Name": "it is hunter2-xyz"})
    first.close()
    again = store(tmp_path / "data", ("inputs.token", "another-one"))
    assert again.records("Thing") == [{"Id": "1", "Name": "it is ***"}]
    again.close()


def test_what_a_sandbox_gives_itself_is_no_secret_of_its_file(tmp_path: Path) -> None:
    first = store(tmp_path / "data", ("target.cookie.BPMCSRF", "hunter2-xyz"))
    first.insert("Thing", RECORD)
    first.close()
    again = store(tmp_path / "data")
    assert again.records("Thing") == [RECORD]
    again.close()


def test_what_a_page_shows_has_stars_in_the_place_of_secrets_and_keeps_its_keys() -> None:
    veil = Veil()
    veil.open("00")
    assert Veil().is_lifted
    veil.learn("inputs.token", "hunter2-xyz")
    veil.learn("inputs.short", "Name")
    assert not veil.is_lifted
    value: JsonObject = {"Name": ["it is hunter2-xyz", 7, "Name"], "Number": None}
    assert veil.hidden(value) == {"Name": ["it is ***", 7, "***"], "Number": None}
    assert veil.hidden("?a=hunter2-xyz&b=1") == "?a=***&b=1"
