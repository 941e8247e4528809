"""``avatars schema`` as a person types it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

import avatars as library
from avatars.cli import app

IRIS = Path(__file__).parents[3] / "fixtures" / "iris.csv"


def schema(*words: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["schema", *map(str, words)])
    return result.exit_code, result.stdout, result.stderr


def rows(table: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("│").split("│")] for line in table.splitlines() if line[0] == "│"]


def people(path: Path, n: int) -> Path:
    df = pd.DataFrame(
        {"name": [f"Jean Dupont {i}" for i in range(n)], "centre": ["Lyon", "Nantes"] * (n // 2), "age": range(n)}
    )
    df.to_csv(path, index=False)
    return path


def test_the_table_is_the_librarys() -> None:
    code, said, notes = schema(IRIS, "--type", "variety=category", "--to-categorical-threshold", 25)
    assert code == 0
    assert notes == ""
    expected = library.schema(pd.read_csv(IRIS), types={"variety": "category"}, to_categorical_threshold=25)
    assert rows(said) == expected.astype(object).where(expected.notna(), "").astype(str).to_numpy().tolist()
    assert [row[0] for row in rows(said) if row[2] == "at most 25 distinct values"] == ["sepal.width", "petal.width"]


def test_what_differs_in_every_row_is_pointed_out_without_a_cell(tmp_path: Path) -> None:
    code, said, notes = schema(people(tmp_path / "people.csv", 22))
    assert code == 0
    assert notes == (
        "Note: column 'name' has a different text in every row: remove it if it tells who somebody is.\n"
        "Note: column 'age' has a different whole number in every row: remove it if it tells who somebody is.\n"
    )
    assert "Dupont" not in said
    assert [row[4] for row in rows(said)] == ["22", "2", ""]


def test_identifiers_are_found_in_categorical_parquet_too(tmp_path: Path) -> None:
    df = pd.read_csv(people(tmp_path / "people.csv", 22)).astype({"name": "category"})
    df.to_parquet(tmp_path / "people.parquet")
    assert "'name'" in schema(tmp_path / "people.parquet")[2]


def test_few_rows_or_one_repetition_are_no_identifier(tmp_path: Path) -> None:
    path = people(tmp_path / "people.csv", 20)
    assert schema(path)[2] == ""
    lines = people(path, 40).read_text().splitlines(keepends=True)
    path.write_text("".join([*lines, lines[-1]]))
    assert schema(path)[2] == ""


def test_nothing_is_wrapped_or_cut_where_there_is_no_terminal(tmp_path: Path) -> None:
    label = "how often did you see a doctor " * 5 + "?"
    path = tmp_path / "long.csv"
    pd.DataFrame({label: [1, 2, 3], "[red]x[/red]": [1, 2, 3]}).to_csv(path, index=False)
    done = subprocess.run(
        [sys.executable, "-m", "avatars", "schema", str(path)], capture_output=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stderr
    assert rows(done.stdout) == [
        [label, "int", "integers", "0", ""],
        ["[red]x[/red]", "int", "integers", "0", ""],
    ]


def test_control_characters_of_a_name_do_not_reach_the_terminal(tmp_path: Path) -> None:
    path = tmp_path / "odd.parquet"
    pd.DataFrame({"a\x1b[2Jb": [1, 2, 3], "two\nlines": [1, 2, 3]}).to_parquet(path)
    said = schema(path)[1]
    assert "\x1b[2J" not in said
    assert [row[0] for row in rows(said)] == [r"'a\x1b[2Jb'", r"'two\nlines'"]


def test_encoding_of_a_csv(tmp_path: Path) -> None:
    path = tmp_path / "latin.csv"
    path.write_bytes("âge,sexe\n1,é\n2,à\n".encode("latin-1"))
    assert schema(path)[0] == 1
    code, said, _ = schema(path, "--encoding", "latin-1")
    assert code == 0
    assert [row[0] for row in rows(said)] == ["âge", "sexe"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([IRIS, "--type", "variaty=category"], "did you mean 'variety'"),
        ([IRIS, "--type", "variety=text"], "one of int, float"),
        ([IRIS, "--type", "variety=float"], "'variety'"),
        ([IRIS, "--type", "variety"], "--type takes COLUMN=VALUE"),
        ([IRIS, "--encoding", "nonsense"], "encoding 'nonsense'"),
        ([IRIS.with_name("none.csv")], "No such file"),
        ([IRIS.parent], str(IRIS.parent)),
    ],
)
def test_refusals_are_one_sentence(words: list[object], says: str) -> None:
    code, said, error = schema(*words)
    assert code == 1
    assert said == ""
    assert says in error
    assert len(error.strip().splitlines()) == 1


def test_without_the_engine_it_says_what_to_install() -> None:
    code = f"import sys; sys.modules['numpy'] = None\nfrom avatars.cli import app\napp(['schema', {str(IRIS)!r}])"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ended.returncode == 1
    assert 'pip install "open-avatars[engine]"' in ended.stderr
    assert "Traceback" not in ended.stderr
