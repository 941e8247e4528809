"""``avatars run`` as a person types it."""

from __future__ import annotations

import subprocess
import sys
import warnings
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from avatars.cli import app

IRIS = Path(__file__).parents[3] / "fixtures" / "iris.csv"


def avatars(*words: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["run", *map(str, words)])
    return result.exit_code, result.output


def test_a_csv_becomes_avatars_and_the_metrics_are_printed(tmp_path: Path) -> None:
    out = tmp_path / "avatars.csv"
    code, said = avatars(IRIS, "-k", 20, "--seed", 1, "--method", "avatar", "-o", out)
    assert code == 0, said
    assert "hidden_rate" in said
    assert "> 90" in said
    before, after = pd.read_csv(IRIS), pd.read_csv(out)
    assert list(after.columns) == list(before.columns)
    assert (after.dtypes == before.dtypes).all()
    assert len(after) == 150


def test_the_seed_reproduces_the_file(tmp_path: Path) -> None:
    for name in ("one.csv", "two.csv"):
        assert avatars(IRIS, "-k", 10, "--seed", 3, "-o", tmp_path / name)[0] == 0
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()


def test_parquet_in_and_out_by_extension(tmp_path: Path) -> None:
    assert avatars(IRIS, "-k", 10, "--seed", 3, "-o", tmp_path / "a.parquet")[0] == 0
    assert avatars(tmp_path / "a.parquet", "-k", 15, "--seed", 3, "-o", tmp_path / "b.parquet")[0] == 0
    assert pq.read_schema(tmp_path / "b.parquet").names == list(pd.read_csv(IRIS).columns)


def test_the_command_gives_what_the_library_gives(tmp_path: Path) -> None:
    import avatars as library

    assert avatars(IRIS, "-k", 10, "--seed", 3, "--weight", "variety=2", "-o", tmp_path / "a.csv")[0] == 0
    expected = library.anonymize(pd.read_csv(IRIS), k=10, seed=3, column_weights={"variety": 2}).avatars
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "a.csv"), expected)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["-k", "1"], "2 or more"),
        (["-k", "150"], "at most 149"),
        (["-k", "15", "--weight", "variaty=2"], "did you mean 'variety'"),
        (["-k", "15", "--weight", "variety=heavy"], "must be a number"),
        (["-k", "15", "--weight", "variety"], "COLUMN=VALUE"),
        (["-k", "15", "--type", "variety=text"], "one of int, float"),
        (["-k", "15", "--method", "magic"], "avatar"),
        (["-k", "15", "--imputation", "magic"], "fast_knn"),
    ],
)
def test_refusals_are_one_sentence_and_leave_nothing(tmp_path: Path, words: list[str], says: str) -> None:
    code, said = avatars(IRIS, *words, "-o", tmp_path / "out.csv")
    assert code == 1
    assert says in said
    assert len(said.strip().splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_files_that_are_not_there_or_would_be_lost(tmp_path: Path) -> None:
    copy = tmp_path / "iris.csv"
    copy.write_bytes(IRIS.read_bytes())
    assert "overwrite the originals" in avatars(copy, "-k", 15, "-o", copy)[1]
    assert copy.read_bytes() == IRIS.read_bytes()
    assert "No such file" in avatars(tmp_path / "none.csv", "-k", 15, "-o", tmp_path / "o.csv")[1]
    assert "does not exist" in avatars(copy, "-k", 15, "-o", tmp_path / "none" / "o.csv")[1]
    assert avatars(tmp_path, "-k", 15, "-o", tmp_path / "o.csv")[0] == 1
    assert ".csv or .parquet" in avatars(copy, "-k", 15, "-o", tmp_path / "o.xlsx")[1]


def test_the_command_is_installed() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "avatars", "run", "--help"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert "sensitive table" in done.stdout


def test_columns_can_be_left_alone(tmp_path: Path) -> None:
    out = tmp_path / "a.csv"
    before = pd.read_csv(IRIS)
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        code, said = avatars(
            IRIS, "-k", 10, "--seed", 3, "-o", out, "--exclude", "petal.width", "--exclude-strategy", "row_order"
        )
    assert code == 0, said
    assert "row_order publishes the original values of 'petal.width'" in " ".join(said.split())
    assert sorted(pd.read_csv(out)["petal.width"]) == sorted(before["petal.width"])
    code, said = avatars(
        IRIS, "-k", 10, "--seed", 3, "-o", out, "--exclude-from-levels", 3, "--rare-threshold", 1,
        "--rare-strategy", "probabilistic", "--reference-records", 9, "--categorical-reduction", "--keep-imputed",
    )  # fmt: skip
    assert code == 0, said
    assert sorted(pd.read_csv(out)["variety"]) == sorted(before["variety"])
    code, said = avatars(IRIS, "-k", 10, "-o", out, "--rare-threshold", 1)
    assert code == 1
    assert "add --exclude-from-levels" in said


def test_a_report_is_written_beside_the_avatars(tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    code, said = avatars(IRIS, "--seed", 1, "-o", tmp_path / "a.csv", "--report", page, "--language", "fr")
    assert code == 0, said
    assert '<html lang="fr"' in page.read_text(encoding="utf-8")


@pytest.mark.parametrize(("name", "language"), [("report.docx", "en"), ("report.pdf", "de")])
def test_a_report_that_cannot_be_is_refused_before_work_starts(tmp_path: Path, name: str, language: str) -> None:
    words = ("-o", tmp_path / "a.csv", "--report", tmp_path / name, "--language", language)
    code, said = avatars(IRIS, *words)
    assert code != 0, said
    assert list(tmp_path.iterdir()) == []


def test_k_is_a_number_or_auto(tmp_path: Path) -> None:
    code, said = avatars(IRIS, "-o", tmp_path / "avatars.csv", "-k", "many")
    assert code != 0
    assert "k is a whole number of neighbours, or auto, not 'many'" in " ".join(said.split())
    code, said = avatars(IRIS, "-o", tmp_path / "avatars.csv", "-k", "auto", "--assess", "none", "--seed", 1)
    assert code == 0, said
    # Iris has too few people for any to pass: that is said, and the usual k is taken.
    assert "k is 30, as without a choice" in " ".join(said.split())
