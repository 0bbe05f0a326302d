"""The live page in a real browser: Chromium without a window."""

import json
import random
import re
import time
import tomllib
from collections.abc import Callable
from pathlib import Path

import psutil
from live.browsing import ROOT, at_rest, move, served, verdict, wait_for_another
from playwright.sync_api import Page, expect

from mlsysim.files.plans.plan_file import plan_of
from mlsysim.files.question import load, question_of
from mlsysim.files.templates import template
from mlsysim.live.dials import Dial
from mlsysim.problem.domain import label
from mlsysim.problem.relation import Relation
from mlsysim.results.formatting import number, with_unit

SERVING = ROOT / "models" / "serving" / "seven_accelerators.toml"
NOTHING_FITS = ROOT / "models" / "infeasible" / "pace_within_budget.toml"
TUTORIAL = ROOT / "models" / "training" / "tutorial.toml"
PATIENCE = 60_000
"""Milliseconds that an answer may take where the machine is busy."""


def begin_with(page: Page, kind: str) -> None:
    """Replace the question by one of the package."""
    if not page.get_by_role("button", name=f"ask about {kind}").is_visible():
        page.get_by_text("The question file").click()
    page.get_by_role("button", name=f"ask about {kind}").click()


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until something holds."""
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.1)


def downloaded(page: Page, name: str) -> str:
    """Press a button, and read what it downloads."""
    with page.expect_download() as waiting:
        page.get_by_role("button", name=name).click()
    return Path(waiting.value.path()).read_text(encoding="utf-8")


def test_what_a_moved_slider_says_is_what_its_file_says() -> None:
    """Each movement is answered anew, and the last answer is that of the question it stands for."""
    with served(SERVING) as live:
        page = live.tab()
        assert "OPTIMAL (proven)" in verdict(page)
        expected = load(SERVING).expected
        assert expected is not None
        assert f"= {expected.objective:,.6g} USD/h" in verdict(page)
        slider = page.get_by_role("slider", name="reading_speed slider")
        for steps in (-2, 2, -4):
            before = verdict(page)
            move(slider, steps)
            wait_for_another(page, before)
            at_rest(page)
        # What the page says is what the file that it would export has as its answer.
        text = downloaded(page, "download the question file")
        assert text != SERVING.read_text(encoding="utf-8")
        best = question_of(text, SERVING).solve(top=1).best_objective
        assert f"= {best:,.6g} USD/h" in verdict(page)
        assert not live.problems
        assert live.hosts == {live.address.split("/")[2]}
        assert live.end() == ""


def test_what_does_not_fit_is_cured_by_a_click() -> None:
    """The conflict is shown, and taking what is reachable makes the question feasible."""
    cures = {item.name: item.value for item in load(NOTHING_FITS).solve(workers=1).relaxations}
    assert cures["budget"] is not None
    dial = Dial(place=(), name="budget", value=1e6, relation=Relation.AT_MOST)
    budget = dial.reaching(cures["budget"])  # the next round number lets it through
    with served(NOTHING_FITS) as live:
        page = live.tab()
        assert "INFEASIBLE (proven)" in verdict(page)
        expect(page.get_by_text("EconomicsModel.tco_usd <= 1000000").first).to_be_visible()
        page.get_by_role("button", name=f"require budget {dial.shown(budget)}").click()
        expect(page.locator(".status .verdict")).to_contain_text("OPTIMAL (proven)")
        expect(page.get_by_role("spinbutton", name="budget")).to_have_value(f"{budget:.0f}")
        at_rest(page)
        # And the other way: without the budget, what was out of reach is in it.
        page.get_by_role("checkbox", name="require budget").click()
        at_rest(page)
        assert (
            "budget"
            not in tomllib.loads(downloaded(page, "download the question file"))["constraints"]
        )
        page.get_by_role("checkbox", name="require budget").click()
        at_rest(page)
        text = downloaded(page, "download the question file")
        assert tomllib.loads(text)["constraints"]["budget"] == {
            "require": f"EconomicsModel.tco_usd <= {budget:.0f}",
            "because": "That is what the grant pays.",
        }
        assert not live.problems
        assert live.end() == ""


def test_a_value_can_be_asked_about_and_designs_stand_side_by_side() -> None:
    """Why not, the front, the list of designs, two of them beside each other, and the exports."""
    question = load(SERVING)
    told = question.why_not({"fleet": "H100_SXM"}, workers=1)
    best, cost = told.best.best_params, with_unit(told.found.best_objective, told.found.unit)
    with served(SERVING) as live:
        page = live.tab()
        page.get_by_role("button", name="why not fleet = H100_SXM?").click()
        expect(page.locator(".part", has_text="Why not another value")).to_contain_text(
            f"minimize: ServingEconomicsModel.cost_per_hour = {cost} with fleet=H100_SXM"
        )
        page.get_by_role("button", name="Keep it to compare").click()
        page.get_by_role("button", name="show point 3", exact=True).click()
        expect(page.get_by_text("Point 3: fleet=")).to_be_visible()
        beside = page.locator(".part", has=page.get_by_text("Side by side"))
        expect(beside.get_by_role("row", name="cost_per_hour").first).to_contain_text(
            number(told.best.best_objective)
        )
        expect(page.locator(".chart canvas")).to_be_visible()
        report = json.loads(downloaded(page, "download the answer as JSON"))
        assert report["designs"][0]["params"]["fleet"] == label(best["fleet"])
        assert downloaded(page, "download the report as a page").startswith("<!doctype html>")
        page.get_by_role("button", name="show the launch with vllm").click()
        expect(page.locator("pre")).to_contain_text("vllm serve")
        assert not live.problems
        assert live.end() == ""


def test_a_plan_is_drawn_and_its_dates_move() -> None:
    """A bar for each piece of a run; a deadline that cannot be kept leaves none, and is told."""
    text = template("plan").replace("FILE", "plan.toml")
    plan = plan_of(text, "plan.toml")
    found = plan.solve(workers=1)
    assert found.schedule is not None
    cost = with_unit(found.objectives[0], found.question.goals[0].unit)
    pieces = sum(len(run.pieces) for run in found.schedule)
    with served(TUTORIAL) as live:
        page = live.tab()
        line, bars = page.locator(".status .verdict"), page.locator("svg.plan rect.run")
        begin_with(page, "plan")
        expect(line).to_contain_text(f"cost = {cost}", timeout=PATIENCE)
        expect(bars).to_have_count(pieces)
        expect(page.get_by_text("Why not another value?")).to_be_hidden()
        expect(page.get_by_text("Why not another way?")).to_be_visible()
        page.get_by_label("deadline of code").fill("2027-01-08")
        expect(line).to_contain_text("INFEASIBLE (proven)", timeout=PATIENCE)
        expect(bars).to_have_count(0)
        at_rest(page)
        moved = plan_of(downloaded(page, "download the plan's file"), "plan.toml")
        assert moved.solve(workers=1).status == "INFEASIBLE"
        page.get_by_role("button", name="drop code.deadline").click()
        expect(line).to_contain_text("OPTIMAL (proven)", timeout=PATIENCE)
        at_rest(page)
        text = downloaded(page, "download the plan's file")
        assert "deadline" not in tomllib.loads(text)["jobs"]["code"]
        begin_with(page, "plan")
        expect(line).to_contain_text(f"cost = {cost}", timeout=PATIENCE)
        expect(bars).to_have_count(pieces)
        at_rest(page)
        page.get_by_role("button", name="why not base tp_size = 8?").click()
        told = page.locator(".part", has_text="Why not another way?").locator("[aria-live]")
        expect(told).to_contain_text("With jobs.base.space.tp_size = [8]:", timeout=PATIENCE)
        assert downloaded(page, "download as a calendar").count("BEGIN:VEVENT") >= pieces
        begin_with(page, "serving")
        expect(line).to_contain_text("usd_per_million_tokens", timeout=PATIENCE)
        expect(page.get_by_text("Why not another value?")).to_be_visible()
        assert not live.problems
        assert live.end() == ""


def test_tabs_do_not_disturb_each_other() -> None:
    """Each tab has its own question and process, and takes the process along when it is closed."""
    with served(TUTORIAL) as live:
        one, other = live.tab(), live.tab()
        before = verdict(other)
        begin_with(one, "serving")
        expect(one.locator(".status .verdict")).to_contain_text("usd_per_million_tokens")
        at_rest(other)
        # The times differ from run to run; the answers do not.
        assert re.sub(r"in [\d.]+ m?s", "", verdict(other)) == re.sub(r"in [\d.]+ m?s", "", before)
        children = psutil.Process(live.process.pid).children(recursive=True)
        searching = [item for item in children if "spawn_main" in " ".join(item.cmdline())]
        assert len(searching) == 2
        other.close()
        wait_for(lambda: sum(item.is_running() for item in searching) == 1)
        assert not live.problems
        assert live.end() == ""
        assert not psutil.wait_procs(children, timeout=30)[1]


def test_what_is_wrong_is_said_in_place() -> None:
    """A misspelt word in the text is told as the command line tells it, and mended there."""
    best = load(TUTORIAL).solve(workers=1).best_objective
    with served(TUTORIAL) as live:
        page = live.tab()
        page.get_by_text("The question file").click()
        field = page.get_by_role("textbox", name="the text of the question file")
        text = field.input_value()
        field.fill(text.replace("effective_throughput", "effective_thruput"))
        page.get_by_role("button", name="Ask this").click()
        expect(page.get_by_role("alert")).to_contain_text("effective_throughput")
        field.fill(text)
        page.get_by_role("button", name="Ask this").click()
        expect(page.get_by_role("alert")).to_be_hidden()
        assert number(best) in verdict(page)
        assert not live.problems
        assert live.end() == ""


def test_everything_can_be_reached_by_keyboard_and_has_a_name() -> None:
    """Whatever can be focused says what it is, and the tabulator key comes by all of it."""
    with served(SERVING) as live:
        page = live.tab()
        nameless = page.evaluate(
            """() => [...document.querySelectorAll('button, input, textarea, select, summary')]
                .filter(it => it.offsetParent !== null && it.type !== 'hidden')
                .filter(it => !(it.ariaLabel || it.textContent || it.labels?.length))
                .map(it => it.outerHTML.slice(0, 200))"""
        )
        assert nameless == []
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to the answer")).to_be_focused()
        passed = set()
        for _ in range(60):
            page.keyboard.press("Tab")
            passed.add(page.evaluate("document.activeElement.getAttribute('aria-label')"))
        assert {"require first_token", "first_token slider", "first_token, in ms"} <= passed
        assert {"why not tp = 8?", "show point 1"} & passed
        assert page.locator("[aria-live]").count() >= 2
        assert live.end() == ""


def test_two_hundred_random_interactions_leave_no_error() -> None:
    """Sliders, boxes, buttons and fields at random, faster than anything is answered."""
    chance = random.Random(18)  # noqa: S311 - no secret
    with served(SERVING) as live:
        page = live.tab()
        kinds = ("slider", "button", "checkbox", "number")
        for _ in range(200):
            touch(page, chance, chance.choices(kinds, (6, 4, 2, 2))[0])
            page.wait_for_timeout(chance.choice((0, 20, 150)))
        at_rest(page)
        begin_with(page, "training")
        expect(page.locator(".status .verdict")).to_contain_text("effective_throughput")
        at_rest(page)
        assert not live.problems
        assert live.end() == ""


def touch(page: Page, chance: random.Random, kind: str) -> None:
    """Touch something of a kind; it may be gone by then, as for anybody who is quick."""
    selectors = {
        "slider": "input[type=range]",
        "button": "button.press",
        "checkbox": "[role=checkbox]",
        "number": "input[type=number]",
    }
    page.evaluate(
        """([selector, share, kind]) => {
            const all = [...document.querySelectorAll(selector)]
                .filter(it => it.offsetParent !== null);
            if (!all.length) return;
            const it = all[Math.floor(share * all.length)];
            if (it.closest('details')) return;
            if (kind === 'slider' || kind === 'number') {
                const other = (share * 7919) % 1;
                it.value = kind === 'slider' ? Math.floor(other * (Number(it.max) + 1))
                    : ['', '-3', '0', '1e9', '17', '0.25'][Math.floor(other * 6)];
                it.dispatchEvent(new Event('input', {bubbles: true}));
            } else it.click();
        }""",
        [selectors[kind], chance.random(), kind],
    )
