"""The notebooks, and the page about notebooks, run in real kernels with warnings as errors; no outputs are kept."""

from __future__ import annotations

import re
import shutil
import textwrap
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode
from tests.contract.test_docs import IN_A_KERNEL, blocks

HOUSE = Path(__file__).parents[2]
NOTEBOOKS = sorted((HOUSE / "notebooks").glob("*.ipynb"))
CELL_SECONDS = 60
"""How long one cell may take; a few seconds are usual."""

WARNINGS_ARE_ERRORS = "import warnings; warnings.simplefilter('error')"


def by_name(path: Path) -> str:
    return path.stem


def read(path: Path) -> NotebookNode:
    notebook: NotebookNode = nbformat.read(path, as_version=4)
    return notebook


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where notebooks run: the fixtures are there, and nothing of the kernel's is written elsewhere."""
    shutil.copytree(HOUSE / "fixtures", tmp_path / "fixtures")
    for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "TMPDIR"):
        (tmp_path / name).mkdir()
        monkeypatch.setenv(name, str(tmp_path / name))
    # Without an address clients start a platform of their own.
    monkeypatch.delenv("BASE_URL", raising=False)
    monkeypatch.delenv("AVATAR_PASSWORD", raising=False)
    return tmp_path


def run(notebook: NotebookNode, folder: Path) -> NotebookNode:
    """Run all cells in a kernel of its own, in this folder."""
    folder.mkdir(exist_ok=True)
    code = nbformat.v4.new_code_cell(WARNINGS_ARE_ERRORS)
    whole = nbformat.v4.new_notebook(metadata=notebook.metadata, cells=[code, *notebook.cells])
    client = NotebookClient(whole, timeout=CELL_SECONDS, resources={"metadata": {"path": str(folder)}})
    return client.execute()


def outputs(*cells: NotebookNode) -> list[Any]:
    return [output for cell in cells for output in cell.get("outputs", ())]


def pictures_by_section(notebook: NotebookNode) -> dict[str, int]:
    """Count the pictures under each heading of the second level."""
    found: dict[str, int] = {}
    heading = ""
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and cell.source.startswith("## "):
            heading = cell.source.partition("\n")[0].removeprefix("## ").partition(":")[0]
        found[heading] = found.get(heading, 0) + sum("image/png" in output.get("data", {}) for output in outputs(cell))
    return found


def test_there_are_three() -> None:
    assert [path.stem for path in NOTEBOOKS] == ["evaluate_quality", "parameters", "quickstart"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=by_name)
def test_it_is_kept_without_outputs_and_without_traces_of_a_machine(path: Path) -> None:
    notebook = read(path)
    nbformat.validate(notebook)
    assert outputs(*notebook.cells) == []
    assert {cell.execution_count for cell in notebook.cells if cell.cell_type == "code"} == {None}
    assert notebook.metadata == {
        "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }


@pytest.mark.parametrize("path", NOTEBOOKS, ids=by_name)
def test_its_links_lead_somewhere(path: Path) -> None:
    text = "\n".join(cell.source for cell in read(path).cells if cell.cell_type == "markdown")
    for target in re.findall(r"\]\(([^)#\s]+)", text):
        assert (path.parent / target).exists(), target


@pytest.mark.parametrize("path", NOTEBOOKS, ids=by_name)
def test_it_runs(path: Path, folder: Path) -> None:
    done = run(read(path), folder / "notebooks")
    said = outputs(*done.cells)
    assert [output for output in said if output.output_type == "stream"] == []
    assert len(said) >= 5
    if path.stem == "evaluate_quality":
        pictures = pictures_by_section(done)
        assert pictures["Univariate"] >= 2
        assert pictures["Bivariate"] >= 2
        assert pictures["Multivariate"] >= 2
    # The platform is gone with all that it kept.
    assert list((folder / "TMPDIR").glob("open-avatars-*")) == []


def test_the_page_about_notebooks_runs_in_one(folder: Path) -> None:
    cells = [nbformat.v4.new_code_cell(block.code) for block in blocks(IN_A_KERNEL) if block.language == "python"]
    done = run(nbformat.v4.new_notebook(cells=cells), folder)
    assert any("hidden_rate" in output.get("data", {}).get("text/plain", "") for output in outputs(*done.cells))
    assert (folder / "avatars.csv").exists()


def test_progress_is_one_table_under_the_cell(folder: Path) -> None:
    code = """
        import time
        from avatars._bar import progress_bar
        with progress_bar("reading") as update:
            for step in range(1, 6):
                time.sleep(0.2)
                update("drawing", step / 5)
    """
    cell = nbformat.v4.new_code_cell(textwrap.dedent(code))
    done = run(nbformat.v4.new_notebook(cells=[cell]), folder)
    (table,) = outputs(*done.cells)
    assert re.search(r"drawing +done +100%", table.data["text/plain"])
