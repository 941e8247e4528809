"""What people look at: figures of originals and avatars."""

from avatars.report.figures import projection_figure

__all__ = ["projection_figure"]
