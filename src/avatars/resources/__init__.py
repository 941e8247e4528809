"""What an `ApiClient` offers: one resource for each noun of the platform."""

from avatars.resources.auth import Auth
from avatars.resources.datasets import Datasets
from avatars.resources.health import Health
from avatars.resources.jobs import AvatarizationJob, Jobs

__all__ = ["Auth", "AvatarizationJob", "Datasets", "Health", "Jobs"]
