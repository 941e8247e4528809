"""What holds of each processor: nothing that it is given changes, rows stay, and it undoes what it does."""

from __future__ import annotations

import doctest
import subprocess
import sys
import warnings
from importlib import import_module
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.processors.tables import ADDED, FLOATS, PROCESSORS, tables

import avatars.processors
from avatars.processors import Processor

CLASSES = [name for name in avatars.processors.__all__ if name != "Processor"]
SHARED = {"base", "bounds", "columns", "records", "rounding"}
"""Modules without a processor of their own."""
MODULES = sorted({path.stem for path in Path(avatars.processors.__path__[0]).glob("*.py")} - SHARED - {"__init__"})

same = pd.testing.assert_frame_equal


def there_and_back(processor: Processor, df: pd.DataFrame, avatars_of: Any = lambda preprocessed: preprocessed) -> Any:
    """Preprocess, make avatars, postprocess; neither step may touch what it is given."""
    before = df.copy(deep=True)
    preprocessed = processor.preprocess(df)
    same(df, before, check_exact=True)
    dest = avatars_of(preprocessed)
    dest_before = dest.copy(deep=True)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Column .* has groups with an std of 0", UserWarning)
        back: Any = processor.postprocess(df, dest)  # for the stubs, which know no iloc[int, int]
    result = back.copy(deep=True)
    # What comes back shares nothing with what was given: it can be written to.
    for at in range(back.shape[1]):
        back.iloc[0, at] = back.iloc[-1, at]
    same(df, before, check_exact=True)
    same(dest, dest_before, check_exact=True)
    return result


@pytest.mark.parametrize("name", PROCESSORS)
@settings(max_examples=25, deadline=None)
@given(df=tables())
def test_it_gives_back_what_it_was_given(name: str, df: pd.DataFrame) -> None:
    back = there_and_back(PROCESSORS[name](), df)
    expected = df.astype(dict.fromkeys(FLOATS.get(name, []), "float64"))
    same(back.drop(columns=ADDED.get(name, [])), expected, check_exact=False, rtol=1e-7, atol=1e-6)


@pytest.mark.parametrize("name", PROCESSORS)
@settings(max_examples=10, deadline=None)
@given(df=tables(), data=st.data())
def test_it_takes_avatars_in_any_order_that_count_from_0(name: str, df: pd.DataFrame, data: st.DataObject) -> None:
    order = data.draw(st.permutations(range(len(df))))
    back = there_and_back(PROCESSORS[name](), df, lambda frame: frame.iloc[order].reset_index(drop=True))
    assert list(back.index) == list(range(len(df)))
    assert set(back.columns) == {*df.columns, *ADDED.get(name, [])}
    assert list(back["Breite"]) == list(df["Breite"].iloc[order])


def test_each_class_has_a_case() -> None:
    assert {type(make()).__name__ for make in PROCESSORS.values()} == set(CLASSES)


@pytest.mark.parametrize("name", PROCESSORS)
def test_it_is_a_processor(name: str) -> None:
    assert isinstance(PROCESSORS[name](), Processor)


def test_what_lacks_a_method_is_no_processor() -> None:
    class Half:
        def preprocess(self, df: pd.DataFrame) -> pd.DataFrame:
            return df

    assert not isinstance(Half(), Processor)


@pytest.mark.parametrize("name", MODULES)
def test_its_example_runs(name: str) -> None:
    module = import_module(f"avatars.processors.{name}")
    (its_class,) = (getattr(module, each) for each in CLASSES if getattr(module, each, None) is not None)
    assert its_class is getattr(avatars.processors, its_class.__name__)
    result = doctest.testmod(module)
    assert result.failed == 0
    assert result.attempted > 0


def test_the_package_names_each_class_once() -> None:
    assert len(CLASSES) == len(MODULES) == 13
    with pytest.raises(AttributeError, match="NoProcessor"):
        _ = avatars.processors.NoProcessor


def test_importing_the_package_loads_no_pandas() -> None:
    code = (
        "import sys, avatars.processors as p; p.Processor; sys.exit('pandas' in sys.modules or 'numpy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
