"""The log: JSON lines without anybody's data."""

from __future__ import annotations

import json
import logging

import pytest
import structlog

CANARY = "Dupont"


def lines(captured: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in captured.readouterr().err.splitlines()]


def test_events_are_json_lines_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    structlog.get_logger("avatars.test").info("job.started", rows=3)
    [line] = lines(capsys)
    assert line["event"] == "job.started"
    assert line["rows"] == 3
    assert line["level"] == "info"
    assert str(line["timestamp"]).endswith("Z")


def test_other_libraries_log_the_same_way_from_warning_on(capsys: pytest.CaptureFixture[str]) -> None:
    logging.getLogger("some.library").info("chatter")
    logging.getLogger("some.library").warning("%s things", 3)
    [line] = lines(capsys)
    assert line["event"] == "3 things"


@pytest.mark.parametrize("logger", ["avatars.test", "some.library"])
def test_an_exception_is_logged_without_its_text(logger: str, capsys: pytest.CaptureFixture[str]) -> None:
    log = structlog.get_logger(logger) if logger.startswith("avatars") else logging.getLogger(logger)
    try:
        float(CANARY)
    except ValueError:
        log.exception("job.failed")
    text = capsys.readouterr().err
    assert CANARY not in text
    line = json.loads(text)
    assert line["error"] == "ValueError"
    assert "test_logging.py" in line["stack"][-1]
