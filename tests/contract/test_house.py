"""The house keeps its own rules: directions of imports, the docs' plan and settings, clean locks, the wheel."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest
from tests.contract import settings_page

HOUSE = Path(__file__).parents[2]
PACKAGE = HOUSE / "src" / "avatars"
PROJECT: dict[str, Any] = tomllib.loads((HOUSE / "pyproject.toml").read_text())
CONTRACTS: list[dict[str, Any]] = PROJECT["tool"]["importlinter"]["contracts"]

NO_ROOM = {"avatars.__init__", "avatars._bar", "avatars._extras", "avatars._notebook"}
"""Modules that any room may use; what they import themselves is checked where they are used."""


def tool(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


# --- directions of imports ------------------------------------------------------------------------------

WRONG_IMPORTS = [
    ("engine/progress.py", "import pydantic"),
    ("engine/progress.py", "from avatars.evaluation import evaluate"),
    ("evaluation/evaluate.py", "import avatars.models"),
    ("models/base.py", "import numpy"),
    ("models/base.py", "import avatars.errors"),
    ("processors/base.py", "import avatars.models"),
    ("processors/columns.py", "from avatars.engine import frames"),
    ("client.py", "import avatars.engine.run"),
    ("resources/datasets.py", "import avatars.server.settings"),
    ("server/settings.py", "import avatars.client"),
    ("server/settings.py", "import avatars.local"),
    ("local.py", "import avatars.server.settings"),
]


@pytest.mark.parametrize(("where", "statement"), WRONG_IMPORTS)
def test_a_wrong_import_breaks_a_contract(where: str, statement: str, tmp_path: Path) -> None:
    shutil.copytree(PACKAGE, tmp_path / "avatars", ignore=shutil.ignore_patterns("__pycache__"))
    module = tmp_path / "avatars" / where
    module.write_text(f"{module.read_text()}\n{statement}\n")
    done = subprocess.run(
        [tool("lint-imports"), "--no-cache", "--no-logo", "--config", str(HOUSE / "pyproject.toml")],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert re.search(r"Contracts: \d+ kept, [1-9]\d* broken", done.stdout), done.stdout


def test_every_room_has_a_contract() -> None:
    named = {
        name.strip()
        for contract in CONTRACTS
        for layer in contract.get("layers", []) + contract.get("source_modules", [])
        for name in layer.split("|")
    }
    rooms = {
        f"avatars.{path.stem}" for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    assert rooms - NO_ROOM == named


def test_wire_models_import_pydantic_and_nothing_else_from_outside() -> None:
    allowed = set(sys.stdlib_module_names) | {"pydantic"}
    for path in (PACKAGE / "models").glob("*.py"):
        module = ast.parse(path.read_text())
        for_checkers = [node for node in module.body if isinstance(node, ast.If)]
        for node in ast.walk(ast.Module([node for node in module.body if node not in for_checkers], [])):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            else:
                continue
            for name in names:
                assert name.startswith("avatars.models") or name.split(".")[0] in allowed, f"{path.name}: {name}"


# --- the docs' plan and settings ------------------------------------------------------------------------


def modules() -> set[str]:
    """Every module by its path in the package; migrations are rows of a history, not rooms."""
    paths = (path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py"))
    return {
        path.as_posix()
        for path in paths
        if path.name != "__init__.py" and "versions" not in path.parts and "__pycache__" not in path.parts
    }


def test_plan_of_the_house_names_every_module_and_no_other() -> None:
    plan = (HOUSE / "docs" / "house.md").read_text()
    named: set[str] = set()
    for room, table in re.findall(r"^### `([\w/]*)`[^\n]*\n(.*?)(?=^##|\Z)", plan, re.MULTILINE | re.DOTALL):
        named |= {f"{room}{name}" for name in re.findall(r"^\| `([\w/]+\.py)` \|", table, re.MULTILINE)}
    assert named == modules()


def test_the_page_of_the_settings_is_current() -> None:
    assert settings_page.PAGE.read_text(encoding="utf-8") == settings_page.page(), (
        "run: python tests/contract/settings_page.py"
    )


def test_pages_and_examples_name_no_setting_that_there_is_not() -> None:
    from avatars.server.settings import Settings

    known = {f"AVATARS_{name.upper()}" for name in Settings.model_fields} | {"AVATARS_SECRETS_DIR", "AVATARS_DEBUG"}
    files = [*HOUSE.glob("*.md"), *(HOUSE / "docs").rglob("*.md"), *(HOUSE / "deploy").iterdir()]
    named = {name: path.name for path in files for name in re.findall(r"\bAVATARS_[A-Z_]*[A-Z]\b", path.read_text())}
    assert {name: page for name, page in named.items() if name not in known} == {}


def test_links_between_pages_lead_somewhere() -> None:
    for page in [*HOUSE.glob("*.md"), *(HOUSE / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#\s]+)", page.read_text()):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name} -> {target}"


# --- locks and the built package ------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["platform", "test", "bench"])
def test_lock_pins_and_hashes_everything_and_names_no_place(name: str) -> None:
    text = (HOUSE / "requirements" / f"{name}.txt").read_text()
    entries = re.split(r"\n(?=\S)", text.strip())
    assert len(entries) > 50
    for entry in entries:
        first, *hashes = entry.replace("\\\n", "\n").split("\n")
        assert re.match(r"^[a-z0-9][a-z0-9._-]*(\[[a-z,]+\])?==[^\s;]+( ; .*)?$", first.strip()), first
        assert hashes, first
        assert all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", line.strip()) for line in hashes), first
    assert "://" not in text
    assert "/" not in text
    assert "@" not in text


def test_locks_agree_with_each_other() -> None:
    def pins(name: str) -> set[str]:
        text = (HOUSE / "requirements" / f"{name}.txt").read_text()
        return set(re.findall(r"^(\S+==\S+)", text, re.MULTILINE))

    # One environment serves them all: a larger lock changes nothing that a smaller one installed.
    assert pins("platform") < pins("test") < pins("bench")


def test_built_wheel_is_typed_licensed_and_has_the_migrations(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    done = subprocess.run(command, cwd=HOUSE, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("open_avatars-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        (metadata,) = (name for name in names if name.endswith(".dist-info/METADATA"))
        about = archive.read(metadata).decode()
    assert "avatars/py.typed" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert {name for name in names if "/versions/0" in name} == {
        f"avatars/server/migrations/versions/{path.name}"
        for path in (PACKAGE / "server" / "migrations" / "versions").glob("0*.py")
    }
    assert not [name for name in names if name.startswith(("tests/", "fixtures/", "demo/"))]
    for extra in ("engine", "server", "postgres"):
        assert f"Provides-Extra: {extra}" in about


def test_licence_and_version_are_the_same_everywhere() -> None:
    assert "Apache License" in (HOUSE / "LICENSE").read_text()
    assert PROJECT["project"]["license"] == "Apache-2.0"
    assert f"## [{PROJECT['project']['version']}]" in (HOUSE / "CHANGELOG.md").read_text()
