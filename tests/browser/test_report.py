"""A report in a browser: what a user sees and does."""

import json
from pathlib import Path

import pytest
from selenium.webdriver import ActionChains, Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from analysis.errors import AnalysisError
from analysis.fronts.selection import SelectionCriteria, select
from analysis.summaries.front_table import front_rows
from analysis.tables.reader import open_tables, read_trials
from study.cli.report import report
from tests.analysis.report.report_study import add_part, trial, write_study
from tests.browser.conftest import SECONDS, drawn, errors, requests

pytestmark = pytest.mark.browser

# The smallest contrasts by WCAG 2, level AA: of text and of graphics.
READABLE = 4.5
VISIBLE = 3.0
SCHEMES = ("light", "dark")


def text(browser: Chrome, selector: str) -> str:
    return browser.find_element(By.CSS_SELECTOR, selector).text


def shown(browser: Chrome) -> str:
    """Return the title of the design whose details are shown."""
    return text(browser, "#design-title")


def marks(browser: Chrome) -> list:
    """Return the mark of each design in the chart, in drawing order."""
    found = browser.find_elements(By.CSS_SELECTOR, "#chart g.mark-symbol.role-mark path")
    return found[-len(designs(browser)) :]


def designs(browser: Chrome) -> list[dict]:
    return browser.execute_script("return JSON.parse(document.getElementById('data').textContent).designs")


def slide(browser: Chrome, limit: float) -> None:
    browser.execute_script(
        "const slider = document.getElementById('limit'); slider.value = arguments[0];"
        "slider.dispatchEvent(new Event('input', {bubbles: true}));",
        limit,
    )


def emulate(browser: Chrome, scheme: str) -> None:
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


def test_it_renders_without_an_error_and_asks_for_nothing(opened, page: Path) -> None:
    browser = opened(page)
    assert errors(browser) == []
    assert requests(browser) == [page.as_uri()]
    assert len(marks(browser)) == len(designs(browser)) > 40


