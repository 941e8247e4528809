"""Columns: what they are, the method's arrays for them, and the way back to a table.

`detect` says what each column is, `encode` gives numbers and codes, `decode` the table with the original
types, `Decoded` the same as it is read, `rounded` what its readers will see.
"""

from __future__ import annotations

from avatars.engine.decoding import Decoded, decode, rounded
from avatars.engine.detection import detect
from avatars.engine.encoding import Encoded, encode
from avatars.engine.kinds import Column, Kind

__all__ = ["Column", "Decoded", "Encoded", "Kind", "decode", "detect", "encode", "rounded"]
