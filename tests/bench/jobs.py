"""The job files of the benchmark, written into the current folder."""

from pathlib import Path


def write_targets(site: str) -> None:
    Path("targets.yaml").write_text(
        f"runner: 1\ntargets:\n  bench:\n    url: {site}\n    auth: {{username: u, password: p}}\n"
    )


def write_chain(
    name: str, *, steps: int, verify: str = "none", effect: str = "read", process: str = "UsrBench"
) -> None:
    """A chain: each call takes a value from the one before, captures one, and is checked twice."""
    lines = [f"runner: 1\nname: {name}\ntarget: bench\nvars: {{s0: '0'}}\ndefaults: {{verify: {verify}}}\nsteps:\n"]
    for number in range(1, steps + 1):
        before = "vars.s0" if number == 1 else f"steps.s{number - 1}.outputs.last"
        lines.append(
            f"  - id: s{number}\n"
            f"    execute:\n"
            f"      process: {process}\n"
            f'      parameters: {{After: "{{{{ {before} }}}}"}}\n'
            f"      result: Found\n"
            f"    effect: {effect}\n"
            f"    expect:\n"
            f"      - result | length > 0\n"
            f'      - result[0].Name == "a contact"\n'
            f"    outputs: {{last: 'result[0].Id'}}\n"
        )
    Path(f"{name}.job.yaml").write_text("".join(lines))


def write_loop(name: str, *, turns: int) -> None:
    """The same call for each of many items, with a capture and two checks."""
    items = ", ".join(str(number) for number in range(turns))
    Path(f"{name}.job.yaml").write_text(
        f"runner: 1\nname: {name}\ntarget: bench\nsteps:\n"
        f"  - id: many\n    for_each: [{items}]\n"
        "    execute: {process: UsrBench, parameters: {After: '{{ item }}'}, result: Found}\n"
        "    effect: read\n    verify: none\n"
        "    expect: [result | length > 0, 'result[0].Name == \"a contact\"']\n"
        "    outputs: {last: 'result[0].Id'}\n"
    )


def write_cases(name: str, *, cases: int, steps: int, effect: str = "read", verify: str = "none") -> None:
    """A run a case, each of a few slow calls."""
    step = f"  - execute: {{process: UsrSlow, result: Found}}\n    effect: {effect}\n    verify: {verify}\n"
    each = step * steps
    listed = "".join(f"  - {{name: c{number}, inputs: {{}}}}\n" for number in range(cases))
    Path(f"{name}.job.yaml").write_text(f"runner: 1\nname: {name}\ntarget: bench\ncases:\n{listed}steps:\n{each}")


def write_hurl(folder: Path, site: str, *, files: int, calls: int) -> list[str]:
    """What `write_cases` writes, for Hurl: a file a run, each with its own sign-in."""
    sign_in = (
        f"POST {site}/ServiceModel/AuthService.svc/Login\n"
        '{"UserName": "u", "UserPassword": "p"}\nHTTP 200\n[Asserts]\njsonpath "$.Code" == 0\n\n'
    )
    call = (
        f"GET {site}/0/ServiceModel/ProcessEngineService.svc/UsrSlow/Execute?ResultParameterName=Found\n"
        "ForceUseSession: true\nBPMCSRF: c\nHTTP 200\n\n"
    )
    folder.mkdir()
    paths = [folder / f"{number}.hurl" for number in range(files)]
    for path in paths:
        path.write_text(sign_in + call * calls)
    return [str(path) for path in paths]


def write_many(folder: Path, *, files: int) -> None:
    """Many small jobs of a few steps each."""
    folder.mkdir()
    for number in range(files):
        steps = "".join(
            f"  - id: s{step}\n    execute: {{process: UsrBench, parameters: {{N: 1}}, result: Found}}\n"
            f"    effect: read\n    expect: [result | length > 0]\n"
            for step in range(5)
        )
        (folder / f"{number}.job.yaml").write_text(
            f"runner: 1\nname: job{number}\ntags: [smoke]\n"
            f"inputs: {{who: {{type: string, default: x}}}}\nsteps:\n{steps}"
        )


def write_on_a_site(folder: Path, *, files: int, steps: int) -> None:
    """Jobs beside the catalogue of a site with 500 processes; values and types flow from each step to the next."""
    folder.mkdir()
    auth = "auth: {username: u, password: p}"
    (folder / "targets.yaml").write_text(f"runner: 1\ntargets: {{big: {{url: 'https://big.example', {auth}}}}}\n")
    parameters = "".join(f"      P{number}: {{type: text, direction: in}}\n" for number in range(10))
    elements = "".join(
        f"      0000000{number}-0000-4000-8000-000000000000: {{name: E, type: Task}}\n" for number in range(9)
    )
    processes = "".join(
        f"  UsrProcess{number}:\n    caption: Process {number}\n    version: 1\n    runnable: true\n    parameters:\n"
        "      Found: {type: records, direction: out, items: {Id: guid, Name: text, Score: integer}}\n"
        f"      Key: {{type: guid, direction: in}}\n{parameters}    elements:\n{elements}"
        for number in range(500)
    )
    (folder / "big.catalog.yaml").write_text(f"runner: 1\nsite: https://big.example\nprocesses:\n{processes}")
    for number in range(files):
        lines = [f"runner: 1\nname: job{number}\ntarget: big\nvars: {{who: 'Smoke {{{{ run.id }}}}'}}\nsteps:\n"]
        for step in range(steps):
            key = f'"{{{{ steps.s{step - 1}.outputs.key }}}}"' if step else "null"
            lines.append(
                f"  - id: s{step}\n    execute:\n      process: UsrProcess{(number * steps + step) % 500}\n"
                f'      parameters: {{Key: {key}, P1: "{{{{ vars.who }}}}", P2: x}}\n      result: Found\n'
                f"    effect: read\n    expect:\n      - result | length > 0\n"
                f'      - vars.who in result | map(attribute="Name")\n'
                f'    outputs:\n      key: (result | selectattr("Score", "gt", {step}) | first).Id\n'
            )
        (folder / f"{number}.job.yaml").write_text("".join(lines))
