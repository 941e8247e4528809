"""Typst, shut in: it sees the files that it is given and no folder, and has the fonts that it and matplotlib bring."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from tempfile import TemporaryDirectory
from typing import Any, cast

import matplotlib as mpl
import typst


def set_with_typst(files: Mapping[str, bytes], **options: Any) -> bytes:
    """Return what the file ``main.typ`` sets, as PDF unless another ``format`` is asked for."""
    with TemporaryDirectory(prefix="avatars-") as nothing:
        written = typst.compile(dict(files), root=nothing, font_paths=_fonts(), ignore_system_fonts=True, **options)
    # It returns nothing only where it is told to write a file.
    return cast(bytes, written)


@functools.cache
def _fonts() -> typst.Fonts:
    return typst.Fonts(include_system_fonts=False, font_paths=[f"{mpl.get_data_path()}/fonts/ttf"])
