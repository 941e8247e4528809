"""Ten thousand uploads and requests of nonsense: each is taken or refused, and the platform neither falls nor grows."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable
from typing import Any
from uuid import UUID

import httpx2
import psutil
import pytest
from tests.conftest import PASSWORD, USERNAME, Platform
from tests.integration.steps import IRIS
from tests.security.test_fuzz import SEEDS

from avatars.server.datasets.arrow_stream import MEDIA_TYPE

TIMES = 10_000
UPLOADS = 0.6
"""Of all; the others are requests to any route."""

MOST_GROWTH = 32 * 10**6
"""Bytes from the second tenth on: by then what the server keeps for good is there."""

HEADS = (b"", b"ARROW", b"ARRS1ARRB1", b"ARRBOS1\x00\x00\x00\x05ARRB1", b"PAR1", b"\x1f\x8b\x08", b"\xff\xfe")
TYPES = (
    "text/csv",
    "application/octet-stream",
    MEDIA_TYPE,
    "multipart/form-data; boundary=b",
    "multipart/form-data",
    "",
)
NOT_CALLED = {"/logout"}
"""It would end the login that all others are called with."""

VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 10**30, 1e308, float("nan"), "", "\x00", "é" * 300, "1e9", "' OR 1=1 --", "../../etc/passwd",
    [], [[[]]], {}, {"a": {"b": []}}, "2020-13-45", str(UUID(int=0)),
)  # fmt: skip


def nonsense(chance: random.Random) -> bytes:
    """A damaged file, perhaps in a form, perhaps half of one."""
    content = bytearray(chance.choice(SEEDS))
    for _ in range(chance.randrange(1, 20)):
        content[chance.randrange(len(content))] = chance.randrange(256)
    start = chance.randrange(len(content)) if chance.random() < 0.3 else 0
    body = chance.choice(HEADS) * (chance.random() < 0.5) + bytes(content[start:])
    if chance.random() < 0.3:
        label = b'--b\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n'
        body = label + body + chance.choice([b"\r\n--b--\r\n", b"\r\n" + label + body + b"\r\n--b--\r\n", b""])
    return body


def upload(http: httpx2.Client, chance: random.Random) -> httpx2.Response:
    headers = {"Content-Type": chance.choice(TYPES)}
    path = chance.choice(["/datasets", "/datasets/stream", "/datasets/stream?name=x&filetype=y"])
    answer = http.post(path, content=nonsense(chance), headers=headers)
    assert answer.status_code in (200, 400, 409, 413, 422), answer.text
    if answer.status_code == 200:
        http.delete(f"/datasets/{answer.json()['id']}")
    return answer


class Caller:
    """Calls any route with values that do not fit, in the places where the documentation has some."""

    def __init__(self, openapi: dict[str, Any], ids: list[str]) -> None:
        self._schemas = openapi["components"]["schemas"]
        self._ids = ids
        self._routes = [
            (method, path, route)
            for path, methods in openapi["paths"].items()
            for method, route in methods.items()
            if path not in NOT_CALLED
        ]

    def call(self, http: httpx2.Client, chance: random.Random) -> httpx2.Response:
        method, path, route = chance.choice(self._routes)
        query: dict[str, str] = {}
        for parameter in route.get("parameters", ()):
            if parameter["in"] == "path":
                # What is there must be there for the next ones too.
                known = self._ids if method != "delete" else []
                value = chance.choice([*known, str(UUID(int=0)), "x", "%00", "%F0%9F%98%80", "1" * 500])
                path = path.replace("{" + parameter["name"] + "}", value)
            elif parameter["in"] == "query" and parameter["name"] != "wait" and chance.random() < 0.5:
                query[parameter["name"]] = str(chance.choice(VALUES))
        return http.request(method, path, params=query, **self._body(route, chance))

    def _body(self, route: dict[str, Any], chance: random.Random) -> dict[str, Any]:
        if "requestBody" not in route:
            return {}
        content = route["requestBody"]["content"]
        kind = chance.choice([*content, "application/json"])
        if chance.random() < 0.2:
            return {"content": nonsense(chance), "headers": {"Content-Type": kind}}
        said = self._made_up(content.get(kind, {}).get("schema", {}), chance)
        if kind == "application/x-www-form-urlencoded":
            return {"data": {name: str(value) for name, value in said.items()} if isinstance(said, dict) else {}}
        return {"content": json.dumps(said).encode(), "headers": {"Content-Type": kind}}

    def _made_up(self, schema: dict[str, Any], chance: random.Random, depth: int = 0) -> Any:
        if "$ref" in schema:
            schema = self._schemas[schema["$ref"].rpartition("/")[2]]
        if chance.random() < 0.15 or depth > 4:
            return chance.choice(VALUES)
        for several in ("anyOf", "oneOf"):
            if several in schema:
                return self._made_up(chance.choice(schema[several]), chance, depth + 1)
        if schema.get("properties"):
            return {
                name: self._made_up(field, chance, depth + 1)
                for name, field in schema["properties"].items()
                if chance.random() < 0.8
            }
        if schema.get("type") == "array":
            return [self._made_up(schema.get("items", {}), chance, depth + 1) for _ in range(chance.randrange(3))]
        known: dict[str, list[Any]] = {
            "integer": [0, 1, 5, 2**63],
            "number": [0.5, -1.0, 1e300],
            "boolean": [True, False],
            "null": [None],
        }
        fitting: list[Any] = schema.get("enum") or known.get(str(schema.get("type"))) or [*self._ids, "a", "x" * 1000]
        return chance.choice(fitting)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_nonsense_is_refused_ten_thousand_times(new_platform: Callable[..., Platform]) -> None:
    platform = new_platform()
    platform.add_user(USERNAME, PASSWORD)
    platform.start()
    chance, server = random.Random(1), psutil.Process(platform.pid)
    memory: list[int] = []
    statuses: Counter[int] = Counter()
    with httpx2.Client(base_url=platform.base_url, timeout=60) as http:
        token = http.post("/login", data={"username": USERNAME, "password": PASSWORD}).json()["access_token"]
        http.headers["Authorization"] = f"Bearer {token}"
        kept = str(http.post("/datasets/stream", content=IRIS.read_bytes()).json()["id"])
        caller = Caller(http.get("/openapi.json").json(), [kept])
        for number in range(TIMES):
            answer = (upload if chance.random() < UPLOADS else caller.call)(http, chance)
            statuses[answer.status_code] += 1
            assert answer.status_code < 500, (number, answer.request.method, answer.request.url, answer.text)
            if number % (TIMES // 10) == TIMES // 10 - 1:
                memory.append(server.memory_info().rss)
        assert http.get(f"/datasets/{kept}/download").status_code == 200
        # What fitted by chance is no leftover.
        others = {each["id"] for each in http.get("/datasets").json()} - {kept}
    print(dict(statuses), "MB after each tenth:", [round(each / 1e6) for each in memory])
    assert statuses[400] > TIMES // 3
    assert statuses[422] > TIMES // 20
    assert memory[-1] - memory[1] < MOST_GROWTH
    files = {path.parent.name for path in (platform.data_dir / "files" / "datasets").glob("*/*")}
    assert files == {kept} | others
