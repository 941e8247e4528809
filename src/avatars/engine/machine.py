"""What this machine has: memory and disk, and sizes as people write them."""

from __future__ import annotations

import os
import re
import shutil
from contextlib import suppress
from pathlib import Path

from avatars.engine.errors import InvalidParameter

_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
_CGROUP = Path("/sys/fs/cgroup")
_LIMITS = (
    (_CGROUP / "memory.max", _CGROUP / "memory.current", _CGROUP / "memory.stat"),
    (
        _CGROUP / "memory/memory.limit_in_bytes",
        _CGROUP / "memory/memory.usage_in_bytes",
        _CGROUP / "memory/memory.stat",
    ),
)


def available_memory() -> int | None:
    """Return the bytes of memory that this process can still take, in a container too; None where nobody knows."""
    known = [left for limit in _LIMITS if (left := _left_in_container(*limit)) is not None]
    with suppress(OSError, AttributeError):
        found = re.search(r"MemAvailable:\s+(\d+) kB", Path("/proc/meminfo").read_text())
        known.append(int(found[1]) * 1024 if found else _all_memory())
    if not known:
        with suppress(OSError, ValueError, AttributeError):
            known.append(_all_memory())
    return min(known, default=None)


def free_disk(folder: Path) -> int:
    """Return the bytes that this process may still write in a folder."""
    return shutil.disk_usage(folder).free


def read_size(text: str) -> int:
    """Read a number of bytes such as ``4GB``, ``500 MB`` or ``1.5GiB``; raises ``InvalidParameter``."""
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]?)(i?)b?\s*", text, re.IGNORECASE)
    size = 0.0
    if found:
        number, unit, binary = found.groups()
        exponent = list(_UNITS).index(unit.lower())
        size = float(number) * (1024**exponent if binary else _UNITS[unit.lower()])
    if not 1 <= size < 2**63:
        raise InvalidParameter("A size is a number of bytes with a unit, such as 4GB or 500MB.", code="invalid_size")
    return int(size)


def in_words(size: float) -> str:
    """Write a number of bytes for people: two digits and a unit."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 999.5:
            return f"{size:.1f} {unit}" if size < 9.95 and unit != "bytes" else f"{size:.0f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def _left_in_container(limit: Path, used: Path, stat: Path) -> int | None:
    """Return what a container's limit leaves; files in its cache count as used, but can be given back."""
    with suppress(OSError, ValueError):
        cached = re.search(r"^inactive_file (\d+)$", stat.read_text(), re.MULTILINE)
        return int(limit.read_text()) - int(used.read_text()) + (int(cached[1]) if cached else 0)
    return None


def _all_memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
