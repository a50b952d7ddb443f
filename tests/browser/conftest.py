"""Headless Chromium from the system's packages, with a log of its console and of its requests."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from selenium.webdriver import Chrome, ChromeOptions, ChromeService
from selenium.webdriver.support.wait import WebDriverWait

from study.cli.report import report
from tests.analysis.report.report_study import write_study

SECONDS = 30


@pytest.fixture(scope="session")
def chromium() -> Iterator[Chrome]:
    browser, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if browser is None or driver is None:
        pytest.fail(
            "chromium and chromedriver are needed: on Debian, apt-get install chromium chromium-driver"
        )
    options = ChromeOptions()
    options.binary_location = browser
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    with Chrome(options=options, service=ChromeService(driver)) as running:
        yield running


@pytest.fixture
def browser(chromium: Chrome) -> Chrome:
    """Return the browser on an empty page of a desktop's size, in the light scheme, with empty logs."""
    chromium.get("about:blank")
    chromium.set_window_size(1280, 1000)
    chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    for log in ("browser", "performance"):
        chromium.get_log(log)
    return chromium


@pytest.fixture(scope="session")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_study(tmp_path_factory.mktemp("studies") / "study", 60)


@pytest.fixture(scope="session")
def page(study: Path) -> Path:
    report(study, None, live=False, port=None)
    return study / "report.html"


@pytest.fixture
def opened(browser: Chrome) -> Callable[[Path | str], Chrome]:
    def open_page(page: Path | str) -> Chrome:
        browser.get(page.as_uri() if isinstance(page, Path) else page)
        drawn(browser)
        return browser

    return open_page


def drawn(browser: Chrome) -> None:
    """Wait until the chart is drawn."""
    WebDriverWait(browser, SECONDS).until(
        lambda it: it.execute_script("return document.documentElement.hasAttribute('data-drawn')")
    )


def errors(browser: Chrome) -> list[str]:
    """Return the console's errors and warnings since the last call."""
    return [
        entry["message"] for entry in browser.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")
    ]


def requests(browser: Chrome) -> list[str]:
    """Return the requested addresses since the last call, without data inside the page."""
    events = (json.loads(entry["message"])["message"] for entry in browser.get_log("performance"))
    sent = (event["params"] for event in events if event["method"] == "Network.requestWillBeSent")
    return [one["request"]["url"] for one in sent if not one["request"]["url"].startswith("data:")]
