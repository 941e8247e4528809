"""Dates and times as text: reading them, remembering how they were written, writing them the same way."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

ISO, DAY_FIRST, MONTH_FIRST = "%Y-%m-%d", "%d/%m/%Y", "%m/%d/%Y"
DATE_ORDERS = (ISO, "%Y/%m/%d", DAY_FIRST, MONTH_FIRST, "%d.%m.%Y", "%d-%m-%Y")
"""The dates that can be read: always two digits for day and month, four for the year."""

_CLOCK = re.compile(
    r"(?P<separator>[ T])\d{2}:\d{2}(?P<seconds>:\d{2}(?:\.(?P<fraction>\d{1,9}))?)?"
    r"(?P<zone>Z|[+-]\d{2}(?::?\d{2})?)?"
)
_HEAD = 1000
_DIGITS = {"s": 0, "ms": 3, "us": 6, "ns": 9}


@dataclass(frozen=True)
class DatetimeFormat:
    """How a column's dates and times are written.

    Attributes
    ----------
    date
        Order of the date, one of `DATE_ORDERS`.
    separator
        What stands between date and time, a space or T; empty when there are only dates.
    seconds
        Whether seconds are written.
    digits
        Decimals of the seconds.
    zone
        How the offset from UTC is written: empty (no time zone), Z, +00, +0000 or +00:00.
    """

    date: str = ISO
    separator: str = ""
    seconds: bool = True
    digits: int = 0
    zone: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The format as JSON values."""
        return asdict(self)


def read_datetimes(strings: pa.ChunkedArray, order: str = ISO) -> tuple[pa.ChunkedArray, DatetimeFormat] | None:
    """The text as dates (date32) or timestamps, and how it is written; None unless every value reads.

    The unit is the coarsest of s, ms, us, ns that keeps every digit. With offsets from UTC that are all the
    same the type has this offset as its zone ("UTC" for zero); with offsets that differ it is UTC.
    """
    lengths = pc.utf8_length(strings)
    longest = strings[pc.index(lengths, pc.max(lengths)).as_py()].as_py()
    date_length = 10
    if longest is None or not re.fullmatch(_date_pattern(order), longest[:date_length]):
        return None
    if order != ISO:
        strings = _to_iso(strings, order)
        if strings is None:
            return None
    if len(longest) == date_length:
        dates = _cast(strings, pa.date32())
        return None if dates is None else (dates, DatetimeFormat(order))

    clock = _CLOCK.fullmatch(longest[date_length:])
    if clock is None:
        return None
    zone = clock["zone"] or ""
    digits = len(clock["fraction"] or "")
    for unit, most in _DIGITS.items():
        times = _cast(strings, pa.timestamp(unit, "UTC" if zone else None)) if digits <= most else None
        if times is not None:
            if zone and pc.all(pc.ends_with(strings, zone)).as_py():
                times = times.cast(pa.timestamp(unit, _zone_name(zone)))
            style = DatetimeFormat(
                order,
                clock["separator"],
                bool(clock["seconds"]),
                max(digits, most - 2 if most else 0),
                _zone_style(zone),
            )
            return times, style
    return None


def read_in_any_order(strings: pa.ChunkedArray) -> list[tuple[pa.ChunkedArray, DatetimeFormat]]:
    """Every different reading of the text as dates or timestamps: two where nothing tells day from month."""
    readings: list[tuple[pa.ChunkedArray, DatetimeFormat]] = []
    for order in DATE_ORDERS:
        reading = read_datetimes(strings, order)
        if reading is not None and not any(reading[0].equals(other[0]) for other in readings):
            readings.append(reading)
    return readings


def read_dates(strings: pa.ChunkedArray) -> tuple[pa.ChunkedArray, DatetimeFormat] | None:
    """The only reading of the text as dates or timestamps; None where there is none, or where there are two.

    Cost: a look at the first thousand values where these are no dates, else some passes over all.
    """
    if not read_in_any_order(strings.slice(0, _HEAD).drop_null() or strings):
        return None
    readings = read_in_any_order(strings)
    return readings[0] if len(readings) == 1 else None


def write_datetimes(times: pa.ChunkedArray, style: DatetimeFormat | None = None) -> pa.ChunkedArray:
    """Dates or timestamps as text in the given style; without one in ISO form, with every digit."""
    if pa.types.is_date(times.type):
        return _from_iso(times.cast(pa.date32()).cast(pa.string()), style or DatetimeFormat())
    if times.type.tz and local_clock(times) is None:
        times = times.cast(pa.timestamp(times.type.unit, "UTC"))
    zone = times.type.tz
    if style is None or not style.separator or bool(style.zone) != (zone is not None):
        style = DatetimeFormat(ISO, " ", True, _DIGITS[times.type.unit], "+00:00" if zone else "")
    clock, digits = _with_digits(pc.local_timestamp(times) if zone else times, style.digits)
    text = clock.cast(pa.string())
    whole = 10 + 1 + 8 + (1 + _DIGITS[clock.type.unit] if clock.type.unit != "s" else 0)
    if pc.any(pc.not_equal(pc.utf8_length(text), whole)).as_py():
        return text  # years that have no four digits: the plain form stays readable
    if digits:
        text = pc.utf8_slice_codeunits(text, 0, 10 + 1 + 8 + 1 + digits)
    elif not style.seconds and not pc.any(pc.not_equal(pc.second(clock), 0)).as_py():
        text = pc.utf8_slice_codeunits(text, 0, 10 + 1 + 5)
    if style.separator == "T":
        text = pc.utf8_replace_slice(text, 10, 11, "T")
    text = _from_iso(text, style)
    return pc.binary_join_element_wise(text, _offsets(times, style.zone), "") if zone else text


