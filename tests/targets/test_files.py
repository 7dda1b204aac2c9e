from pathlib import Path

import pytest

from runner.targets.files import find_targets, searched
from runner.targets.folders import searched_folders


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with a `.git`, and a targets file outside of it that nobody may find."""
    (tmp_path / "targets.yaml").touch()
    root = tmp_path / "project"
    (root / ".git").mkdir(parents=True)
    (root / "specs" / "deep").mkdir(parents=True)
    return root


def found(job: Path, environment: dict[str, str] | None = None, explicit: Path | None = None) -> Path | None:
    return find_targets(job, explicit=explicit, environment=environment or {})


def test_the_targets_file_beside_the_job_comes_before_one_above(project: Path) -> None:
    job = project / "specs" / "deep" / "a.job.yaml"

    assert found(job) is None
    (project / "targets.yaml").touch()
    assert found(job) == project / "targets.yaml"
    (project / "specs" / "targets.yaml").touch()
    assert found(job) == project / "specs" / "targets.yaml"
    (project / "specs" / "deep" / "targets.yaml").touch()
    assert found(job) == project / "specs" / "deep" / "targets.yaml"


def test_the_search_ends_at_the_root_of_the_project(project: Path) -> None:
    assert found(project / "a.job.yaml") is None


def test_without_a_project_it_is_searched_for_up_to_the_root_of_the_file_system(tmp_path: Path) -> None:
    (tmp_path / "targets.yaml").touch()
    (tmp_path / "specs" / "deep").mkdir(parents=True)

    assert found(tmp_path / "specs" / "deep" / "a.job.yaml") == tmp_path / "targets.yaml"
    assert found(tmp_path / "a.job.yaml") == tmp_path / "targets.yaml"
    assert searched_folders(tmp_path / "specs")[-1] == Path(tmp_path.anchor)


def test_a_targets_file_in_a_folder_where_everybody_may_write_is_named_and_not_read(tmp_path: Path) -> None:
    (tmp_path / "targets.yaml").touch()
    (tmp_path / "specs").mkdir()
    tmp_path.chmod(0o1777)

    assert found(tmp_path / "specs" / "a.job.yaml") is None
    assert f"`{tmp_path / 'targets.yaml'}`, which is not read" in searched(tmp_path / "specs")


def test_the_search_ends_at_the_home_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    (home / "specs").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    (tmp_path / "targets.yaml").touch()
    job = home / "specs" / "a.job.yaml"

    assert found(job) is None
    assert searched(job.parent) == f"there is no targets.yaml in `{job.parent}` and above it up to `{home}`"
    (home / "targets.yaml").touch()
    assert found(job) == home / "targets.yaml"
    assert found(tmp_path / "other" / "a.job.yaml") == tmp_path / "targets.yaml"


def test_a_folder_in_which_everybody_may_put_files_is_passed_over_unless_the_job_is_there(tmp_path: Path) -> None:
    (tmp_path / "shared" / "mine").mkdir(parents=True)
    (tmp_path / "shared").chmod(0o1777)
    (tmp_path / "shared" / "targets.yaml").touch()

    assert found(tmp_path / "shared" / "mine" / "a.job.yaml") is None
    assert found(tmp_path / "shared" / "a.job.yaml") == tmp_path / "shared" / "targets.yaml"


def test_a_named_file_comes_before_the_environment_and_that_before_all_others(project: Path) -> None:
    (project / "targets.yaml").touch()
    environment = {"CREATIO_RUNNER_TARGETS": "from-environment.yaml"}

    assert found(project / "a.job.yaml", environment) == Path("from-environment.yaml")
    assert found(project / "a.job.yaml", environment, Path("explicit.yaml")) == Path("explicit.yaml")
    assert found(project / "a.job.yaml", {"CREATIO_RUNNER_TARGETS": ""}) == project / "targets.yaml"
