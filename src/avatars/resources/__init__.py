"""What an `ApiClient` offers: one resource for each noun of the platform."""

from avatars.resources.assessments import Assessments
from avatars.resources.auth import Auth
from avatars.resources.compatibility import Compatibility
from avatars.resources.datasets import Datasets
from avatars.resources.health import Health
from avatars.resources.jobs import AvatarizationJob, Jobs, PrivacyMetricsJob, SignalMetricsJob
from avatars.resources.metrics import Metrics
from avatars.resources.reports import Reports
from avatars.resources.stats import Stats
from avatars.resources.users import Users

__all__ = [
    "Assessments",
    "Auth",
    "AvatarizationJob",
    "Compatibility",
    "Datasets",
    "Health",
    "Jobs",
    "Metrics",
    "PrivacyMetricsJob",
    "Reports",
    "SignalMetricsJob",
    "Stats",
    "Users",
]
