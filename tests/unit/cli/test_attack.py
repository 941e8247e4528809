"""``avatars attack`` and ``avatars run --assess`` as a person types them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pandas as pd
import pytest
from tests.unit.evaluation.attacks.people import cohort, parted
from typer.testing import CliRunner

from avatars.cli import app


def avatars(*words: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, list(map(str, words)))
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("attack")
    for name, people in zip(("members", "others", "fresh"), parted(250, 1, 3), strict=True):
        people.to_csv(folder / f"{name}.csv", index=False)
    pd.concat([pd.read_csv(folder / f"{name}.csv") for name in ("others", "members")]).to_csv(
        folder / "both.csv", index=False
    )
    return folder


def test_a_release_is_attacked_and_judged(folder: Path) -> None:
    members, others = folder / "members.csv", folder / "others.csv"
    code, said, _ = avatars("attack", members, members, "--holdout", others)
    assert code == 0
    assert "nearest_auc" in said
    assert "BLOCK: 250 synthetic rows made of 250 people were attacked" in said
    code, said, _ = avatars("attack", members, members, "--holdout", others, "--linked", "--json")
    assert code == 0
    found = {figure["name"]: figure["value"] for figure in json.loads(said)["figures"]}
    assert found["linkage_nearest"] == found["copies"] == 1


def test_what_cannot_be_attacked_is_refused_in_a_sentence(folder: Path) -> None:
    members, fresh = folder / "members.csv", folder / "fresh.csv"
    code, _, said = avatars("attack", members, fresh, "--holdout", folder / "both.csv")
    assert code == 1
    assert "250 of the 500 held-out people are among the members" in said
    code, _, said = avatars("attack", members, fresh, "--holdout", folder / "others.csv", "--thoroughness", "careful")
    assert code == 1
    assert "must be one of quick, thorough" in said
    assert avatars("attack", members, fresh)[0] == 2


def test_a_run_says_its_verdict_or_none(tmp_path: Path) -> None:
    cohort(250).to_csv(tmp_path / "people.csv", index=False)
    run = ("run", tmp_path / "people.csv", "-o", tmp_path / "a.csv", "--seed", 1)
    code, said, _ = avatars(*run)
    assert code == 0
    assert re.search(r"^(REVIEW|BLOCK): avatars of 125", said, re.MULTILINE)
    code, said, _ = avatars(*run, "--assess", "none")
    assert code == 0
    assert "nearest_auc" not in said
    code, _, said = avatars(*run, "--assess", "careful")
    assert code == 1
    assert "must be one of quick, thorough" in said
