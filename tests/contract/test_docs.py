"""What the docs show works: every Python block of the README and the pages runs, in order, page by page."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Platform

HOUSE = Path(__file__).parents[2]
PAGES = [HOUSE / "README.md", *sorted((HOUSE / "docs").glob("*.md"))]


def python_blocks(page: Path) -> Iterator[tuple[int, str]]:
    """Yield each block with the line that it begins at."""
    text = page.read_text()
    for match in re.finditer(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        yield text.count("\n", 0, match.start(1)), match.group(1)


WITH_PYTHON = [page for page in PAGES if any(python_blocks(page))]


@pytest.mark.parametrize("page", WITH_PYTHON, ids=lambda page: page.name)
def test_python_of_a_page_runs(page: Path, platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(HOUSE / "fixtures", tmp_path / "fixtures")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BASE_URL", platform.base_url)
    names: dict[str, object] = {"__name__": "__main__"}
    for line, block in python_blocks(page):
        # Blank lines before it: a traceback names the line of the page.
        exec(compile("\n" * line + block, str(page), "exec"), names)


def test_readme_has_python_to_run() -> None:
    assert HOUSE / "README.md" in WITH_PYTHON
