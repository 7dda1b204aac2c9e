"""No message of a mistake shows a secret that stands beside it, nor a line of a file that is none of the project."""

import json
from pathlib import Path

import pytest
from captured import Capture

from runner.cli.main import ended

SECRET = "hunter2-xyz"
JOB = """runner: 1
name: a
target: here
inputs:
  token: {type: string, secret: true}
  limit: {type: integer, default: 1}
steps:
  - {id: read, effect: read, execute: {process: UsrRead, parameters: {T: "{{ inputs.token }}"}}}
"""
TARGETS = """runner: 1
targets:
  here:
    url: https://crm.example.com
    auth: {username: "{{ env.A }}", password: "{{ env.B }}"}
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    Path("a.job.yaml").write_text(JOB)
    Path("targets.yaml").write_text(TARGETS)
    return tmp_path


def output(capsys: Capture, *words: str) -> str:
    assert ended(words) == 2
    said = capsys.readouterr()
    return said.out + said.err


INPUTS = {
    "a wrong type": f"{{token: [{SECRET}], limit: 1}}",
    "a wrong type beside it": f"{{token: {SECRET}, limit: many}}",
    "an unknown key beside it": f"{{token: {SECRET}, limt: 1}}",
    "it stands twice": f"{{token: {SECRET}, token: {SECRET}}}",
    "it stands twice in lines": f"token: {SECRET}\ntoken: {SECRET}\n",
    "no YAML": f"token: {SECRET}: x\n",
    "an unclosed quote": f'token: "{SECRET}\n',
    "a bracket too much": f"token: {SECRET}\n]\n",
    "a tag": f"token: !{SECRET} x\n",
    "an alias": f"token: *{SECRET}\n",
    "a percent sign": f"token: %{SECRET}\n",
    "a text": SECRET,
    "a list": f"- {SECRET}\n",
    "no blank": f"token:{SECRET}\n",
    "a bare template": f"token: {{{{ {SECRET} }}}}\n",
    "a merge key": f"<<: {{token: {SECRET}}}\n",
    "a bad byte": f"token: {SECRET}\x00\n",
    "a merge conflict": f"<<<<<<< {SECRET}\ntoken: {SECRET}\n=======\n",
    "a number that is too large": f"{{limit: 1e999, token: {SECRET}}}",
    "JSON that is broken": f'{{"token": "{SECRET}", "limit": }}',
}


@pytest.mark.parametrize("content", INPUTS.values(), ids=INPUTS)
def test_a_mistake_in_a_file_of_inputs_shows_none_of_their_values(content: str, capsys: Capture) -> None:
    Path("given.yaml").write_text(content)
    said = output(capsys, "plan", "a.job.yaml", "--inputs", "given.yaml")
    assert "given.yaml" in said
    assert SECRET not in said


def test_a_mistake_in_a_file_of_inputs_has_its_place_and_its_key(capsys: Capture) -> None:
    Path("given.yaml").write_text(f"token: {SECRET}\ntoken: {SECRET}\n")
    assert "given.yaml:2:1: error[E103]: the key `token` is written twice" in output(
        capsys, "plan", "a.job.yaml", "--inputs", "given.yaml"
    )


DECLARED = {
    "an unknown keyword": f"{{type: string, secret: true, default: {SECRET}, minLenth: 1}}",
    "a default of another type": f"{{type: integer, secret: true, default: {SECRET}}}",
    "secret is no boolean": f"{{type: string, secret: maybe, default: {SECRET}}}",
    "secret is misspelled": f"{{type: string, secrte: true, default: {SECRET}}}",
    "default is misspelled": f"{{type: string, secret: true, defualt: {SECRET}}}",
    "an unclosed quote": f'{{type: string, secret: true, default: "{SECRET}}}',
    "an unclosed bracket": f"{{type: string, secret: true, default: {SECRET}",
    "an alias": f"{{type: string, secret: true, default: *{SECRET}}}",
    "a text that needs single quotes": f'{{type: string, secret: true, default: @{SECRET}"x}}',
    "a list of examples": f"{{type: string, secret: true, examples: [{SECRET}], x: 1}}",
}


@pytest.mark.parametrize("declared", DECLARED.values(), ids=DECLARED)
def test_a_mistake_beside_the_value_of_a_secret_input_does_not_show_it(declared: str, capsys: Capture) -> None:
    Path("a.job.yaml").write_text(JOB.replace("{type: string, secret: true}", declared))
    said = output(capsys, "validate", "a.job.yaml")
    assert "a.job.yaml:" in said
    assert SECRET not in said


def test_a_number_with_a_comma_is_shown_in_an_input_without_a_secret_and_not_in_one_with(capsys: Capture) -> None:
    one = "  discount: {type: number, default: 12,5}\n"
    other = "  pin:\n    type: number\n    secret: true\n    examples: [7]\n    default: {a: 98,7}\n"
    case = "cases:\n  - {name: x, inputs: {pin: 31,4}}\n"
    Path("a.job.yaml").write_text(JOB.replace("inputs:\n", f"inputs:\n{one}{other}") + case)
    said = output(capsys, "validate", "a.job.yaml")
    assert "write `12.5`: a comma ends an item" in said
    assert said.count("is written with a point, not with a comma") == 3
    assert "98" not in said
    assert "31" not in said


def test_a_mistake_in_a_case_does_not_show_the_secret_beside_it(capsys: Capture) -> None:
    case = f"{{name: x, inputs: {{token: {SECRET}, limit: many}}}}"
    Path("a.job.yaml").write_text(f"{JOB}cases:\n  - {case}\n")
    assert SECRET not in output(capsys, "validate", "a.job.yaml")
    for name, content in {
        "c.csv": f"name,token,limit\nx,{SECRET},many\n",
        "d.csv": f'name,token,limit\nx,"{SECRET}" y,1\n',
        "c.json": json.dumps([{"name": "x", "inputs": {"token": SECRET, "limit": "many"}}]),
        "d.json": f'[{{"name": "x", "inputs": {{"token": "{SECRET}" "limit": 1}}}}]',
    }.items():
        Path(name).write_text(content)
        Path("a.job.yaml").write_text(f"{JOB}cases: {name}\n")
        said = output(capsys, "validate", "a.job.yaml")
        assert f"{name}:" in said
        assert SECRET not in said, name


ADDRESSES = [
    f"https://crm.example.com/?token={SECRET}",
    f"https://crm.example.com/#{SECRET}",
    f"https://user:{SECRET}@crm.example.com",
    f"https://user:pass {SECRET}@crm.example.com",
    f"https://us er:{SECRET}/x@crm.example.com",
    f"https://user:a@{SECRET}@crm.example.com/?a=1&b={SECRET}",
]


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize(
    "line",
    ["    url: {}\n", '    url: "{}"\n', '    url: "{}\n', "    url: {}\n    timeout: x\n", "    url:\n      {}\n"],
)
def test_no_mistake_in_an_address_shows_what_is_secret_in_it(address: str, line: str, capsys: Capture) -> None:
    written = TARGETS.replace("    url: https://crm.example.com\n", line.format(address))
    Path("targets.yaml").write_text(written)
    said = output(capsys, "validate", "a.job.yaml")
    assert "targets.yaml" in said
    assert SECRET not in said


@pytest.mark.parametrize("name", ["x.job.yaml", "sandbox/UsrX.process.yaml", "sandbox/records.yaml"])
@pytest.mark.parametrize("content", [f"A=1\0TOKEN={SECRET}\0", f"TOKEN={SECRET}", f"users: {{a: {SECRET}, b: 1}}\n"])
def test_a_link_that_leads_out_of_the_project_shows_nothing_of_what_it_leads_to(
    here: Path, name: str, content: str, capsys: Capture
) -> None:
    (here / "outside").write_text(content)
    Path("targets.yaml").write_text("runner: 1\ntargets:\n  here: {sandbox: sandbox}\n")
    Path("sandbox").mkdir()
    Path("sandbox/UsrRead.process.yaml").write_text("runner: 1\nprocess: UsrRead\nparameters: {T: {type: text}}\n")
    Path(name).symlink_to(here / "outside")
    said = output(capsys, "validate", ".", "-t", "here")
    assert f"`{name}` is a link that leads out of the project" in said
    assert SECRET not in said
    assert "TOKEN" not in said


def test_a_link_within_the_project_is_read(here: Path, capsys: Capture) -> None:
    (here / ".git").mkdir()
    (here / "shared.yaml").write_text(JOB.replace("name: a", "name: b"))
    Path("b.job.yaml").symlink_to(here / "shared.yaml")
    Path("..data").mkdir()
    Path("..data/c").write_text(JOB.replace("name: a", "name: c"))
    Path("c.job.yaml").symlink_to("..data/c")
    assert ended(["validate", "."]) == 0
    assert "3 files" in capsys.readouterr().err


@pytest.mark.parametrize("name", [".env", "id_rsa", "notes.txt"])
@pytest.mark.parametrize(
    "content",
    [f"T={SECRET}\n", f"-----BEGIN KEY-----\n{SECRET}\n", f'"{SECRET}\n', f"* {SECRET}\n", f"- {SECRET}\n"],
)
def test_a_file_that_is_no_mapping_shows_no_line(name: str, content: str, capsys: Capture) -> None:
    Path(name).write_text(content)
    for words in (["validate", name], ["run", "a.job.yaml", "--targets", name], ["plan", name]):
        said = output(capsys, *words)
        assert name in said
        assert SECRET not in said, words
