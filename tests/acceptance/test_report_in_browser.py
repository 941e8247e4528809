"""The report in a real browser: it fetches nothing, says nothing on the console, sorts, and chooses planes."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

import avatars

CHROMIUM = shutil.which("chromium")
QUIET = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium: apt-get install chromium")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    random = np.random.default_rng(1)
    frame = pd.DataFrame(random.normal(size=(80, 3)), columns=["one", "two", "<img src=x onerror=alert(1)>"])
    path = tmp_path_factory.mktemp("report") / "report.html"
    avatars.anonymize(frame, seed=1, assess=None).report(path)
    return path


@pytest.mark.parametrize("width", [1200, 360])
def test_it_fits_fetches_nothing_and_sorts(browser: Browser, report: Path, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900})
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("dialog", lambda dialog: said.append(dialog.message))
    page.goto(report.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("[...document.images].every(image => image.complete && image.naturalWidth > 0)")
    if width > 1000:
        _sort_and_choose(page)
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert said == []
    page.close()


def _sort_and_choose(page: Page) -> None:
    values = (
        "[...document.querySelector('[data-sortable] tbody').querySelectorAll('td.value')].map(td => +td.dataset.sort)"
    )
    page.locator("table.metrics th[data-key=number] button").first.click()
    once = page.evaluate(values)
    page.locator("table.metrics th[data-key=number] button").first.click()
    assert page.evaluate(values) == once[::-1]
    assert once in (sorted(once), sorted(once)[::-1])
    before = page.locator(".shown figure").get_attribute("data-plane")
    page.locator(".chooser select").nth(1).select_option("3")
    assert page.locator(".shown figure").get_attribute("data-plane") != before


def test_it_is_complete_without_scripts(browser: Browser, report: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(report.as_uri())
    assert page.locator("th button").count() == 0
    assert not page.locator(".chooser").is_visible()
    # Each pair of three components, one of them at the top and the others folded away.
    assert page.locator("figure[data-plane]").count() == 3
    assert page.locator("table.metrics tbody tr").count() >= 8
    context.close()
