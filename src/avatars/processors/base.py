"""What makes an object a processor; defined with the wire models, because a pipeline's request holds some."""

from __future__ import annotations

from avatars.models.pipelines import Processor

__all__ = ["Processor"]
