"""All metrics by name: what each speaks to, what it is usually asked to reach, what the attacker is assumed to hold.

``docs/metrics.md`` has the formulas. Targets are conventions, not borders between safe and unsafe.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Criterion = Literal["singling out", "linkability", "inference", "utility"]
"""The first three are those of Opinion 05/2014 of the Article 29 Working Party."""


@dataclass(frozen=True)
class Definition:
    """What is true of a metric whatever the tables.

    Attributes
    ----------
    criterion
        What it speaks to.
    target
        Such as "> 90"; None where only a baseline can say what is good.
    attacker
        What the attacker is assumed to hold and to do; None for utility.
    needs_link
        Whether it takes avatars whose row i belongs to record i.
    """

    criterion: Criterion
    target: str | None = None
    attacker: str | None = None
    needs_link: bool = False


PRIVACY = {
    "hidden_rate": Definition(
        "linkability",
        "> 90",
        "holds the original records and the avatars, and takes the nearest avatar for a record's own",
        needs_link=True,
    ),
    "local_cloaking": Definition(
        "linkability",
        "> 5",
        "holds the original records and the avatars, and looks for a record's own avatar from the nearest one on",
        needs_link=True,
    ),
    "distance_to_closest": Definition(
        "singling out", "> 0.2", "holds the avatars, and takes one for the record of a real person"
    ),
    "closest_distances_ratio": Definition(
        "singling out", "> 0.3", "holds the avatars, and takes one that stands alone beside a record for that record"
    ),
    "closest_rate": Definition(
        "singling out", "> 90", "holds the avatars, and knows which of them stand very close to one record alone"
    ),
    "column_direct_match_protection": Definition(
        "linkability",
        "> 50",
        "holds one column of the original records and the avatars, and links by equal values",
        needs_link=True,
    ),
    "row_direct_match_protection": Definition(
        "singling out", "> 90", "holds the avatars, and takes each one for the record of a real person as it is"
    ),
    "categorical_hidden_rate": Definition(
        "linkability",
        "> 90",
        "holds the categorical columns of the original records and the avatars, and links by equal combinations",
        needs_link=True,
    ),
    "correlation_protection_rate": Definition(
        "linkability",
        "> 95",
        "holds the known variables of the original records and the avatars, and links where one avatar alone fits",
        needs_link=True,
    ),
    "inference_continuous": Definition(
        "inference",
        "> 10",
        "holds the known variables of everyone and the avatars, and reads the target off the nearest avatar",
    ),
    "inference_categorical": Definition(
        "inference",
        "> 10",
        "holds the known variables of everyone and the avatars, and reads the target off the nearest avatar",
    ),
}
UTILITY = {
    "hellinger_mean": Definition("utility", "< 0.1"),
    "hellinger_std": Definition("utility"),
    "correlation_difference_ratio": Definition("utility", "< 10"),
    "univariate_accuracy": Definition("utility"),
    "bivariate_accuracy": Definition("utility"),
    "trivariate_accuracy": Definition("utility"),
    "association_difference": Definition("utility"),
    "discriminator_auc": Definition("utility"),
    "prediction_score": Definition("utility"),
}
DEFINITIONS = PRIVACY | UTILITY
