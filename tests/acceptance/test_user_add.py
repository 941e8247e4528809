"""``avatars user add``, as a person or a script runs it."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-m", "avatars", "user", "add"]
PASSWORD = "strong_password"


def add(name: str, data_dir: Path, *options: str, stdin: str = PASSWORD) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, name, "--data-dir", str(data_dir), *options], input=stdin, capture_output=True, text=True
    )


def test_a_script_adds_a_user_before_the_first_start(tmp_path: Path) -> None:
    data_dir = tmp_path / "new" / "data"
    ended = add("ada", data_dir, "--password-stdin", "--role", "admin", stdin=PASSWORD + "\n")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "The admin ada can log in now.\n", "")
    assert data_dir.stat().st_mode & 0o777 == 0o700
    assert all(file.stat().st_mode & 0o077 == 0 for file in data_dir.iterdir())


@pytest.mark.databases(empty=True)
def test_the_user_is_in_the_given_database(database_url: str, tmp_path: Path) -> None:
    options = ["--password-stdin", "--database-url", database_url]
    assert add("ada", tmp_path, *options).returncode == 0
    again = add("Ada", tmp_path, *options)
    assert again.returncode == 1
    assert again.stderr == "The username Ada is taken: choose another one.\n"


@pytest.mark.parametrize(
    ("name", "options", "stdin", "sentence"),
    [
        ("ada", ["--password-stdin"], "short", "The password is too short: use at least 12 characters."),
        ("ada", ["--password-stdin"], "", "The password is too short: use at least 12 characters."),
        ("a b", ["--password-stdin"], PASSWORD, "A username has 1 to 150 characters"),
        ("ada", ["--password-stdin", "--email", "ada"], PASSWORD, "The e-mail address is not valid"),
        ("ada", ["--password-stdin", "--database-url", "mysql://x"], PASSWORD, "The address of the database"),
        ("ada", [], PASSWORD, "There is no terminal to ask for the password on: use --password-stdin."),
    ],
)
def test_a_refusal_is_one_sentence(tmp_path: Path, name: str, options: list[str], stdin: str, sentence: str) -> None:
    ended = add(name, tmp_path / "data", *options, stdin=stdin)
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert ended.stderr.startswith(sentence)
    assert ended.stderr.count("\n") == 1


def type_on_a_terminal(data_dir: Path, *answers: str) -> tuple[int, str]:
    """Run the command on a terminal of its own and answer its questions; gives the exit code and the screen."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, "ada", "--data-dir", str(data_dir)],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        # Away from the terminal that the tests may have been started on.
        start_new_session=True,
    )
    os.close(theirs)
    screen = ""
    waiting = list(answers)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if not select.select([ours], [], [], 0.1)[0]:
            continue
        try:
            screen += os.read(ours, 4096).decode()
        except OSError:
            # The other end is closed.
            break
        # Each question ends like this; what follows it is not shown any more.
        if waiting and screen.endswith(": "):
            os.write(ours, waiting.pop(0).encode() + b"\n")
    os.close(ours)
    return process.wait(10), screen


def test_a_person_is_asked_twice_and_sees_no_password(tmp_path: Path) -> None:
    code, screen = type_on_a_terminal(tmp_path / "data", PASSWORD, PASSWORD)
    assert code == 0
    assert "The user ada can log in now." in screen
    assert "Password:" in screen
    assert "The same password again:" in screen
    assert PASSWORD not in screen


def test_two_different_passwords_make_no_user(tmp_path: Path) -> None:
    code, screen = type_on_a_terminal(tmp_path / "data", PASSWORD, PASSWORD + "!")
    assert code == 1
    assert "The two passwords are not the same" in screen
    assert add("ada", tmp_path / "data", "--password-stdin").returncode == 0
