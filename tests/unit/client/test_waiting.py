"""Waiting for a job: when it looks, what it survives, what it shows."""

from __future__ import annotations

import io
import re
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from avatars.errors import (
    AvatarsError,
    ConnectionFailed,
    InvalidInput,
    NotAuthenticated,
    RateLimited,
    RequestTimeout,
    ServerError,
)
from avatars.models import JobProgress, JobStatus
from avatars.resources.waiting import LAST_LOOK, PATIENCE, REQUEST_TIMEOUT, wait

if TYPE_CHECKING:
    from tests.unit.client.conftest import FakeClock

JOB = 'get_avatarization_job("00000000-0000-0000-0000-000000000001")'


@dataclass
class Job:
    status: JobStatus
    current_progress: JobProgress | None = None


class Platform:
    """A job that is over at a given time; connections fail while ``lost`` says so."""

    def __init__(self, clock: FakeClock, over_at: float = float("inf"), end: JobStatus = JobStatus.success) -> None:
        self.clock = clock
        self.start = clock.now
        self.over_at = over_at
        self.end = end
        self.lost: tuple[float, float] = (0.0, 0.0)
        self.error: AvatarsError = ConnectionFailed("gone")
        self.looks: list[float] = []
        self.limits: list[float] = []
        self.waits: list[float] = []
        self.cost = 0.0
        self.knows_waiting = False

    def look(self, *, wait: float, timeout: float) -> Job:
        at = self.clock.now - self.start
        self.looks.append(round(at, 6))
        self.limits.append(timeout)
        self.waits.append(wait)
        self.clock.now += min(self.cost, timeout)
        if self.knows_waiting and not self.lost[0] <= at < self.lost[1]:
            self.clock.now += max(0.0, min(wait, self.over_at - at))
            at = round(self.clock.now - self.start, 6)
        if self.lost[0] <= at < self.lost[1]:
            raise self.error
        return Job(self.end if at >= self.over_at else JobStatus.started)


@pytest.fixture
def platform(clock: FakeClock) -> Platform:
    return Platform(clock)


def test_it_looks_quickly_at_first_and_at_most_every_two_seconds(platform: Platform, clock: FakeClock) -> None:
    platform.over_at = 8
    job = wait(platform.look, JOB, clock=clock)
    assert job.status is JobStatus.success
    assert platform.looks == [0, 0.1, 0.3, 0.7, 1.5, 3.1, 5.1, 7.1, 9.1]


def test_a_platform_that_knows_waiting_says_the_end_at_once(platform: Platform, clock: FakeClock) -> None:
    platform.knows_waiting, platform.over_at = True, 8.4
    assert wait(platform.look, JOB, clock=clock).status is JobStatus.success
    assert clock.now - platform.start == pytest.approx(8.4)
    assert platform.looks == [0, 0.1, 0.3, 0.7, 1.5, 3.1, 5.1, 7.1]
    assert max(platform.waits) == 2


def test_the_platform_is_asked_to_wait_no_longer_than_its_answer_may_take(platform: Platform, clock: FakeClock) -> None:
    platform.knows_waiting = True
    wait(platform.look, JOB, timeout=3, per_request_timeout=0.5, clock=clock)
    assert max(platform.waits) == 0.25
    assert clock.now - platform.start == 3


def test_it_waits_as_long_as_it_takes(platform: Platform, clock: FakeClock) -> None:
    platform.over_at = 86_400
    assert wait(platform.look, JOB, clock=clock).status is JobStatus.success
    assert 86_400 <= clock.now - platform.start <= 86_402


@pytest.mark.parametrize("end", [JobStatus.success, JobStatus.failure, JobStatus.unknown])
def test_every_final_state_ends_it(platform: Platform, clock: FakeClock, end: JobStatus) -> None:
    platform.over_at, platform.end = 0, end
    assert wait(platform.look, JOB, clock=clock).status is end
    assert platform.looks == [0]


def test_after_the_timeout_the_job_is_returned_as_last_seen(platform: Platform, clock: FakeClock) -> None:
    job = wait(platform.look, JOB, timeout=10, clock=clock)
    assert job.status is JobStatus.started
    assert clock.now - platform.start == 10
    assert platform.looks[-1] == 10  # a last look at the end


def test_timeout_zero_looks_once(platform: Platform, clock: FakeClock) -> None:
    assert wait(platform.look, JOB, timeout=0, clock=clock).status is JobStatus.started
    assert platform.looks == [0]
    assert not clock.sleeps


def test_a_look_takes_no_longer_than_its_own_limit_and_hardly_longer_than_the_timeout(
    platform: Platform, clock: FakeClock
) -> None:
    platform.cost = 100.0
    wait(platform.look, JOB, per_request_timeout=2, timeout=10, clock=clock)
    assert max(platform.limits) == 2
    assert clock.now - platform.start <= 10 + LAST_LOOK

    platform.limits.clear()
    wait(platform.look, JOB, timeout=1000, clock=clock)
    assert max(platform.limits) == REQUEST_TIMEOUT


