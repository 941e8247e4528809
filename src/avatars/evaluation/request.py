"""What is asked of an evaluation, and what can be said against it before work starts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from avatars.engine.columns import Column
from avatars.engine.errors import InvalidParameter, unknown_column


@dataclass(frozen=True)
class Request:
    """What is asked beyond the two tables.

    Attributes
    ----------
    known_variables
        Columns that the attacker knows of everyone; empty where nobody said so.
    target
        The column that the attacker wants to know, and that a model is to predict.
    closest_rate_percentage_threshold, closest_rate_ratio_threshold
        See ``privacy/closeness.py``.
    categorical_hidden_rate_variables
        Categorical columns by which avatars are linked; all of them where empty.
    shuffled
        Whether row i of the avatars does NOT belong to record i.
    thorough
        Whether utility metrics that cost more than the rest are wanted too.
    privacy, utility
        Whether metrics of this family are wanted.
    """

    known_variables: Sequence[str] = ()
    target: str | None = None
    closest_rate_percentage_threshold: float = 0.3
    closest_rate_ratio_threshold: float = 0.3
    categorical_hidden_rate_variables: Sequence[str] = ()
    shuffled: bool = False
    thorough: bool = False
    privacy: bool = True
    utility: bool = True

    def check(self, columns: Sequence[Column]) -> None:
        """Refuse what the columns cannot serve; raises ``InvalidParameter``."""
        names = [column.name for column in columns]
        categorical = [column.name for column in columns if not column.is_numeric]
        for what in ("known_variables", "categorical_hidden_rate_variables"):
            given = getattr(self, what)
            if isinstance(given, str):
                raise InvalidParameter(f"{what} must be a list of columns.", code="invalid_parameter")
            for name in given:
                if name not in names:
                    raise unknown_column(name, names, where=f"{what}: ")
        for name in self.categorical_hidden_rate_variables:
            if name not in categorical:
                raise InvalidParameter(
                    f"categorical_hidden_rate_variables: column {name!r} is numbers: leave it out, or declare it a "
                    "category.",
                    code="not_categorical",
                    column=name,
                )
        if self.target is not None and self.target not in names:
            raise unknown_column(self.target, names, where="target: ")
        if self.target in self.known_variables:
            raise InvalidParameter(
                f"Column {self.target!r} is the target and among the known variables: what is known need not be "
                "inferred.",
                code="target_is_known",
                column=self.target,
            )
        for what, most in (("closest_rate_percentage_threshold", 100), ("closest_rate_ratio_threshold", 1)):
            value = getattr(self, what)
            if not (isinstance(value, int | float) and math.isfinite(value) and 0 <= value <= most):
                raise InvalidParameter(f"{what} must be a number from 0 to {most}.", code="invalid_threshold")
