"""The effect of a trial's arms on survival: what a clinician would read off the release."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa

from avatars.engine.features import Floats
from evidence.cohorts import Cohort
from evidence.releases import Make


def bias(cohort: Cohort, make: Make, seeds: int) -> Floats:
    """Return by how much log hazard ratios of the arms are off, by seed and arm, in avatars of the whole table."""
    truth = log_hazard_ratios(cohort.table, *cohort.group)
    return np.array([log_hazard_ratios(make(cohort.table, seed), *cohort.group) - truth for seed in range(seeds)])


def log_hazard_ratios(table: pa.Table, time: str, event: str, arm: str) -> Floats:
    """Return the log hazard ratio of each arm against the first (Cox, JRSS B 34:187, 1972; ties as Breslow's)."""
    frame: pd.DataFrame = table.select([time, event, arm]).to_pandas().dropna()
    order = np.argsort(-frame[time].to_numpy(float), kind="stable")
    frame = frame.iloc[order]
    arms = sorted(frame[arm].unique())[1:]
    member = np.column_stack([(frame[arm] == each).to_numpy(float) for each in arms])
    died, times = frame[event].to_numpy(float) > 0, frame[time].to_numpy(float)
    # Those at risk at a time are all rows up to the last of that time.
    last = np.searchsorted(-times, -times, side="right") - 1
    effect = np.zeros(len(arms))
    for _ in range(50):
        risk = np.exp(member @ effect)
        at_risk = np.cumsum(risk)[last[died]]
        share = np.cumsum(risk[:, None] * member, axis=0)[last[died]] / at_risk[:, None]
        gradient = (member[died] - share).sum(axis=0)
        # Arms exclude each other: the second moment is diagonal.
        information = np.diag(share.sum(axis=0)) - share.T @ share
        step = np.linalg.solve(information, gradient)
        effect += step
        if np.abs(step).max() < 1e-9:
            break
    return effect
