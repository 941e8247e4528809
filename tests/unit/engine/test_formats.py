"""The format of a file, kept beside its table."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from avatars.engine.datetimes import DATE_ORDERS, DatetimeFormat
from avatars.engine.formats import BoolFormat, TableFormat

COLUMN_FORMATS = st.builds(BoolFormat, st.text(), st.text()) | st.builds(
    DatetimeFormat, st.sampled_from(DATE_ORDERS), st.sampled_from(["", " ", "T"]), st.booleans(), st.integers(0, 9)
)


@settings(deadline=None)
@given(
    st.builds(
        TableFormat,
        kind=st.sampled_from(["csv", "parquet"]),
        delimiter=st.text(min_size=1, max_size=1),
        bom=st.booleans(),
        columns=st.dictionaries(st.text(), COLUMN_FORMATS),
    )
)
def test_a_format_survives_json(format: TableFormat) -> None:
    assert TableFormat.from_dict(json.loads(json.dumps(format.to_dict()))) == format


def test_what_a_format_does_not_say_is_the_default() -> None:
    assert TableFormat.from_dict({}) == TableFormat()
