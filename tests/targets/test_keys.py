import json
from pathlib import Path

from runner.targets.keys import KEYS


def test_each_key_of_the_schema_has_a_record() -> None:
    schema = json.loads(Path("schema/targets.schema.json").read_text(encoding="utf-8"))
    assert {*KEYS} == {*schema["$defs"]["target"]["properties"]}
