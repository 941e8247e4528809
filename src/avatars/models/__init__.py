"""The wire models: what client and server say to each other."""

from avatars.models.auth import Login, LoginResponse
from avatars.models.datasets import (
    AnalysisStatus,
    ColumnDetail,
    ColumnType,
    Dataset,
    FileType,
    PatchDataset,
)
from avatars.models.jobs import (
    AvatarizationJob,
    AvatarizationJobCreate,
    AvatarizationParameters,
    AvatarizationResult,
    ImputationParameters,
    ImputeMethod,
    JobKind,
    JobProgress,
    JobStatus,
)
from avatars.models.metrics import (
    PrivacyMetrics,
    PrivacyMetricsTargets,
    SignalMetrics,
    SignalMetricsTargets,
)

__all__ = [
    "AnalysisStatus",
    "AvatarizationJob",
    "AvatarizationJobCreate",
    "AvatarizationParameters",
    "AvatarizationResult",
    "ColumnDetail",
    "ColumnType",
    "Dataset",
    "FileType",
    "ImputationParameters",
    "ImputeMethod",
    "JobKind",
    "JobProgress",
    "JobStatus",
    "Login",
    "LoginResponse",
    "PatchDataset",
    "PrivacyMetrics",
    "PrivacyMetricsTargets",
    "SignalMetrics",
    "SignalMetricsTargets",
]
