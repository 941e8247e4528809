"""The command's start: quick, and clear where parts are missing."""

from __future__ import annotations

import subprocess
import sys

HEAVY = ("dask", "distributed", "fastapi", "matplotlib", "numpy", "pandas", "pyarrow", "scipy", "sqlalchemy")


def python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)


def test_help_imports_nothing_heavy() -> None:
    shown = python(f"import sys, avatars.cli; print([name for name in {HEAVY} if name in sys.modules])")
    assert shown.stdout.strip() == "[]", shown.stderr


def test_without_typer_the_command_says_what_to_install() -> None:
    ended = python("import sys; sys.modules['typer'] = None\nfrom avatars.__main__ import main\nmain()")
    assert ended.returncode == 1
    assert 'pip install "open-avatars[engine]"' in ended.stderr
    assert "Traceback" not in ended.stderr


def test_without_the_server_extra_serve_says_what_to_install() -> None:
    ended = python(
        "import sys; sys.modules['pydantic_settings'] = None\n"
        "from avatars.cli import app\napp(['serve', '--port', '0'])"
    )
    assert ended.returncode == 1
    assert 'pip install "open-avatars[server]"' in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_version_is_printed() -> None:
    shown = subprocess.run([sys.executable, "-m", "avatars", "--version"], capture_output=True, text=True)
    assert shown.returncode == 0
    assert shown.stdout.startswith("open-avatars ")


def test_an_error_that_nobody_foresaw_shows_no_traceback_and_no_cell() -> None:
    code = (
        "import sys, avatars.cli\n"
        "def broken(): raise KeyError('Ada Lovelace')\n"
        "avatars.cli.app = broken\n"
        "from avatars.__main__ import main\nmain()"
    )
    ended = python(code)
    assert ended.returncode == 1
    assert "KeyError" in ended.stderr
    assert "Ada" not in ended.stderr
    assert "Traceback" not in ended.stderr
