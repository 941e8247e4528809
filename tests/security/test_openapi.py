"""The documentation is true and nothing breaks the platform: generated requests against every route of a real one."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
import schemathesis
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import positive_data_acceptance
from tests.integration.steps import IRIS

if TYPE_CHECKING:
    from tests.conftest import Platform

BOSS, PASSWORD = "boss", "a long password"

NOT_CALLED = {"/logout"}
"""It would end the login that all others are called with."""

EXAMPLES = 8
"""A route. All checks of schemathesis hold but one: that what fits the schema is accepted. Tables that are no tables,
passwords that are not repeated, and jobs without a dataset fit it, and are refused in words."""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Any:
    from tests.conftest import Platform

    platform = Platform(tmp_path_factory.mktemp("openapi") / "data")
    platform.add_user(BOSS, PASSWORD, role="admin")
    platform.start()
    yield platform
    platform.close()


@pytest.fixture(scope="module")
def client(running: Platform) -> Any:
    with httpx2.Client(base_url=running.base_url, timeout=60) as client:
        answer = client.post("/login", data={"username": BOSS, "password": PASSWORD})
        client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        yield client


@pytest.fixture(scope="module")
def ids(client: httpx2.Client) -> list[str]:
    """Of things that are there: a dataset and a job that is over."""
    dataset = client.post("/datasets", files={"file": ("iris.csv", IRIS.read_bytes())}).json()["id"]
    job = client.post("/jobs", json={"parameters": {"k": 5, "dataset_id": dataset}}).json()["id"]
    assert client.get(f"/jobs/{job}", params={"wait": 60}).json()["status"] == "success"
    return [str(dataset), str(job)]


def try_all(
    running: Platform, client: httpx2.Client, ids: list[str], choose: Callable[[str], bool]
) -> tuple[int, list[str]]:
    """Call the chosen routes; gives how many, and what they did that is not documented."""
    schema = schemathesis.openapi.from_url(f"{running.base_url}/openapi.json")
    headers = {"Authorization": client.headers["Authorization"]}
    called, wrong = 0, []
    for found in schema.get_all_operations():
        assert isinstance(found, Ok)
        operation = found.ok()
        if operation.path in NOT_CALLED or not choose(operation.path):
            continue
        called += 1

        @hypothesis_settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(), real=st.sampled_from([None, *ids]))
        def try_it(case: schemathesis.Case[Any], real: str | None) -> None:
            for name in case.path_parameters or {}:
                # What is there must be there for the next ones too.
                if real is not None and case.method.lower() != "delete":
                    case.path_parameters[name] = real
            # Some answers wait for a worker: half a minute, which is more than the tool waits by itself.
            case.call_and_validate(headers=headers, excluded_checks=[positive_data_acceptance], timeout=60)

        try:
            try_it()
        except Exception as error:  # noqa: BLE001 - whatever it is, the other routes are called as well
            wrong.append(f"{operation.method} {operation.path}: {error}")
    return called, wrong


@pytest.mark.timeout(600)
@pytest.mark.parametrize("part", ["/datasets", "/jobs", "/"])
def test_every_route_answers_as_documented_whatever_it_is_sent(
    running: Platform, client: httpx2.Client, ids: list[str], part: str
) -> None:
    others = ("/datasets", "/jobs")

    def choose(path: str) -> bool:
        return path.startswith(part) if part in others else not path.startswith(others)

    called, wrong = try_all(running, client, ids, choose)
    assert called >= 10
    assert not wrong, "\n\n".join(wrong)


def test_nothing_of_it_was_an_error_of_ours(running: Platform, client: httpx2.Client) -> None:
    assert client.get("/health/db").status_code == 200
    lines = [json.loads(line) for line in running.log.read_text().splitlines()]
    assert len(lines) > 100
    assert [line for line in lines if line["level"] in ("error", "critical")] == []


def test_the_page_for_people_shows_every_route_and_model(client: httpx2.Client) -> None:
    openapi = client.get("/openapi.json").json()
    answer = client.get("/docs", headers={"Authorization": ""})
    assert answer.status_code == 200
    assert "script" not in answer.headers["content-security-policy"]
    assert "<script" not in answer.text
    assert "http" not in answer.text.replace("HTTP", "")[: answer.text.index("<h2>")]
    for path in openapi["paths"]:
        assert path in answer.text
    for name in openapi["components"]["schemas"]:
        assert f'id="{name}"' in answer.text
    undescribed = [
        (method, path)
        for path, methods in openapi["paths"].items()
        for method, route in methods.items()
        if not route.get("description")
    ]
    assert undescribed == []
