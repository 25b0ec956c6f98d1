"""Take the pictures of docs/pictures/ from the demo: ``make pictures``, or ``python -m tests.pictures [NAME …]``.

The demo starts with the data that it has; after ``make reset`` it makes new data. Each picture is taken light and dark.
"""

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from ddc.stack.state import read_env

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "pictures"
WIDE, NARROW = (1280, 800), (390, 844)
MOST_BYTES = 100_000
_QUALITIES = (88, 80, 70, 60, 50)


def main(names: list[str]) -> int:
    """Take the pictures with these names, or all; return the exit code."""
    with _demo() as env:
        os.environ.update(env, DJANGO_SETTINGS_MODULE="ddc.settings", DJANGO_ALLOW_ASYNC_UNSAFE="true")
        import django

        django.setup()
        from tests.pictures.pages import pages

        chosen = [page for page in pages() if not names or page.name in names]
        with sync_playwright() as playwright:
            from tests.admin.test_message_in_browser import ARGUMENTS, chromium

            browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
            for user in dict.fromkeys(page.user for page in chosen):
                cookies = _signed_in(browser, env, user)
                for scheme in ("light", "dark"):
                    for size in (WIDE, NARROW):
                        context = browser.new_context(
                            base_url=env["PUBLIC_URL"],
                            color_scheme=scheme,  # type: ignore[arg-type]
                            viewport={"width": size[0], "height": size[1]},
                            reduced_motion="reduce",
                            storage_state=cookies,  # type: ignore[arg-type]
                        )
                        view = context.new_page()
                        for page in chosen:
                            if page.user == user and (page.wide if size == WIDE else page.narrow):
                                _take(view, page.path, f"{page.name}-{scheme}{'' if size == WIDE else '-390'}")
                        context.close()
            browser.close()
    return 0


def _take(view: Page, path: str, name: str) -> None:
    view.goto(path, wait_until="networkidle")
    shot = Image.open(io.BytesIO(view.screenshot(animations="disabled"))).convert("RGB")
    FOLDER.mkdir(exist_ok=True)
    target = FOLDER / f"{name}.webp"
    for quality in _QUALITIES:
        shot.save(target, quality=quality, method=6)
        if target.stat().st_size <= MOST_BYTES:
            break
    print(f"{target.relative_to(ROOT)}: {target.stat().st_size // 1000} KB")


def _signed_in(browser: Browser, env: dict[str, str], user: str) -> object:
    """Sign a user in and return the browser's cookies."""
    if user.startswith("debtor-"):
        return _visiting(env["PUBLIC_URL"], language=user.partition("-")[2])
    context = browser.new_context(base_url=env["PUBLIC_URL"])
    page = context.new_page()
    page.goto("/admin/login/")
    page.fill("input[name=username]", user)
    page.fill("input[name=password]", env["DEMO_PASSWORD"])
    page.keyboard.press("Enter")
    page.wait_for_url("**/admin/")
    state = context.storage_state()
    context.close()
    return state


def _visiting(url: str, *, language: str) -> object:
    """Return the cookies of the portal's debtor."""
    from django.utils.timezone import now

    from ddc.common import page_language
    from portal import tokens
    from portal.pages import pages
    from tests.pictures.pages import portal_debtor

    values = {pages.TOKEN_COOKIE: tokens.issue_for_pages(portal_debtor(), now=now()), page_language.COOKIE: language}
    host = url.partition("://")[2].partition(":")[0]
    common = {"domain": host, "path": pages.PATH, "expires": -1, "httpOnly": True, "secure": False, "sameSite": "Lax"}
    return {"cookies": [{"name": name, "value": value, **common} for name, value in values.items()], "origins": []}


@contextmanager
def _demo() -> Iterator[dict[str, str]]:
    """Run the demo, and yield its settings once it is up."""
    command = [sys.executable, "-m", "ddc.stack", "demo"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as demo:
        try:
            assert demo.stdout is not None
            for line in demo.stdout:
                print(line, end="")
                if line.startswith("Ctrl-C"):
                    break
            else:
                raise SystemExit("The demo did not start.")
            yield read_env(ROOT / ".state" / "demo.env")
        finally:
            demo.terminate()
            demo.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
