"""What can be asked of an avatarization."""

from __future__ import annotations

from enum import Enum
from uuid import UUID

from pydantic import Field

from avatars.models.base import Request


class ImputeMethod(str, Enum):
    """How missing cells are filled in before the method runs."""

    knn = "knn"
    mode = "mode"
    median = "median"
    mean = "mean"
    fast_knn = "fast_knn"


class ImputationParameters(Request):
    """How missing cells are filled in; they are emptied again in the avatars."""

    method: ImputeMethod | None = None
    k: int | None = Field(default=None, ge=1)
    """Neighbours of the knn methods (5 by default)."""
    training_fraction: float | None = Field(default=None, gt=0, le=1)
    """Share of the rows that the knn methods learn from (1 by default)."""


class ExcludeVariablesMethod(str, Enum):
    """How columns that are left out of the method get their values back."""

    row_order = "row_order"
    """As they stood in the originals' rows. SENSITIVE: each avatar keeps the values of its own record."""
    coordinate_similarity = "coordinate_similarity"
    """From records that lie close to the avatar."""


ExcludeCategoricalMethod = ExcludeVariablesMethod
"""The name that clients up to 0.7 know it by."""


class RareCategoricalMethod(str, Enum):
    """What modalities that few rows share become before they are given back."""

    most_similar = "most_similar"
    """The modality of the most similar records."""
    probabilistic = "probabilistic"
    """A modality drawn by its frequency."""
    missing = "missing"
    """A missing cell."""


class ExcludeVariablesParameters(Request):
    """Columns that are left out of the method and given back afterwards."""

    variable_names: list[str]
    replacement_strategy: ExcludeVariablesMethod


class ExcludeCategoricalParameters(Request):
    """Leaves categorical columns with many modalities out of the method and gives them back afterwards."""

    exclude_cardinality_threshold: int = Field(ge=1)
    """Columns with at least this many modalities are left out."""
    exclude_replacement_strategy: ExcludeCategoricalMethod
    # Spelled with one "r": programs that are already written send it so.
    rare_occurence_threshold: int = Field(ge=0)
    """Modalities with at most this many rows are replaced first."""
    rare_replacement_strategy: RareCategoricalMethod | None = None
    """``most_similar`` by default."""
    number_reference_records: int | None = Field(default=None, ge=1)
    """Records that similarity is measured against, at most. It is raised until each combination of modalities that
    is to be replaced is among them."""


class AvatarizationMethod(str, Enum):
    """How avatars are drawn."""

    local = "local"
    """Our draw, which withstands attacks."""
    avatar = "avatar"
    """The published draw."""


class IdentifierTreatment(Enum):
    """What becomes of a column of which no value is shared by enough people."""

    refuse = "refuse"
    """The job fails, and says which column it is."""
    replace = "replace"
    """The column is filled with the numbers of the avatars."""


class AvatarizationParameters(Request):
    """The parameters of one avatarization."""

    k: int = Field(ge=2)
    """Neighbours that each avatar is drawn from."""
    dataset_id: UUID | None = None
    """The dataset to avatarize. Only a pipeline can do without: it sends the frame that it is given."""
    column_weights: dict[str, float] | None = None
    """Weight of each column in the neighbour search (1 by default)."""
    ncp: int | None = Field(default=None, ge=1)
    """Components of the projection that neighbours are searched in (5 by default)."""
    imputation: ImputationParameters | None = None
    seed: int | None = Field(default=None, ge=-(2**63), lt=2**64)
    """Makes a run reproducible; fresh entropy by default."""
    method: AvatarizationMethod | None = None
    """How avatars are drawn (the platform's setting by default)."""
    groups: list[list[str]] | None = None
    """Columns whose relation is to come out as it is, with the method ``local``."""
    identifiers: IdentifierTreatment | None = None
    """What becomes of columns that identify people, with the method ``local`` (``refuse`` by default)."""
    to_categorical_threshold: int | None = Field(default=None, ge=1)
    """Numeric columns with at most this many distinct values are treated as categories."""
    exclude_variables: ExcludeVariablesParameters | None = None
    """Columns to leave out of the method and give back afterwards."""
    exclude_categorical: ExcludeCategoricalParameters | None = None
    """Leave categorical columns with many modalities out of the method and give them back afterwards."""
    use_categorical_reduction: bool | None = None
    """Reduce categorical columns to few numeric dimensions before neighbours are searched (false by default)."""
    return_data_imputed: bool | None = None
    """Keep the filled-in cells in the avatars instead of emptying them again (false by default)."""
