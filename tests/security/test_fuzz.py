"""Damaged and hostile files: read right or refused in words, never an error of ours."""

from __future__ import annotations

import gzip
import io
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.integration.steps import IRIS

from avatars.engine.errors import EngineError
from avatars.server.datasets import normal_form
from avatars.server.datasets.ingest import Content, ingest
from avatars.server.storage import Storage

LIMIT = 64 * 1024**2
FILE = Content()

# Labels that are there twice are coped with, and said.
pytestmark = pytest.mark.filterwarnings("ignore::avatars.engine.errors.AvatarsWarning")
fuzz = settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))


def parquet_file(**options: str) -> bytes:
    sink = io.BytesIO()
    table = pa.table(
        {
            "number": [1, 2, None, 4] * 20,
            "text": ["a", "b", None, "é"] * 20,
            "when": pa.array([0, 10**9, None, 2 * 10**9] * 20, pa.timestamp("s")),
        }
    )
    pq.write_table(table, sink, **options)
    return sink.getvalue()


SEEDS = [
    IRIS.read_bytes()[:2000],
    gzip.compress(IRIS.read_bytes()[:2000]),
    "nom;âge;né le\nZoé;1,5;01/02/2020\n".encode("latin-1"),
    '\ufeffa\tb\n1\t"x\ny"\n'.encode("utf-16"),
    parquet_file(),
    parquet_file(compression="zstd"),
]


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Storage:
    return Storage(tmp_path_factory.mktemp("fuzz"))


def take_in(storage: Storage, content: bytes, kind: Content = FILE) -> None:
    """As an upload is taken in; passes where it is read or refused."""
    dataset_id = uuid4()
    storage.write_bytes(normal_form.upload_key(dataset_id), content)
    try:
        written = ingest(storage, dataset_id, kind, LIMIT)
    except EngineError as refused:
        assert refused.code
        assert 10 < len(str(refused)) < 2000
        assert str(storage.location) not in str(refused)
    else:
        assert written.nb_lines >= 1
        assert written.columns
    finally:
        storage.delete(normal_form.folder_key(dataset_id))


@fuzz
@given(seed=st.sampled_from(SEEDS), data=st.data())
def test_a_file_with_changed_bytes(storage: Storage, seed: bytes, data: st.DataObject) -> None:
    content = bytearray(seed)
    places = st.integers(0, len(content) - 1)
    for place in data.draw(st.lists(places, min_size=1, max_size=8)):
        content[place] = data.draw(st.integers(0, 255))
    take_in(storage, bytes(content))


@fuzz
@given(seed=st.sampled_from(SEEDS), data=st.data())
def test_a_file_that_is_cut_or_joined(storage: Storage, seed: bytes, data: st.DataObject) -> None:
    start, end = sorted(data.draw(st.tuples(*[st.integers(0, len(seed))] * 2)))
    take_in(storage, seed[:start] + seed[end:] + data.draw(st.sampled_from([b"", seed, b"PAR1", b"\x00"])))


@fuzz
@given(content=st.binary(max_size=300))
def test_any_bytes(storage: Storage, content: bytes) -> None:
    take_in(storage, content)


@fuzz
@given(content=st.text(alphabet=st.sampled_from("ab1,;\t\"'\n\r =.-\u00e9\u0000"), max_size=200))
def test_any_text_that_looks_like_a_csv(storage: Storage, content: str) -> None:
    take_in(storage, content.encode())
