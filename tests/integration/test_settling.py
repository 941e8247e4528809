"""What ``avatars serve`` does once it is ready, so that answers do not wait for it later."""

from __future__ import annotations

import gc

from avatars.cli.serve import settle
from avatars.server.app import create_app
from avatars.server.jobs.compute import Compute
from avatars.server.settings import Settings


def test_what_stays_is_described_once_and_never_searched_for_garbage_again(
    settings: Settings, compute: Compute
) -> None:
    app = create_app(settings, compute=compute)
    assert app.openapi_schema is None
    before = gc.get_freeze_count()
    settle(app, lambda: False)
    try:
        assert app.openapi_schema is not None
        # Thousands of modules' functions and classes; what is left to be searched is what the answers make.
        assert gc.get_freeze_count() - before > 100_000
        assert len(gc.get_objects()) < 10_000
    finally:
        gc.unfreeze()
