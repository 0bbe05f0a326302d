"""The page in a real browser: Chromium of the system, without a window and without a network."""

import json
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, sync_playwright

ROOT = Path(__file__).parents[2]
PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


@dataclass
class Live:
    """A page that is served, and what is heard of it.

    Parameters
    ----------
    browser
        Opens tabs.
    address
        Of the page.
    process
        The command.
    problems
        Errors of the browser's console.
    hosts
        Whom the browser asked for anything.
    """

    browser: Browser
    address: str
    process: "subprocess.Popen[str]"
    problems: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)

    def tab(self, *, answered: bool = True) -> Page:
        """Open a tab, and wait until the first answer and its front stand there."""
        page = self.browser.new_context(accept_downloads=True).new_page()
        page.set_default_timeout(60_000)
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("request", lambda request: self.hosts.add(request.url.split("/")[2]))
        page.goto(self.address)
        if answered:
            page.wait_for_selector(".headline .verdict")
            at_rest(page)
        return page

    def end(self) -> str:
        """End the command as Ctrl-C does, and give what it wrote to its log."""
        self.process.send_signal(signal.SIGINT)
        _, log = self.process.communicate(timeout=60)
        assert self.process.returncode == 0, log
        return log

    def _hear(self, message: object) -> None:
        if getattr(message, "type", "") in {"error", "warning"}:
            self.problems.append(str(message))


def at_rest(page: Page) -> None:
    """Wait until nothing is under way any more: no progress for a while."""
    page.wait_for_function(
        """() => {
            const idle = document.querySelector('.progress.idle') !== null;
            window.idleSince = idle ? (window.idleSince ?? performance.now()) : undefined;
            return idle && performance.now() - window.idleSince > 400;
        }""",
        polling=50,
    )


def verdict(page: Page) -> str:
    """Read the first line."""
    return page.locator(".status .verdict").inner_text()


def wait_for_another(page: Page, before: str) -> None:
    """Wait until the first line is another than it was."""
    shown = "document.querySelector('.status .verdict').innerText"
    page.wait_for_function(f"{shown} != {json.dumps(before)}", polling=10)


def move(slider: Locator, steps: int) -> None:
    """Move a slider as the arrow keys do."""
    for _ in range(abs(steps)):
        slider.press("ArrowRight" if steps > 0 else "ArrowLeft")


@contextmanager
def served(file: Path, *options: str) -> Iterator[Live]:
    """Serve a file and start a browser."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        pytest.skip("no Chromium is installed: apt-get install chromium")
    process = subprocess.Popen(  # noqa: S603 - our own command
        [
            *(sys.executable, "-c", "from mlsysim.cli import main; main()"),
            *("serve", str(file), "--port", "0", *options),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert process.stdout is not None
    try:
        address = re.search(r"http\S+", process.stdout.readline())
        assert address is not None
        with sync_playwright() as driver:
            flags = ["--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
            browser = driver.chromium.launch(executable_path=program, args=flags)
            yield Live(browser=browser, address=address[0], process=process)
            browser.close()
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()
