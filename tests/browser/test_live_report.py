"""The page of a report that follows a running study."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from study.cli.report import render
from study.cli.report_server import LiveReport, make_server
from tests.analysis.report.report_study import add_part, trial, write_study
from tests.browser.conftest import SECONDS, drawn, errors

pytestmark = pytest.mark.browser


@pytest.fixture
def following(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """Return a study and the address of its page."""
    directory = write_study(tmp_path / "study", 12)
    with make_server(LiveReport(directory, render, clock=lambda: 0.0), 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield directory, f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def test_it_shows_new_results_and_keeps_what_was_chosen(opened, following: tuple[Path, str]) -> None:
    directory, address = following
    browser: Chrome = opened(address)
    slide = "const s = document.getElementById('limit'); s.value = 0.7; s.dispatchEvent(new Event('input'))"
    browser.execute_script(slide)
    button = browser.find_elements(By.CSS_SELECTOR, "#front-table button")[0]
    button.click()
    chosen = button.get_attribute("data-design")
    browser.execute_script("window.same = true")
    add_part(directory, [trial(100, 0.9, 0.95)])
    WebDriverWait(browser, SECONDS).until(lambda it: it.find_elements(By.ID, "row-trial-00100"))
    drawn(browser)
    assert browser.execute_script("return window.same") is None
    assert browser.find_element(By.ID, "design-title").text == chosen
    assert browser.find_element(By.ID, "limit-value").text == "0.700"
    assert browser.switch_to.active_element.get_attribute("data-design") == chosen
    assert errors(browser) == []


def test_it_stays_as_it_is_while_nothing_is_new(opened, following: tuple[Path, str]) -> None:
    _, address = following
    browser: Chrome = opened(address)
    browser.execute_script("window.same = true; const ask = fetch; window.asked = 0;"
                           "window.fetch = (...given) => { window.asked += 1; return ask(...given); }")  # fmt: skip
    WebDriverWait(browser, SECONDS).until(lambda it: it.execute_script("return window.asked") >= 2)
    assert browser.execute_script("return window.same") is True


def test_it_says_when_the_server_has_ended(opened, tmp_path: Path) -> None:
    directory = write_study(tmp_path / "study", 12)
    with make_server(LiveReport(directory, render, clock=lambda: 0.0), 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        browser: Chrome = opened(f"http://127.0.0.1:{server.server_port}/")
        server.shutdown()
    WebDriverWait(browser, SECONDS).until(lambda it: "No longer live" in it.find_element(By.ID, "live").text)


def test_it_waits_for_the_first_result(opened, browser: Chrome, tmp_path: Path) -> None:
    directory = tmp_path / "study"
    directory.mkdir()
    (directory / "study.toml").touch()
    with make_server(LiveReport(directory, render, clock=lambda: 0.0), 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        browser.get(f"http://127.0.0.1:{server.server_port}/")
        assert "No front yet" in browser.find_element(By.TAG_NAME, "body").text
        add_part(directory, [trial(0, 0.6, 0.7)])
        WebDriverWait(browser, SECONDS).until(lambda it: it.find_elements(By.ID, "row-trial-00000"))
        server.shutdown()
