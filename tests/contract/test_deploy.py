"""The examples in deploy/ can be put into service: they parse, and what they set is there to be set."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # Dask's own requirement
from pydantic import ValidationError

from avatars.server.settings import Settings

HOUSE = Path(__file__).parents[2]
DEPLOY = HOUSE / "deploy"

SECRETS = {
    "AVATARS_DATABASE_URL": "postgresql://avatars:0123456789abcdef@database/avatars\n",
    "AVATARS_SMTP_PASSWORD": "of the mail server",
}


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    found: dict[str, Any] = compose["services"]
    # What it speaks of is in it.
    for service in found.values():
        for secret in service["secrets"]:
            assert (secret if isinstance(secret, str) else secret["source"]) in compose["secrets"]
        for volume in service["volumes"]:
            assert volume.partition(":")[0] in compose["volumes"]
        assert set(service["networks"]) <= set(compose["networks"])
        assert set(service.get("depends_on", {})) <= set(found)
    return found


def image_variables() -> dict[str, str]:
    """What the Dockerfile's last stage sets."""
    text = (DEPLOY / "Dockerfile").read_text().replace("\\\n", " ")
    lines = [line.removeprefix("ENV ") for line in text.splitlines() if line.startswith("ENV ")]
    return dict(word.split("=", 1) for word in shlex.split(lines[-1]))


def test_a_platform_takes_the_values_of_the_compose_file(
    services: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    platform = services["platform"]
    assert {secret["target"] for secret in platform["secrets"] if isinstance(secret, dict)} == set(SECRETS)
    for name, value in SECRETS.items():
        (tmp_path / name).write_text(value)
    set_there = image_variables() | platform["environment"]
    assert all(isinstance(value, str) for value in set_there.values())
    for name, value in set_there.items():
        if name.startswith("AVATARS_"):
            monkeypatch.setenv(name, value.replace("/run/secrets", str(tmp_path)))
    settings = Settings()
    assert settings.database_url == SECRETS["AVATARS_DATABASE_URL"].strip()
    assert settings.smtp_password is not None
    assert settings.base_url == "https://avatars.example.org"
    assert (settings.host, settings.port) == ("0.0.0.0", 8000)
    # Where the volume is, and nowhere else.
    assert platform["volumes"] == [f"data:{settings.data_dir}"]
    # The secrets are needed: nothing else stands in for them.
    (tmp_path / "AVATARS_SMTP_PASSWORD").unlink()
    with pytest.raises(ValidationError, match="AVATARS_SMTP_PASSWORD"):
        Settings()


def test_the_platform_in_a_container_may_do_little(services: dict[str, Any]) -> None:
    platform = services["platform"]
    assert platform["read_only"] is True
    assert platform["cap_drop"] == ["ALL"]
    assert platform["user"] == "10001:10001"
    assert f"--uid {platform['user'].partition(':')[0]} " in (DEPLOY / "Dockerfile").read_text()
    assert all(port.startswith("127.0.0.1:") for port in platform["ports"])
    assert all("healthcheck" in service for service in services.values())
    # Nothing secret stands in the file itself.
    for service in services.values():
        assert not [name for name in service["environment"] if name.endswith(("PASSWORD", "DATABASE_URL"))]


def test_what_the_image_is_built_from_is_there_and_passes_the_ignore_file() -> None:
    passed = {line[1:] for line in (DEPLOY / "Dockerfile.dockerignore").read_text().split() if line.startswith("!")}
    copies = re.findall(r"^COPY (?!--from)(.+) \S+$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)
    sources = " ".join(copies).split()
    assert sources
    for source in sources:
        assert (HOUSE / source).exists(), source
        assert source.partition("/")[0] in passed, source
