"""What the docs show works: every Python block of the README and the pages runs, in order, page by page.

A block with a title is a file, and is written under that name. Commands run too on the how-to pages; on the others
they install, serve or ask. `test_notebooks.py` runs the page about notebooks, in a notebook's kernel.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from tests.integration import mailbox
from tests.integration.mailbox import Mailbox

from avatars.client import ApiClient

if TYPE_CHECKING:
    from tests.conftest import Platform

HOUSE = Path(__file__).parents[2]
DOCS = HOUSE / "docs"
PAGES = [HOUSE / "README.md", *sorted(DOCS.rglob("*.md"))]

TUTORIAL = DOCS / "tutorial.md"
# It belongs to somebody else and lies beside this repository, not in it.
SEED = HOUSE.parent / "shared" / "seed" / "tutorial.rst"
IN_CI = DOCS / "how-to" / "ci.md"
IN_A_KERNEL = DOCS / "how-to" / "notebook.md"


@dataclass(frozen=True)
class Block:
    """What a page shows between two fences."""

    line: int
    """Where it begins."""
    language: str
    title: str | None
    code: str


def blocks(page: Path) -> Iterator[Block]:
    text = page.read_text(encoding="utf-8")
    for match in re.finditer(r'^```(\w+)(?: title="([^"]+)")?\n(.*?)^```', text, re.MULTILINE | re.DOTALL):
        yield Block(text.count("\n", 0, match.start(3)), match[1], match[2], match[3])


def run_page(page: Path, folder: Path, **names: object) -> None:
    """Run what a page shows, in this folder, with the fixtures beside it."""
    shutil.copytree(HOUSE / "fixtures", folder / "fixtures")
    names["__name__"] = "__main__"
    for block in blocks(page):
        if block.title is not None:
            (folder / block.title).write_text(block.code, encoding="utf-8")
        elif block.language == "python":
            # Blank lines before it: a traceback names the line of the page.
            exec(compile("\n" * block.line + block.code, str(page), "exec"), names)
        elif block.language == "bash" and page.parent.name == "how-to":
            done = run_command(block.code, folder)
            assert done.returncode == 0, done.stderr


def run_command(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command as one types it, with this environment's programs."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-ec", command], cwd=folder, env=os.environ | {"PATH": path}, capture_output=True, text=True
    )


WITH_PYTHON = [page for page in PAGES if any(block.language == "python" for block in blocks(page))]


@pytest.mark.parametrize(
    "page",
    [page for page in WITH_PYTHON if page not in (TUTORIAL, IN_A_KERNEL)],
    ids=lambda page: page.relative_to(HOUSE).as_posix(),
)
def test_python_of_a_page_runs(page: Path, platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BASE_URL", platform.base_url)
    run_page(page, tmp_path)


def test_readme_has_python_to_run() -> None:
    assert HOUSE / "README.md" in WITH_PYTHON


# --- the tutorial: its last section needs a platform that sends mail, and somebody who reads it -----------


@pytest.fixture
def inbox() -> Iterator[Mailbox]:
    inbox = Mailbox()
    server = mailbox.start(inbox)
    with pytest.MonkeyPatch.context() as settings:
        settings.setenv("AVATARS_SMTP_HOST", "127.0.0.1")
        settings.setenv("AVATARS_SMTP_PORT", str(server.port))
        settings.setenv("AVATARS_SMTP_SECURITY", "none")
        settings.setenv("AVATARS_MAIL_FROM", "avatars@example.org")
        settings.setenv("AVATARS_PUBLIC_URL", "https://avatars.example.org")
        yield inbox
    server.stop()


def test_the_tutorial_runs(
    inbox: Mailbox,
    new_platform: Callable[..., Platform],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    platform = new_platform()
    platform.add_user("username", "strong_password", email="you@example.org")
    platform.start()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BASE_URL", platform.base_url)

    def token_from_the_mail(prompt: str) -> str:
        (mail,) = inbox.wait(1)
        found = re.search(r"^ +([0-9a-f-]{36})\s*$", str(mail.get_content()), re.MULTILINE)
        assert found is not None
        return found[1]

    run_page(TUTORIAL, tmp_path, input=token_from_the_mail)
    assert "JobStatus.success" in capsys.readouterr().out
    with ApiClient(platform.base_url) as client:
        client.authenticate("username", "new_strong_password")


@pytest.mark.skipif(not SEED.exists(), reason="the seed's tutorial is not beside this repository")
def test_the_tutorial_shows_every_call_that_our_users_know() -> None:
    def calls(page: Path) -> set[str]:
        return set(re.findall(r"\bclient\.[\w.]+(?=\()", page.read_text(encoding="utf-8")))

    assert len(calls(SEED)) > 10
    assert calls(SEED) <= calls(TUTORIAL)


# --- in CI ----------------------------------------------------------------------------------------------


def test_the_check_for_ci_fails_where_a_metric_misses_its_target(tmp_path: Path) -> None:
    (script,) = [block for block in blocks(IN_CI) if block.title]
    assert script.title is not None
    (tmp_path / script.title).write_text(script.code, encoding="utf-8")
    # Too few people to keep their statistics.
    iris = pd.read_csv(HOUSE / "fixtures" / "iris.csv")
    iris.sample(30, random_state=1).to_csv(tmp_path / "few.csv", index=False)
    done = run_command(f"python {script.title} few.csv", tmp_path)
    assert done.returncode == 1, done.stderr
    assert re.search(r"^hellinger_mean is \d\.\d\d, above 0.2$", done.stdout, re.MULTILINE)
