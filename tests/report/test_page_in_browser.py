"""The page of a report, opened from disk in a real browser: its chart responds."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from report.asked import FOUND, IMPOSSIBLE, machine
from report.browser import PROGRAMS, Browser, program

from mlsysim.files.question import load
from mlsysim.report import cloud_of, report_of

FRONT = Path(__file__).parents[2] / "models" / "fleet" / "choice_of_fleet.toml"

pytestmark = pytest.mark.skipif(
    program() is None, reason=f"no browser is installed (looked for {', '.join(PROGRAMS)})"
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start a browser, once."""
    with Browser() as started:
        yield started


@pytest.fixture
def page(browser: Browser, tmp_path: Path) -> Iterator[Browser]:
    """Open the page of a search; in the end nothing may have gone wrong in it."""
    report = report_of(FOUND, FOUND.search(machine, top=4))
    target = tmp_path / "report.html"
    target.write_text(report.to_page(cloud_of(FOUND.problem, machine)), encoding="utf-8")
    browser.problems.clear()
    browser.open(target)
    yield browser
    assert browser.problems == []


def count(browser: Browser, selector: str) -> int:
    """Count elements."""
    return int(browser.run(f"document.querySelectorAll({selector!r}).length"))


def text(browser: Browser, selector: str) -> str:
    """Read an element."""
    return str(browser.run(f"document.querySelector({selector!r}).textContent"))


def test_the_chart_shows_every_design(page: Browser) -> None:
    """Four numbered designs, and a dot for each other feasible one."""
    cloud = cloud_of(FOUND.problem, machine)
    assert cloud is not None
    assert count(page, "#chart .best") == 4
    assert count(page, "#chart .dot") == cloud.feasible - 4
    assert text(page, "#y-title") == "rate [1/s] (more is better)"
    assert text(page, "#x-title") == "step [ms] (less is better)"


def test_the_axes_can_be_chosen(page: Browser) -> None:
    """Another measure across: title and places change, the designs stay."""
    places = "[...document.querySelectorAll('#chart .best')].map(e => e.getAttribute('transform'))"
    before = page.run(places)
    options = page.run("[...document.getElementById('across').options].map(o => o.text)")
    wanted = options.index("memory [GB]")
    page.run(
        f"(() => {{ const s = document.getElementById('across'); s.value = {wanted};"
        " s.dispatchEvent(new Event('change')); })()"
    )
    assert text(page, "#x-title") == "memory [GB] (less is better)"
    assert page.run(places) != before
    assert count(page, "#chart .best") == 4
    # Numeric choices that vary are axes as well; "kind" is neither.
    assert {"wide", "deep"} <= set(options)
    assert "kind" not in options


def test_the_best_design_lies_where_its_numbers_say(page: Browser) -> None:
    """Among the numbered designs the first is the highest, and no dot lies above it."""
    heights = page.run(
        "[...document.querySelectorAll('#chart .best')].map(e =>"
        " [e.dataset.place, Number(e.getAttribute('transform').split(' ')[1].slice(0, -1))])"
    )
    dots = page.run("[...document.querySelectorAll('#chart .dot')].map(e => +e.getAttribute('cy'))")
    lowest = dict(heights)["0"]
    assert all(lowest <= height for _, height in heights)
    assert all(lowest <= height + 1e-6 for height in dots)


def test_pointing_at_a_design_tells_it(page: Browser) -> None:
    """The mouse on the first design: its choices and measures are written below."""
    page.point("#chart .best[data-place='0'] circle")
    told = text(page, "#told")
    # 4 wide and 8 deep, 30 + 40 ms: 14.2857 a second.
    assert told.startswith("Design 1: wide=4, deep=8, kind=only")
    assert "rate 14.2857 1/s" in told
    assert "step 70 ms" in told


def test_choosing_a_row_shows_its_design(page: Browser) -> None:
    """A click on the second row: its breakdown appears, its point is marked, the first hides."""
    page.point("#designs tbody tr:nth-child(2) td", click=True)
    shown = page.run("[...document.querySelectorAll('.panel')].map(e => !e.hidden)")
    assert shown == [False, True, False, False]
    assert page.run("document.querySelector('#chart .chosen').dataset.place") == "1"
    assert text(page, "#designs tr[aria-selected='true'] td") == "2"


def test_the_keyboard_is_enough(page: Browser) -> None:
    """A focused point tells its design, and Enter chooses it."""
    page.run("document.querySelector(\"#chart .best[data-place='2']\").focus()")
    assert text(page, "#told").startswith("Design 3: ")
    page.press("Enter")
    assert page.run("document.getElementById('design-2').hidden") is False
    assert page.run("document.getElementById('design-0').hidden") is True


def test_text_is_readable_on_light_and_on_dark(page: Browser) -> None:
    """The contrast of text and background is 4.5 or more (WCAG 2.1, level AA) in both."""
    for scheme in ("light", "dark"):
        page.call(
            "Emulation.setEmulatedMedia",
            features=[{"name": "prefers-color-scheme", "value": scheme}],
        )
        for selector in ("h1", ".verdict", ".verdict b", ".note", "th", "td.bad", "td.good"):
            assert contrast(page, selector) >= 4.5, (scheme, selector)
    page.call("Emulation.setEmulatedMedia", features=[])


def test_a_front_is_drawn_by_its_objectives(browser: Browser, tmp_path: Path) -> None:
    """The page of a front has its two objectives as axes and joins all its points."""
    question = load(FRONT)
    front = question.pareto()
    target = tmp_path / "front.html"
    cloud = cloud_of(question.problem, question.evaluate, front.objectives)
    target.write_text(report_of(question, front).to_page(cloud), encoding="utf-8")
    browser.open(target)
    assert count(browser, "#chart .best") == len(front)
    assert text(browser, "#x-title").startswith("tco usd")
    assert text(browser, "#y-title").startswith("effective throughput")
    # A step for each point after the first: no dot beats the front.
    steps = browser.run("document.querySelector('#chart .front').getAttribute('d')")
    assert steps.count("H") == len(front) - 1
    browser.point("#designs tbody tr:nth-child(3) td", click=True)
    assert browser.run("document.getElementById('design-2').hidden") is False


def test_a_proof_that_nothing_fits_has_a_page(browser: Browser, tmp_path: Path) -> None:
    """Without designs there is no chart, and no script fails."""
    report = report_of(IMPOSSIBLE, IMPOSSIBLE.search(machine))
    target = tmp_path / "report.html"
    target.write_text(report.to_page(), encoding="utf-8")
    browser.problems.clear()
    browser.open(target)
    assert text(browser, ".verdict").startswith("INFEASIBLE")
    assert count(browser, "#chart") == 0
    assert browser.problems == []


def contrast(browser: Browser, selector: str) -> float:
    """Measure the contrast of an element's text with what lies behind it."""
    colours = browser.run(
        f"(() => {{ let e = document.querySelector({selector!r}); const ink = getComputedStyle(e)"
        ".color; while (getComputedStyle(e).backgroundColor === 'rgba(0, 0, 0, 0)')"
        " e = e.parentElement; return [ink, getComputedStyle(e).backgroundColor]; })()"
    )
    light, dark = sorted((luminance(colour) for colour in colours), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    """Give the relative luminance of ``rgb(r, g, b)``, by WCAG 2.1."""
    parts = [int(part) / 255 for part in colour[4:-1].split(",")]
    linear = [
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
