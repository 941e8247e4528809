"""The tables that are released and attacked: real patients where at hand, public ones, a made-up census."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import csv
from sklearn import datasets

AIDS = Path(os.environ.get("AVATARS_EVIDENCE_AIDS", Path(__file__).parents[2] / "shared" / "data" / "aids.csv"))
"""The ACTG 175 table, which is not part of the project."""


@dataclass(frozen=True)
class Cohort:
    """A table about people.

    Attributes
    ----------
    target
        The column that a model learnt from the release is to predict.
    to_categorical_threshold
        Numbers with at most this many values are levels.
    group
        Columns whose relation is declared, for one more way of making avatars; empty where there is none.
    """

    name: str
    table: pa.Table
    target: str
    to_categorical_threshold: int | None = None
    group: tuple[str, ...] = ()


def cohorts() -> list[Cohort]:
    """Return those that are there."""
    found = []
    if AIDS.exists():
        nothing = csv.ConvertOptions(null_values=["NA", ""], strings_can_be_null=True)
        table = csv.read_csv(AIDS, convert_options=nothing)
        found.append(Cohort("AIDS (ACTG 175)", table, "cens", 10, ("days", "cens", "arms")))
    cancer = datasets.load_breast_cancer(as_frame=True).frame.astype({"target": str})
    found.append(Cohort("breast cancer (Wisconsin)", _arrow(cancer), "target"))
    found.append(Cohort("diabetes (Efron et al.)", _arrow(datasets.load_diabetes(as_frame=True).frame), "target", 5))
    found.append(Cohort("a made-up census", census(4000), "income"))
    return found


def census(rows: int, seed: int = 0) -> pa.Table:
    """Return people whose cells hang together as in a census: heavy tails, spikes at 0, rare levels."""
    random = np.random.default_rng(seed)
    age = np.clip(random.gamma(6, 7.5, rows), 17, 95).astype(int)
    schooling = np.clip(random.normal(10 + 0.02 * (60 - age), 2.6), 1, 16).astype(int)
    sex = random.choice(["female", "male"], rows)
    married = random.random(rows) < 1 / (1 + np.exp(-(age - 30) / 8))
    status = np.where(married, "married", np.where((age > 60) & (random.random(rows) < 0.5), "widowed", "single"))
    sector = np.array(["private", "public", "self-employed", "none", "armed forces"])[
        np.minimum(random.geometric(np.clip(0.62 - 0.01 * schooling, 0.3, 0.9)), 5) - 1
    ]
    hours = np.where(sector == "none", 0, np.clip(np.round(random.normal(40, 9, rows)), 5, 90)).astype(int)
    # Most have none; those who have, have much.
    gains = np.where(random.random(rows) < 0.92, 0, np.round(np.exp(random.normal(8, 1.1, rows)), -1)).astype(int)
    score = 0.35 * (schooling - 10) + 0.05 * (hours - 40) + 0.9 * married + 0.03 * (age - 40) + (gains > 5000) * 2 - 1
    income = np.where(random.random(rows) < 1 / (1 + np.exp(-score)), "high", "low")
    country = random.choice([f"country {i:02d}" for i in range(40)], rows, p=_tail(40))
    columns = (age, schooling, sex, status, sector, hours, gains, country, income)
    names = ("age", "schooling", "sex", "status", "sector", "hours", "gains", "country", "income")
    return pa.table(dict(zip(names, (pa.array(column) for column in columns), strict=True)))


def _tail(levels: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    weights = np.append(90.0, 10 / np.arange(1, levels) ** 1.2)
    shares: np.ndarray[tuple[int], np.dtype[np.float64]] = weights / weights.sum()
    return shares


def _arrow(frame: object) -> pa.Table:
    return pa.Table.from_pandas(frame, preserve_index=False)