@pytest.mark.parametrize(
    "error",
    [
        ConnectionFailed("gone"),
        RequestTimeout("silent"),
        ServerError("restarting", 503),
        RateLimited("slowly", 429),
    ],
)
@pytest.mark.parametrize("timeout", [None, 600.0])
def test_a_lost_connection_is_survived(
    platform: Platform, clock: FakeClock, error: AvatarsError, timeout: float | None
) -> None:
    platform.over_at, platform.lost, platform.error = 200, (1, 180), error
    assert wait(platform.look, JOB, timeout=timeout, clock=clock).status is JobStatus.success


def test_without_a_timeout_it_gives_up_after_minutes_without_an_answer(platform: Platform, clock: FakeClock) -> None:
    platform.lost = (50, float("inf"))
    with pytest.raises(ConnectionFailed, match=rf"5 minutes.*call {re.escape(JOB)} to come back"):
        wait(platform.look, JOB, clock=clock)
    assert PATIENCE < clock.now - platform.start - 50 < PATIENCE + 5


def test_with_a_timeout_a_platform_that_never_answered_raises(platform: Platform, clock: FakeClock) -> None:
    platform.lost = (0, float("inf"))
    with pytest.raises(ConnectionFailed, match="gone"):
        wait(platform.look, JOB, timeout=10, clock=clock)
    assert clock.now - platform.start == 10


def test_with_a_timeout_a_job_seen_once_is_returned(platform: Platform, clock: FakeClock) -> None:
    platform.lost = (1, float("inf"))
    assert wait(platform.look, JOB, timeout=10, clock=clock).status is JobStatus.started


def test_retry_after_sets_the_pace(platform: Platform, clock: FakeClock) -> None:
    platform.over_at, platform.lost = 5, (0, 5)
    platform.error = RateLimited("slowly", 429, retry_after=6)
    wait(platform.look, JOB, clock=clock)
    assert platform.looks == [0, 6]


@pytest.mark.parametrize("error", [NotAuthenticated("expired", 401), ServerError("broken", 500)])
def test_a_refusal_that_stays_ends_it(platform: Platform, clock: FakeClock, error: AvatarsError) -> None:
    platform.lost, platform.error = (1, float("inf")), error
    with pytest.raises(type(error)):
        wait(platform.look, JOB, clock=clock)


def test_a_negative_timeout_is_refused(platform: Platform, clock: FakeClock) -> None:
    with pytest.raises(InvalidInput, match="timeout"):
        wait(platform.look, JOB, timeout=-1, clock=clock)
    assert not platform.looks


def test_an_interrupt_says_how_to_come_back(clock: FakeClock) -> None:
    def interrupted(*, wait: float, timeout: float) -> Job:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        wait(interrupted, JOB, clock=clock)
    (note,) = caught.value.__notes__
    assert "goes on" in note
    assert JOB in note


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Steps(Platform):
    def look(self, *, wait: float, timeout: float) -> Job:
        job = super().look(wait=wait, timeout=timeout)
        if job.status is JobStatus.started and self.looks[-1] > 0:
            progress = JobProgress(completion_rate_100=42, name="[neighbors]", created_at=datetime.now(UTC))
            job.current_progress = progress
        return job


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Callable[[], Terminal]:
    """Makes the error stream a terminal; called within the test, because pytest sets its own before that."""
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")

    def make() -> Terminal:
        terminal = Terminal()
        monkeypatch.setattr(sys, "stderr", terminal)
        return terminal

    return make


class RealPauses:
    """Sleeps a little for each pause, so that the bar's own thread draws each step."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock

    def monotonic(self) -> float:
        return self.clock.monotonic()

    def sleep(self, seconds: float, /) -> None:
        time.sleep(0.15)
        self.clock.sleep(seconds)


def test_a_terminal_shows_step_percentage_and_time(clock: FakeClock, terminal: Callable[[], Terminal]) -> None:
    screen = terminal()
    platform = Steps(clock, over_at=1.5)
    wait(platform.look, JOB, clock=RealPauses(clock))
    shown = screen.getvalue()
    assert "[neighbors]" in shown  # literally: the platform's words are no markup
    assert "42%" in shown
    assert "0:00:00" in shown
    assert "done" in shown
    assert "100%" in shown


def test_a_lost_connection_and_a_failure_are_shown(clock: FakeClock, terminal: Callable[[], Terminal]) -> None:
    screen = terminal()
    platform = Platform(clock, over_at=1.5, end=JobStatus.failure)
    platform.lost = (0.1, 1.0)
    wait(platform.look, JOB, clock=RealPauses(clock))
    shown = screen.getvalue()
    assert "trying again" in shown
    assert "failed" in shown
    assert "100%" not in shown


def test_nothing_is_shown_where_it_is_not_wanted(clock: FakeClock, terminal: Callable[[], Terminal]) -> None:
    screen = terminal()
    wait(Platform(clock, over_at=1).look, JOB, progress=False, clock=clock)
    assert screen.getvalue() == ""


def test_nothing_is_shown_where_there_is_no_terminal(clock: FakeClock, capfd: pytest.CaptureFixture[str]) -> None:
    wait(Platform(clock, over_at=1).look, JOB, clock=clock)
    assert capfd.readouterr() == ("", "")