def local_clock(times: pa.ChunkedArray) -> pa.ChunkedArray | None:
    """What the clock on the wall shows in the times' zone; None when nobody knows the zone."""
    try:
        return pc.local_timestamp(times)
    except pa.ArrowInvalid:
        return None


def _with_digits(clock: pa.ChunkedArray, digits: int) -> tuple[pa.ChunkedArray, int]:
    """Naive timestamps in the coarsest unit with so many digits, or as they are if that loses some."""
    unit = next(unit for unit, most in _DIGITS.items() if digits <= most)
    cast = _cast(clock, pa.timestamp(unit))
    if cast is None or (digits % 3 and not _ends_in_zeros(cast, digits)):
        return clock, _DIGITS[clock.type.unit]
    return cast, digits


def _ends_in_zeros(clock: pa.ChunkedArray, digits: int) -> bool:
    """Whether the decimals of the seconds beyond `digits` are zeros."""
    beyond = 10 ** (_DIGITS[clock.type.unit] - digits)
    numbers = clock.cast(pa.int64())
    whole = pc.all(pc.equal(pc.multiply(pc.divide(numbers, beyond), beyond), numbers)).as_py()
    return whole is not False


def _offsets(times: pa.ChunkedArray, style: str) -> pa.ChunkedArray:
    """Each moment's offset from UTC as text."""
    if times.type.tz == "UTC" and style == "Z":
        return pc.if_else(pc.is_valid(times), "Z", pa.scalar(None, pa.string()))
    utc = times.cast(pa.timestamp(times.type.unit, "UTC")).cast(pa.timestamp(times.type.unit))
    difference = pc.subtract(pc.local_timestamp(times), utc).cast(pa.duration("s"), safe=False)
    encoded = difference.cast(pa.int64()).combine_chunks().dictionary_encode()
    texts = pa.array([_offset_text(seconds, style) for seconds in encoded.dictionary.to_pylist()], pa.string())
    return pa.chunked_array([texts.take(encoded.indices)])


def _offset_text(seconds: int, style: str) -> str:
    hours, minutes = divmod(abs(seconds) // 60, 60)
    sign = "-" if seconds < 0 else "+"
    if style == "+00" and not minutes:
        return f"{sign}{hours:02d}"
    colon = "" if style in ("+0000", "+00") else ":"
    return f"{sign}{hours:02d}{colon}{minutes:02d}"


def _zone_style(zone: str) -> str:
    return {0: "", 1: "Z", 3: "+00", 5: "+0000", 6: "+00:00"}[len(zone)]


def _zone_name(zone: str) -> str:
    """An offset as it was written, as the name of an Arrow time zone."""
    digits = zone.lstrip("Z+-").replace(":", "")
    return f"{zone[0]}{digits[:2]}:{digits[2:] or '00'}" if digits.strip("0") else "UTC"


def _date_pattern(order: str) -> str:
    return re.escape(order).replace("%Y", r"\d{4}").replace("%m", r"\d{2}").replace("%d", r"\d{2}")


def _to_iso(strings: pa.ChunkedArray, order: str) -> pa.ChunkedArray | None:
    if not pc.all(pc.match_substring_regex(strings, "^" + _date_pattern(order))).as_py():
        return None
    year, month, day = (pc.utf8_slice_codeunits(strings, *_position(order, part)) for part in ("%Y", "%m", "%d"))
    date = pc.binary_join_element_wise(year, month, day, pa.scalar("-", strings.type))
    return pc.binary_join_element_wise(date, pc.utf8_slice_codeunits(strings, 10), pa.scalar("", strings.type))


def _from_iso(strings: pa.ChunkedArray, style: DatetimeFormat) -> pa.ChunkedArray:
    if style.date == ISO:
        return strings
    separator = re.sub("%[Ymd]", "", style.date)[0]
    parts = {part: pc.utf8_slice_codeunits(strings, *_position(ISO, part)) for part in ("%Y", "%m", "%d")}
    date = pc.binary_join_element_wise(*(parts[part] for part in re.findall("%[Ymd]", style.date)), separator)
    return pc.binary_join_element_wise(date, pc.utf8_slice_codeunits(strings, 10), "")


def _position(order: str, part: str) -> tuple[int, int]:
    """Where a part of the date stands in its text."""
    start = (
        order.replace("%Y", "YYYY").replace("%m", "mm").replace("%d", "dd").index(part[1] * (4 if part == "%Y" else 2))
    )
    return start, start + (4 if part == "%Y" else 2)


def _cast(values: pa.ChunkedArray, type_: pa.DataType) -> pa.ChunkedArray | None:
    try:
        return values.cast(type_)
    except pa.ArrowInvalid:
        return None
