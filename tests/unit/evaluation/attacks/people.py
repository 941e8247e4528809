"""People to attack: a table like a cohort, releases that everybody knows to be bad, and fresh people."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa

from avatars.evaluation.attacks.tables import Attacked, read_tables


def cohort(n: int, seed: int = 0) -> pd.DataFrame:
    """Nine columns that hang together; numbers with and without decimals, levels, missing cells."""
    random = np.random.default_rng([seed, 17])
    x, y = random.normal(size=(2, n))
    age = np.round(50 + 12 * x + 4 * random.normal(size=n))
    marker = np.round(np.exp(1 + 0.4 * y + 0.2 * random.normal(size=n)), 3)
    weight = np.round(70 + 9 * x - 5 * y + 5 * random.normal(size=n), 1)
    return pd.DataFrame(
        {
            "age": age,
            "weight": weight,
            "marker": np.where(random.random(n) < 0.1, np.nan, marker),
            "pressure": np.round(120 + 8 * x + 6 * random.normal(size=n)),
            "dose": np.round(200 + 30 * y + 20 * random.normal(size=n)),
            "sex": np.where(random.random(n) < 0.5, "f", "m"),
            "arm": random.choice(["a", "b", "c", "d"], n),
            "centre": random.choice(["Évry", "Lyon", "Brest", "Nice", "Metz"], n, p=[0.4, 0.3, 0.15, 0.1, 0.05]),
            "smoker": x + random.normal(size=n) > 0.8,
        }
    )


def parted(n: int, seed: int, parts: int) -> list[pd.DataFrame]:
    """Return as many samples of n people."""
    frame = cohort(n * parts, seed)
    return [frame.iloc[part * n : (part + 1) * n].reset_index(drop=True) for part in range(parts)]


def known_bad(kind: str, members: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Return a release that must not go out."""
    random = np.random.default_rng([seed, 23])
    made = members.sample(frac=1, random_state=seed).reset_index(drop=True)
    if kind == "redrawn cells":
        for name in made:
            redrawn = random.random(len(made)) < 0.3
            made.loc[redrawn, name] = random.choice(members[name].to_numpy(), int(redrawn.sum()))
    if kind == "noise":
        for name in made.select_dtypes("number"):
            made[name] += random.normal(size=len(made)) * 0.01 * made[name].std()
    return made


def tables(members: pd.DataFrame, others: pd.DataFrame, release: pd.DataFrame) -> Attacked:
    return read_tables(*(pa.Table.from_pandas(each, preserve_index=False) for each in (members, others, release)))
