"""A platform of one's own: a child process on this machine, for as long as the client that started it.

Two processes stand behind it. The *keeper* (this module, run as a program) starts ``avatars serve`` and holds on to a
pipe whose other end is in the program that uses the client. When that end closes, because the client was closed or the
program ended in whatever way, SIGKILL included, the keeper stops the platform with its workers and removes its folder.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import weakref
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import IO

from avatars._extras import missing_extra
from avatars.errors import EmbeddedFailed, InvalidInput

START_SECONDS = 60.0
"""How long the platform may take to be ready; about three are usual."""

STOP_SECONDS = 5.0
"""How long its workers may take to stop before they are killed."""

LOOK_SECONDS = 0.5
"""How often the keeper looks whether both sides are still there, beside watching the pipe."""

READY = "open-avatars is ready at "
"""What `avatars serve` says when it is, before its address."""

_PARTS = ("typer", "fastapi", "uvicorn", "sqlalchemy", "distributed")
"""What only the extra ``server`` brings."""

# -P: a module in the folder that the program runs in must not stand in for one of ours.
_PYTHON = [sys.executable, "-P", "-m"]


class EmbeddedPlatform:
    """A running platform, on the loopback only, with a folder that nobody but its user can look into.

    Attributes
    ----------
    address
        Where it listens.
    """

    def __init__(self) -> None:
        if sys.platform == "win32":
            raise InvalidInput("Without base_url ApiClient needs Linux or macOS: pass the base_url of a platform.")
        if any(find_spec(part) is None for part in _PARTS):
            raise InvalidInput(
                f"Without base_url ApiClient starts a platform on this machine. {missing_extra('server')} "
                "Or pass the base_url of a platform that is running."
            )
        self._folder = Path(tempfile.mkdtemp(prefix="open-avatars-"))
        self._has_user = False
        keeper = subprocess.Popen(  # noqa: S603  # our own command, without a shell
            [*_PYTHON, __name__, str(self._folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=self._folder,
            env=_environment(),
            # Ctrl-C in the program's terminal is not for the platform: its jobs go on.
            start_new_session=True,
        )
        # The end of the program calls it, too.
        self._stop = weakref.finalize(self, _stop, keeper, self._folder, os.getpid())
        try:
            self.address: str = _address(keeper)
        except BaseException:
            self._stop()
            raise

    def add_first_user(self, username: str, password: str) -> None:
        """Make the platform's one user. Later calls do nothing: whoever else logs in is refused.

        It takes a program that may write into the platform's folder: nobody on the network can.

        Raises
        ------
        avatars.errors.InvalidInput
            The name or the password is not one that a user can have.
        """
        if self._has_user:
            return
        command = [*_PYTHON, "avatars", "user", "add", "--password-stdin", "--data-dir", str(self._folder / "data")]
        done = subprocess.run(  # noqa: S603  # our own command, without a shell
            [*command, "--", username],
            input=f"{password}\n".encode(),
            cwd=self._folder,
            env=_environment(),
            capture_output=True,
            check=False,
        )
        if done.returncode != 0:
            raise InvalidInput(_last_line(done.stderr) or "The user could not be made: choose another name.")
        self._has_user = True

    def close(self) -> None:
        """Stop it and remove all that it has kept."""
        self._stop()


def _address(keeper: subprocess.Popen[bytes]) -> str:
    """Wait until the platform says where it listens, or why it does not."""
    assert keeper.stdout is not None
    said = b""
    end = time.monotonic() + START_SECONDS
    while not said.endswith(b"\n"):
        ready, _, _ = select.select([keeper.stdout], [], [], max(0.0, end - time.monotonic()))
        block = os.read(keeper.stdout.fileno(), 1024) if ready else b""
        if not block:
            break
        said += block
    line = said.decode(errors="replace").strip()
    if not line.startswith(READY):
        reason = line or "start `avatars serve` by hand and pass its base_url."
        raise EmbeddedFailed(f"The platform of this client did not start: {reason}")
    return line.removeprefix(READY)


def _stop(keeper: subprocess.Popen[bytes], folder: Path, owner: int) -> None:
    if os.getpid() != owner:  # a fork of the program has ended, not the program
        return
    assert keeper.stdin is not None
    assert keeper.stdout is not None
    keeper.stdin.close()
    try:
        keeper.wait(STOP_SECONDS + 5)
    except subprocess.TimeoutExpired:
        keeper.kill()
        keeper.wait()
    keeper.stdout.close()
    shutil.rmtree(folder, ignore_errors=True)


def _environment() -> dict[str, str]:
    """The program's, without the settings of a platform that this is not."""
    return {name: value for name, value in os.environ.items() if not name.startswith("AVATARS_")}


def _last_line(output: bytes) -> str:
    lines = output.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines and not lines[-1].startswith("{") else ""


# --- the keeper -----------------------------------------------------------------------------------------


def keep(folder: Path) -> None:
    """Run a platform until stdin closes, the program that started this is gone, or it ends by itself."""
    program = os.getppid()
    log = folder / "log"
    with log.open("wb") as errors:
        platform = _serve(folder, errors)
    try:
        # A fork of the program may hold the pipe open after its end; then its id tells.
        while platform.poll() is None and os.getppid() == program:
            closed, _, _ = select.select([sys.stdin], [], [], LOOK_SECONDS)
            if closed:
                break
        if platform.poll() is not None:
            # It did not start: the program waits to hear why.
            sys.stdout.write(f"{_last_line(log.read_bytes())}\n")
            sys.stdout.flush()
    finally:
        _end(platform)
        shutil.rmtree(folder, ignore_errors=True)


def _end(platform: subprocess.Popen[bytes]) -> None:
    """End a platform and its workers, which are of its group, without any farewell: nothing of it is kept."""
    # Python's own tracker of semaphores, of the group too, does not listen to SIGTERM: it tidies up when all others
    # are gone, and then ends by itself.
    with suppress(ProcessLookupError):
        os.killpg(platform.pid, signal.SIGTERM)
    platform.kill()
    platform.wait()
    end = time.monotonic() + STOP_SECONDS
    with suppress(ProcessLookupError):
        while time.monotonic() < end:
            os.killpg(platform.pid, 0)
            time.sleep(0.02)
        os.killpg(platform.pid, signal.SIGKILL)


def _serve(folder: Path, errors: IO[bytes]) -> subprocess.Popen[bytes]:
    command = [*_PYTHON, "avatars", "serve", "--host", "127.0.0.1", "--port", "0", "--data-dir", str(folder / "data")]
    # It says on stdout, which is the program's pipe, where it listens.
    # Our own command, without a shell.
    environment = os.environ | {"TMPDIR": str(folder)}  # so that what its workers leave there goes with the folder
    return subprocess.Popen(  # noqa: S603
        command, stdin=subprocess.DEVNULL, stderr=errors, env=environment, start_new_session=True
    )


if __name__ == "__main__":
    keep(Path(sys.argv[1]))
