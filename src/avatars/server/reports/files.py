"""Where a report is kept: all its forms in one folder, under an id that an attempt has for itself."""

from __future__ import annotations

import json
from collections.abc import Mapping, Set
from typing import Any
from uuid import UUID

from avatars.models import ReportFormat
from avatars.server.storage import Storage

_REPORTS = "reports"

Figures = dict[str, dict[str, Any]]
"""By name: ``title``, ``description``, ``svg``, ``width`` in inches, and ``data``."""


def write(storage: Storage, files_id: UUID, forms: Mapping[ReportFormat, bytes], figures: Figures) -> None:
    """Keep a report's forms and figures."""
    for format, content in forms.items():
        storage.write_bytes(_key(files_id, f"report.{format.value}"), content)
    storage.write_bytes(_key(files_id, "figures.json"), json.dumps(figures).encode())


def read(storage: Storage, files_id: UUID, format: ReportFormat) -> bytes:
    """Read one form; raises ``FileNotFoundError``."""
    return storage.read_bytes(_key(files_id, f"report.{format.value}"))


def read_figures(storage: Storage, files_id: UUID) -> Figures:
    """Read the figures; raises ``FileNotFoundError``."""
    figures: Figures = json.loads(storage.read_bytes(_key(files_id, "figures.json")))
    return figures


def folder_key(files_id: UUID) -> str:
    """Where all files of a report are."""
    return f"{_REPORTS}/{files_id}"


def sweep(storage: Storage, known: Set[UUID]) -> None:
    """Delete what belongs to no known report; only when nobody writes any."""
    names = {str(files_id) for files_id in known}
    for name in storage.list(_REPORTS):
        if name not in names:
            storage.delete(f"{_REPORTS}/{name}")


def _key(files_id: UUID, name: str) -> str:
    return f"{folder_key(files_id)}/{name}"
