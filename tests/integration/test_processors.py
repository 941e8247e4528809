"""The same table, parameters and seed give the same avatars on processors for which linear algebra is written anew."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

PROGRAM = """
import hashlib, json, typing
import numpy as np
import pyarrow as pa
from threadpoolctl import threadpool_info
from avatars.engine.parameters import Method, Parameters
from avatars.engine.run import run
from tests.unit.engine.tables import mixed_table

random = np.random.default_rng(1)
# Hardly two people whose neighbours are not as far from them as others.
alike = {name: random.integers(0, size, 1000).astype(float) for name, size in (("a", 4), ("b", 3))}
alike |= {name: random.choice(list(levels), 1000) for name, levels in (("c", "xyz"), ("d", "uv"))}
# Beyond 2,000 levels the axes come from another algorithm.
many = {"n": random.normal(size=6000), **{name: random.integers(0, 700, 6000).astype(str) for name in "pqr"}}
tables = [mixed_table(1500, missing=0.1), pa.table(alike), pa.table(many)]
runs = [
    (table, Parameters(k=10, seed=1, method=method, use_categorical_reduction=reduced))
    for table in tables
    for method in typing.get_args(Method)
    for reduced in ((False, True) if table is tables[-1] else (False,))
]
extensions = np.show_config(mode="dicts")["SIMD Extensions"].get("found", [])
architectures = {found["architecture"] for found in threadpool_info() if "architecture" in found}
print(json.dumps([sorted(architectures), extensions]))
for table, parameters in runs:
    print(hashlib.sha256(str(run(table, parameters).avatars.to_pydict()).encode()).hexdigest())
"""


def run(**processor: str) -> list[str]:
    return subprocess.check_output(
        [sys.executable, "-c", PROGRAM], text=True, cwd=ROOT, env={**os.environ, **processor}
    ).splitlines()


@pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() != "x86_64", reason="other processors have no names here"
)
@pytest.mark.timeout(300)
def test_another_processor_changes_nothing() -> None:
    here, *expected = run()
    of_here, extensions = json.loads(here)
    # OpenBLAS for one of 2004, and numpy without what came later.
    older, *found = run(OPENBLAS_CORETYPE="Prescott", NPY_DISABLE_CPU_FEATURES=" ".join(extensions))
    of_older, left = json.loads(older)
    assert of_older != of_here
    assert left == []
    assert len(expected) == 8
    assert found == expected
