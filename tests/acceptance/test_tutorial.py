"""The tutorial that our users come with, its code cut out unchanged: against a platform, and against nothing at all."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Platform

HOUSE = Path(__file__).parents[2]
# It belongs to somebody else and lies beside this repository, not in it.
TUTORIAL = HOUSE.parent / "shared" / "seed" / "tutorial.rst"

pytestmark = pytest.mark.skipif(not TUTORIAL.exists(), reason="the seed's tutorial is not beside this repository")


def code(*sections: str) -> str:
    """Return the Python code of these sections, with everything below their headings, in the tutorial's order."""
    lines = TUTORIAL.read_text(encoding="utf-8").splitlines()
    underlines = "=-~^"
    found: list[str] = []
    within = 0
    for number, line in enumerate(lines):
        under = lines[number + 1] if number + 1 < len(lines) else ""
        if line and len(under) >= len(line) and under[0] in underlines and under == under[0] * len(under):
            level = underlines.index(under[0]) + 1
            if within and level <= within:
                within = 0
            if line in sections:
                within = level
        elif within and line == ".. code:: python":
            block = takewhile(lambda line: not line or line.startswith("   "), lines[number + 1 :])
            found.append(textwrap.dedent("\n".join(block)).strip())
    assert found
    return "\n\n".join(found) + "\n"


def every_section() -> str:
    """Return all Python code of the tutorial; what it fences as JavaScript needs a mail server."""
    headings = ("Setup", "Quickstart", "Avatarization step by step", "Launch a whole pipeline", "Reset your password")
    script = code(*headings)
    assert script == code("Tutorial")
    return script


def run(script: str, folder: Path, timeout: int = 100, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a script as a user would: a file of its own, the example data beside it, the rest from the environment."""
    (folder / "fixtures").mkdir()
    shutil.copy(HOUSE / "fixtures" / "iris.csv", folder / "fixtures" / "iris.csv")
    (folder / "script.py").write_text(script, encoding="utf-8")
    inherited = {name: value for name, value in os.environ.items() if name not in ("BASE_URL", "AVATAR_PASSWORD")}
    return subprocess.run(
        [sys.executable, "script.py"],
        cwd=folder,
        env=inherited | environment,
        capture_output=True,
        text=True,
        timeout=timeout,
    )


def test_the_quickstart_runs_as_it_stands(platform: Platform, tmp_path: Path) -> None:
    done = run(code("Quickstart"), tmp_path, BASE_URL=platform.base_url)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert lines[0].startswith("got job id: ")
    assert "sensitive_unshuffled_avatars_datasets=" in lines[1]
    assert lines[2].startswith("got privacy metrics : hidden_rate=")


def test_step_by_step_up_to_the_unshuffled_avatars(platform: Platform, tmp_path: Path) -> None:
    script = code("Setup", "Quickstart", "Avatarization step by step")
    for call in (
        "client.health.get_health()",
        "create_dataset(request=f)",
        "pandas_integration.upload_dataframe(df)",
        "pandas_integration.download_dataframe(job.result.avatars_dataset.id)",
        "AvatarizationParameters(dataset_id=dataset.id, k=5, ncp=7, seed=42)",
        "get_avatarization_job(id=job.id, per_request_timeout=2, timeout=10)",
        "sensitive_unshuffled_avatars_df = pd.read_csv(",
    ):
        assert call in script
    assert "pipelines" not in script

    checks = """
    # What the tutorial says of these values in its comments.
    assert str(job.status) == "JobStatus.success"
    assert list(avatars_df.columns) == list(df.columns)
    assert len(avatars_df) == len(sensitive_unshuffled_avatars_df) == len(df)
    assert client.pandas_integration.download_dataframe(avatars_dataset_id).dtypes.equals(df.dtypes)
    same_rows = [list(map(tuple, table.to_numpy())) for table in (avatars_df, sensitive_unshuffled_avatars_df)]
    assert sorted(same_rows[0]) == sorted(same_rows[1])
    assert same_rows[0] != same_rows[1]
    """
    done = run(script + textwrap.dedent(checks), tmp_path, BASE_URL=platform.base_url)
    assert done.returncode == 0, done.stderr
    assert "JobStatus.success" in done.stdout.splitlines()
    assert "got metrics : hidden_rate=" in done.stdout


PIPELINE_CHECKS = """
# What the tutorial promises of its last value.
assert len(result.post_processed_avatars) == len(df)
assert list(result.post_processed_avatars.columns) == list(df.columns)
parts = result.post_processed_avatars[["variable_2", "variable_3", "variable_4"]].sum(axis=1)
assert (abs(parts - result.post_processed_avatars["variable_1"]) < 1e-6).all()
assert result.privacy_metrics.hidden_rate >= 0 and result.signal_metrics.hellinger_mean >= 0
print("the end", client.base_url)
"""


def test_every_line_runs_against_a_platform(platform: Platform, tmp_path: Path) -> None:
    done = run(every_section() + PIPELINE_CHECKS, tmp_path, BASE_URL=platform.base_url)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert done.stdout.splitlines()[-1] == f"the end {platform.base_url}"


@pytest.mark.soak
@pytest.mark.timeout(400)
@pytest.mark.databases("postgresql")
def test_every_line_runs_against_a_platform_on_postgresql(
    new_platform: Callable[..., Platform], database_url: str, tmp_path: Path
) -> None:
    platform = new_platform("--database-url", database_url)
    platform.add_user("username", "strong_password")
    platform.start()
    done = run(every_section() + PIPELINE_CHECKS, tmp_path, 300, BASE_URL=platform.base_url)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert done.stdout.splitlines()[-1] == f"the end {platform.base_url}"


def test_every_line_runs_where_nothing_was_started(tmp_path: Path) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    done = run(every_section() + PIPELINE_CHECKS, tmp_path, TMPDIR=str(temporary))
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert done.stdout.splitlines()[-1].startswith("the end http://127.0.0.1:")
    # Its platforms are gone, with everything that they kept.
    assert list(temporary.iterdir()) == []
