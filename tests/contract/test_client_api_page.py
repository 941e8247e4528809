"""docs/api.md is what the code says, and the platform has each route that the client calls, with the same types."""

from __future__ import annotations

from typing import Any

import pytest
from tests.contract.api_page import PAGE, Call, calls, page

CALLS = [pytest.param(call, id=f"{call.resource}.{call.method}") for call in calls() if call.route]


def test_the_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python tests/contract/api_page.py"


def test_every_call_of_the_old_client_is_there() -> None:
    """The table of wire.md 1.2."""
    old = {
        "auth": ["login", "forgotten_password", "reset_password"],
        "datasets": [
            "create_dataset", "get_dataset", "patch_dataset", "analyze_dataset", "get_dataset_correlations",
            "download_dataset",
        ],
        "health": ["get_root", "get_health", "get_health_db"],
        "jobs": [
            "create_avatarization_job", "get_avatarization_job", "create_signal_metrics_job",
            "create_privacy_metrics_job", "get_signal_metrics", "get_privacy_metrics",
        ],
        "metrics": ["get_job_projections", "get_variable_contributions", "get_explained_variance"],
        "reports": ["create_report", "download_report"],
        "stats": ["get_cluster_stats"],
        "users": ["find_users", "create_user", "get_me", "get_user"],
        "pandas_integration": ["upload_dataframe", "download_dataframe"],
        "pipelines": ["avatarization_pipeline_with_processors"],
    }  # fmt: skip
    ours = {(call.resource, call.method) for call in calls()}
    assert {(resource, method) for resource, methods in old.items() for method in methods} <= ours


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """The platform's own description of its routes, by method and path; the names of ids do not matter."""
    from avatars.server.app import create_app
    from avatars.server.settings import Settings

    app = create_app(Settings(data_dir=tmp_path_factory.mktemp("data")))
    return {
        _anonymous(f"{method.upper()} {path}"): operation
        for path, operations in app.openapi()["paths"].items()
        for method, operation in operations.items()
    }


def _anonymous(route: str) -> str:
    return "/".join("{}" if part.startswith("{") else part for part in route.split("/"))


@pytest.mark.parametrize("call", CALLS)
def test_the_platform_has_the_route_and_answers_with_that_type(
    call: Call, described: dict[str, dict[str, Any]]
) -> None:
    assert _anonymous(call.route) in described
    content = described[_anonymous(call.route)]["responses"]["200"].get("content", {})
    # What comes in several forms is no single type.
    if list(content) != ["application/json"] or call.gives in ("Any", "None", "GenericJob", "list[GenericJob]"):
        return
    schema = content["application/json"]["schema"]
    answered = schema.get("$ref") or f"list[{schema['items']['$ref']}]"
    assert answered.replace("#/components/schemas/", "") == call.gives
