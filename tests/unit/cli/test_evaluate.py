"""``avatars evaluate`` as a person types it."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

import avatars as library
from avatars.cli import app

IRIS = Path(__file__).parents[3] / "fixtures" / "iris.csv"


def evaluate(*words: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["evaluate", *map(str, words)])
    return result.exit_code, result.stdout, result.stderr


def values(said: str) -> dict[str, str]:
    rows = [[cell.strip() for cell in line.strip("│").split("│")] for line in said.splitlines() if line[0] == "│"]
    return {row[0]: row[1] for row in rows}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("avatars")
    result = library.anonymize(pd.read_csv(IRIS), k=20, seed=1)
    result.sensitive_unshuffled_avatars.to_csv(folder / "unshuffled.csv", index=False)
    # The other way round: of so few rows, a random order is now and then about as like the originals' as their own.
    result.sensitive_unshuffled_avatars[::-1].to_csv(folder / "shuffled.csv", index=False)
    return folder


def test_the_metrics_are_the_librarys(made: Path) -> None:
    words = ("--known", "variety", "--known", "sepal.length", "--target", "petal.width")
    code, said, notes = evaluate(IRIS, made / "unshuffled.csv", *words)
    assert code == 0, said
    assert notes == ""
    frames = pd.read_csv(IRIS), pd.read_csv(made / "unshuffled.csv")
    expected = library.evaluate(*frames, known_variables=["variety", "sepal.length"], target="petal.width")
    assert values(said) == {
        metric.name: f"{metric.value:.3f}" for metric in expected.metrics if metric.value is not None
    }
    assert "Not computed: inference_categorical: the target 'petal.width' is numbers." in said
    assert "the avatars' median" in said


def test_published_avatars_are_said_to_be_shuffled_or_are_noticed(made: Path) -> None:
    _, said, notes = evaluate(IRIS, made / "shuffled.csv", "--no-thorough")
    assert notes.startswith("Note: Row i of the avatars is no more like record i")
    assert "hidden_rate" in values(said)
    _, said, notes = evaluate(IRIS, made / "shuffled.csv", "--shuffled", "--no-thorough")
    assert notes == ""
    assert "hidden_rate" not in values(said)
    assert "Not computed: hidden_rate, local_cloaking" in said
    assert "bivariate_accuracy" not in values(said)


def test_held_out_people_stand_beside(made: Path, tmp_path: Path) -> None:
    iris = pd.read_csv(IRIS)
    iris[::2].to_csv(tmp_path / "in.csv", index=False)
    iris[1::2].to_csv(tmp_path / "out.csv", index=False)
    unshuffled = pd.read_csv(made / "unshuffled.csv")[::2]
    unshuffled.to_csv(tmp_path / "avatars.csv", index=False)
    code, said, _ = evaluate(tmp_path / "in.csv", tmp_path / "avatars.csv", "--holdout", tmp_path / "out.csv")
    assert code == 0, said
    assert "held-out people (75 rows)" in said


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--known", "variaty"], "did you mean 'variety'"),
        (["--target", "x"], "no column 'x'"),
        (["--link-by", "sepal.length"], "'sepal.length' is numbers"),
        (["--closest-ratio", "2"], "from 0 to 1"),
        (["--holdout", "none.csv"], "none.csv"),
    ],
)
def test_refusals_are_one_sentence(made: Path, words: list[str], says: str) -> None:
    code, said, notes = evaluate(IRIS, made / "unshuffled.csv", *words)
    assert code == 1
    assert said == ""
    assert says in notes
    assert len(notes.strip().splitlines()) == 1


def test_tables_that_do_not_fit(made: Path, tmp_path: Path) -> None:
    pd.read_csv(made / "unshuffled.csv").drop(columns="variety").to_csv(tmp_path / "less.csv", index=False)
    assert "lack the column 'variety'" in evaluate(IRIS, tmp_path / "less.csv")[2]
    pd.read_csv(made / "unshuffled.csv")[:-1].to_csv(tmp_path / "fewer.csv", index=False)
    assert "150 rows and the avatars 149" in evaluate(IRIS, tmp_path / "fewer.csv")[2]


def test_a_report_about_avatars_from_anywhere(made: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    code, said, _ = evaluate(IRIS, made / "shuffled.csv", "--shuffled", "--no-thorough", "--report", report)
    assert code == 0, said
    assert json.loads(report.read_text(encoding="utf-8"))["settings"] is None
    code, _, notes = evaluate(IRIS, made / "shuffled.csv", "--report", made / "shuffled.csv")
    assert code != 0
    assert "would overwrite" in notes
