"""What people look at: reports about originals and avatars, and their figures."""

from avatars.report.figures import projection_figure
from avatars.report.report import About, Report, describe, format_of

__all__ = ["About", "Report", "describe", "format_of", "projection_figure"]
