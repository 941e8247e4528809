"""What crosses between this process and its workers: results, refusals, progress, and no cell in between.

A task that raises would have Dask log its arguments and the error's text, and the text may quote a cell. So tasks
run inside `guarded`, which raises nothing: it returns a `Verdict` that `unwrap` turns back into a result or an error.
"""

from __future__ import annotations

import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from avatars.engine.errors import Cancelled, EngineError
from avatars.server.storage import StorageError

TOPIC = "avatars"
"""The topic of all our messages: Dask keeps the last ones of each topic for ever, so there is one."""


_unwanted: set[str] = set()
"""Names of tasks that somebody asked to stop; a name is never used twice, and they are few."""


class OutOfMemory(Exception):
    """The task needed more memory than its worker may use."""


class TaskBroken(Exception):
    """A task failed in a way that nobody foresaw; ``error`` and ``stack`` are for the log.

    Attributes
    ----------
    error
        The type of what was raised; not its text, which may quote a cell.
    stack
        The places that it passed through.
    """

    def __init__(self, error: str, stack: tuple[str, ...]) -> None:
        super().__init__(error, stack)
        self.error = error
        self.stack = stack


@dataclass(frozen=True)
class Verdict:
    """How a task ended: with a result, or with an error that is safe to pass on."""

    result: Any = None
    error: EngineError | StorageError | Cancelled | OutOfMemory | TaskBroken | None = None


def guarded(task: Callable[..., Any], *arguments: Any) -> Verdict:
    """Run a task in a worker; raises nothing."""
    try:
        with warnings.catch_warnings():
            # Meant for people at a terminal; here nobody reads them.
            warnings.simplefilter("ignore")
            return Verdict(result=task(*arguments))
    except EngineError as error:
        # A copy: the original would take the frames, with all their tables, along.
        return Verdict(error=type(error)(str(error), code=error.code, column=error.column))
    except StorageError as error:
        return Verdict(error=type(error)(str(error)))
    except Cancelled as error:
        return Verdict(error=Cancelled(str(error)))
    except MemoryError:
        return Verdict(error=OutOfMemory())
    except Exception as error:  # noqa: BLE001 - whatever it is, the platform must hear of it in this form
        frames = traceback.extract_tb(error.__traceback__)
        stack = tuple(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames)
        return Verdict(error=TaskBroken(type(error).__name__, stack))


def unwrap(verdict: Verdict) -> Any:
    """Give the result of a task, or raise its error."""
    if verdict.error is not None:
        raise verdict.error
    return verdict.result


def messenger() -> Callable[[dict[str, Any]], None]:
    """Give a function that sends small messages (JSON values) to whoever listens, from any thread, and returns at once.

    Call it in the thread of the task: that one knows its worker.
    """
    from distributed import get_worker

    worker = get_worker()
    return lambda message: worker.log_event(TOPIC, message)


def stopper() -> Callable[[], bool]:
    """Give a function that says, in any thread and at once, whether this task was asked to stop.

    Call it in the thread of the task.
    """
    from distributed import get_worker

    name = str(get_worker().get_current_task())
    return lambda: name in _unwanted


def ask_to_stop(name: str) -> None:
    """Have the task of this name stop when it next looks; `Compute` runs this in the workers."""
    _unwanted.add(name)