def test_it_works_without_a_network(opened, page: Path) -> None:
    browser = opened(page)
    browser.execute_cdp_cmd("Network.enable", {})
    offline = {"offline": True, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    browser.execute_cdp_cmd("Network.emulateNetworkConditions", offline)
    try:
        opened(page)
        assert errors(browser) == []
        slide(browser, 0.7)
        assert shown(browser)
    finally:
        browser.execute_cdp_cmd("Network.emulateNetworkConditions", {**offline, "offline": False})


def test_pointing_at_a_design_says_what_it_is(opened, page: Path) -> None:
    browser = opened(page)
    ActionChains(browser).move_to_element(marks(browser)[-1]).perform()
    WebDriverWait(browser, SECONDS).until(
        lambda it: it.find_elements(By.CSS_SELECTOR, "#vg-tooltip-element.visible")
    )
    said, design = text(browser, "#vg-tooltip-element"), designs(browser)[-1]
    assert all(design[name] in said for name in ("id", "kind", "attacker", "matching", "design"))


def test_a_click_shows_hyperparameters_attacks_reconstructions_and_the_command(opened, page: Path) -> None:
    browser = opened(page)
    place, design = next(
        (place, one) for place, one in enumerate(designs(browser)) if one["kind"] == "Pareto-optimal"
    )
    ActionChains(browser).move_to_element(marks(browser)[place]).click().perform()
    WebDriverWait(browser, SECONDS).until(lambda it: shown(it) == design["id"])
    panel = text(browser, "#design")
    assert all(f"{name}\n{value}" in panel for name, value in design["parameters"])
    assert "logistic regression" in panel
    assert f"{design['x']:.3f}\n[" in panel
    assert text(browser, "#design code") == design["fetch"]
    faces = browser.find_element(By.CSS_SELECTOR, "#design img")
    assert browser.execute_script("return arguments[0].naturalWidth", faces) == 256
    assert design["id"] in text(browser, "#selection")


def test_the_command_is_copied_or_where_that_is_forbidden_selected(opened, page: Path) -> None:
    browser = opened(page)
    button = browser.find_element(By.ID, "copy")
    button.click()
    WebDriverWait(browser, SECONDS).until(lambda it: button.text in ("Copied", "Selected"))
    forbid = "navigator.clipboard.writeText = () => Promise.reject(new Error())"
    browser.execute_script(forbid)
    button.click()
    WebDriverWait(browser, SECONDS).until(lambda it: button.text == "Selected")
    assert browser.execute_script("return getSelection().toString()") == text(browser, "#design code")
    assert errors(browser) == []


def test_a_click_beside_a_design_means_the_nearest(opened, page: Path) -> None:
    browser = opened(page)
    boxes = browser.execute_script(
        "return arguments[0].map((mark) => mark.getBoundingClientRect()).map((box) =>"
        " [box.x + box.width / 2, box.y + box.height / 2])",
        marks(browser),
    )
    x, y = boxes[-1][0] + 7, boxes[-1][1] + 7
    away = [(x - left) ** 2 + (y - top) ** 2 for left, top in boxes]
    ActionChains(browser).move_to_element_with_offset(marks(browser)[-1], 7, 7).click().perform()
    assert shown(browser) == designs(browser)[away.index(min(away))]["id"]


@pytest.mark.parametrize("confirmed", [False, True])
def test_the_slider_chooses_what_select_chooses(opened, tmp_path: Path, confirmed: bool) -> None:
    directory = write_study(tmp_path / "study", 60, confirmed=confirmed)
    add_part(directory, [trial(100, 0.7, 0.99)])
    report(directory, None, live=False, port=None)
    browser, trials = opened(directory / "report.html"), read_trials(open_tables(directory))
    scale = browser.execute_script("return JSON.parse(document.getElementById('data').textContent).limit")
    limits = [scale["low"] + (scale["high"] - scale["low"]) * part / 8 for part in range(9)]
    # The last limit equals the AUC of a design.
    for limit in [*limits, 0.7]:
        slide(browser, limit)
        chosen = float(browser.find_element(By.ID, "limit").get_property("value"))
        assert chosen == pytest.approx(limit, abs=scale["step"])
        try:
            expected = select(trials, SelectionCriteria(max_attacker_auc=chosen)).trial["trial_id"]
        except AnalysisError:
            assert "No checkpoint has" in text(browser, "#selection")
            continue
        assert shown(browser) == expected
        assert expected in text(browser, "#selection")


def test_a_line_stands_at_the_limit(opened, page: Path) -> None:
    browser, places = opened(page), []
    for limit in (0.6, 0.7):
        slide(browser, limit)
        line = browser.find_element(By.CSS_SELECTOR, "#chart line[stroke='var(--limit)']")
        places.append(browser.execute_script("return arguments[0].getBoundingClientRect().x", line))
    left, right = places
    boxes = browser.execute_script(
        "return arguments[0].map((one) => one.getBoundingClientRect())", marks(browser)
    )
    centres = [box["x"] + box["width"] / 2 for box in boxes]
    for design, centre in zip(designs(browser), centres, strict=True):
        expected = left + (right - left) * (design["x"] - 0.6) / 0.1
        assert centre == pytest.approx(expected, abs=1.5)


def test_the_slider_moves_by_the_keyboard(opened, page: Path) -> None:
    browser = opened(page)
    slider = browser.find_element(By.ID, "limit")
    before = float(slider.get_property("value"))
    slider.send_keys(Keys.ARROW_RIGHT)
    assert float(slider.get_property("value")) == pytest.approx(before + 0.005)
    assert f"{before + 0.005:.3f}" in slider.get_attribute("aria-valuetext")
    assert f"{before + 0.005:.3f}" in text(browser, "label[for=limit]")


def test_the_front_is_reached_by_keys_alone(opened, study: Path, page: Path) -> None:
    browser, front = opened(page), front_rows(open_tables(study))["trial_id"].to_list()
    browser.find_element(By.ID, "limit").send_keys(Keys.TAB)
    seen = []
    while (focused := browser.switch_to.active_element).get_attribute("data-design") is None:
        assert focused.get_attribute("id") == "copy" or focused.tag_name in ("div", "aside")
        focused.send_keys(Keys.TAB)
    for _ in front:
        focused = browser.switch_to.active_element
        focused.send_keys(Keys.ENTER)
        assert focused.get_attribute("aria-pressed") == "true"
        assert browser.execute_script(
            "return arguments[0].matches(':focus-visible') && getComputedStyle(arguments[0]).outlineStyle", focused
        ) == "solid"  # fmt: skip
        seen.append(shown(browser))
        assert seen[-1] in text(browser, "#selection")
        focused.send_keys(Keys.ARROW_DOWN)
    assert seen == front
    assert browser.find_element(By.ID, "selection").get_attribute("role") == "status"


@pytest.mark.parametrize("scheme", SCHEMES)
def test_text_is_readable_in_the_light_and_in_the_dark(opened, page: Path, scheme: str) -> None:
    browser = opened(page)
    emulate(browser, scheme)
    assert errors(browser) == []
    page_colour = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert (sum(_channels(browser, page_colour)) < 1.5) == (scheme == "dark")
    poor = {name: ratio for name, ratio in _contrasts(browser).items() if ratio < READABLE}
    assert poor == {}
    strokes = {one["kind"]: one["fill"] for one in _mark_colours(browser)}
    assert len(strokes) > 5
    assert all(_contrast(browser, colour, page_colour) >= VISIBLE for colour in strokes.values())


def test_colours_of_the_chart_follow_the_scheme(opened, page: Path) -> None:
    browser = opened(page)
    colours = []
    for scheme in SCHEMES:
        emulate(browser, scheme)
        colours.append([one["fill"] for one in _mark_colours(browser)])
    assert all(light != dark for light, dark in zip(*colours, strict=True))


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("confirmed", [False, True])
def test_nothing_is_wider_than_the_window(opened, tmp_path: Path, width: int, confirmed: bool) -> None:
    directory = write_study(tmp_path / "study", 60, confirmed=confirmed, many=True)
    report(directory, None, live=False, port=None)
    browser = opened(directory / "report.html")
    metrics = {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        browser.refresh()
        drawn(browser)
        assert browser.execute_script("return document.documentElement.scrollWidth") <= width
        chart = browser.find_element(By.ID, "chart").rect
        svg = browser.find_element(By.CSS_SELECTOR, "#chart svg").rect
        assert svg["width"] == pytest.approx(chart["width"], abs=1)
        assert svg["height"] == pytest.approx(chart["height"], abs=1)
        legend = browser.find_elements(By.CSS_SELECTOR, "#chart g.role-legend-label text")
        assert len(legend) == len({design["kind"] for design in designs(browser)})
        assert all(label.rect["x"] + label.rect["width"] <= svg["x"] + svg["width"] for label in legend)
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_markup_in_an_error_does_nothing(opened, page: Path) -> None:
    browser = opened(page)
    assert browser.title == "study: privacy against utility"
    assert "</script><script>document.title" in browser.find_element(By.ID, "errors").text


def test_a_thousand_trials_are_drawn_from_less_than_five_megabytes(opened, tmp_path: Path) -> None:
    directory = write_study(tmp_path / "study", 1000, many=True)
    report(directory, None, live=False, port=None)
    page = directory / "report.html"
    assert page.stat().st_size < 5e6
    browser = opened(page)
    assert errors(browser) == []
    assert len(marks(browser)) == len(designs(browser)) > 600


def test_limit_and_design_are_kept_in_the_address(opened, page: Path) -> None:
    browser = opened(page)
    slide(browser, 0.7)
    other = browser.find_elements(By.CSS_SELECTOR, "#front-table button")[0]
    other.click()
    before = (shown(browser), text(browser, "#limit-value"))
    browser.refresh()
    drawn(browser)
    assert (shown(browser), text(browser, "#limit-value")) == before == (other_id(browser), "0.700")


def other_id(browser: Chrome) -> str:
    return (
        browser.find_element(By.CSS_SELECTOR, "button[aria-pressed=true]").get_attribute("data-design") or ""
    )


def _contrasts(browser: Chrome) -> dict[str, float]:
    """Return the contrast of every kind of text on the page with its background."""
    pairs = json.loads(
        browser.execute_script(
            """
            const opaque = (element) => {
              for (let one = element; one; one = one.parentElement) {
                const colour = getComputedStyle(one).backgroundColor;
                if (!/rgba\\(.*, 0\\)|transparent|color\\(/.test(colour)) return colour;
              }
            };
            const seen = {};
            const every = "h1, h2, h3, p, th, td, dt, dd, button, label, figcaption, summary, code, #chart text";
            for (const element of document.querySelectorAll(every)) {
              if (!element.textContent.trim()) continue;
              const style = getComputedStyle(element);
              const colour = element.ownerSVGElement ? style.fill : style.color;
              const kind = element.className.baseVal ?? element.className;
              seen[`${element.tagName}.${kind} ${colour}`] = [colour, opaque(element)];
            }
            return JSON.stringify(seen);
            """
        )
    )
    assert len(pairs) > 10
    return {name: _contrast(browser, *pair) for name, pair in pairs.items()}


def _mark_colours(browser: Chrome) -> list[dict[str, str]]:
    kinds = {design["kind"]: place for place, design in enumerate(designs(browser))}
    symbols = marks(browser)
    fills = [
        browser.execute_script("return getComputedStyle(arguments[0]).fill", symbols[place])
        for place in kinds.values()
    ]
    return [{"kind": kind, "fill": fill} for kind, fill in zip(kinds, fills, strict=True)]


def _contrast(browser: Chrome, one: str, other: str) -> float:
    """Return the contrast ratio of WCAG 2, from 1 to 21."""
    brighter, darker = sorted(
        (_luminance(_channels(browser, colour)) for colour in (one, other)), reverse=True
    )
    return (brighter + 0.05) / (darker + 0.05)


def _channels(browser: Chrome, colour: str) -> list[float]:
    numbers = colour[colour.index("(") + 1 : colour.index(")")].replace(",", " ").split()
    return [float(number) / 255 for number in numbers[:3]]


def _luminance(channels: list[float]) -> float:
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
