"""open-avatars: turn a sensitive table about people into avatars, a synthetic table that can be shared.

``anonymize``, ``attack``, ``evaluate``, ``schema`` and ``estimate`` work in this process;
``avatars.client.ApiClient`` talks to a platform.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from avatars.local import anonymize as anonymize
    from avatars.local import attack as attack
    from avatars.local import estimate as estimate
    from avatars.local import evaluate as evaluate
    from avatars.local import schema as schema

    __version__: str

__all__ = ["__version__", "anonymize", "attack", "estimate", "evaluate", "schema"]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("open-avatars")
    # The engine is loaded when it is first called for: the client alone must import quickly, and without it.
    if name in ("anonymize", "attack", "estimate", "evaluate", "schema"):
        try:
            from avatars import local
        except ModuleNotFoundError as error:
            if error.name is None or error.name.split(".")[0] == "avatars":
                raise
            from avatars._extras import missing_extra

            raise ImportError(missing_extra("engine")) from error
        return getattr(local, name)
    raise AttributeError(f"module 'avatars' has no attribute {name!r}")
