"""Draws a sample of every page into pictures: `python -m ui.previews OUT`.

Rule: real pixels off-screen; the same samples as the tests.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from kiosk.views import Language, View
from ui.samples import framed_samples, samples, view_of
from ui.theme import SizeName, ThemeName
from ui.window import configured

SETTLED_AFTER_FRAMES = 3


def draw(
    out: Path,
    languages: list[Language],
    sizes: list[SizeName],
    themes: list[ThemeName],
    only: str,
) -> int:
    """One PNG a page, language, size and theme. Returns how many."""
    from kivy.base import EventLoop
    from kivy.core.window import Window

    from ui.picture import screenshot
    from ui.shell import Shell

    shell = Shell(lambda touch: None, lambda: 0.0)
    EventLoop.start()
    Window.add_widget(shell.build())
    out.mkdir(parents=True, exist_ok=True)
    count = 0
    for language in languages:
        for size in sizes:
            for theme in themes:
                for name, view in views(language, size, theme).items():
                    if name.startswith(only):
                        shell.show(view)
                        for _ in range(SETTLED_AFTER_FRAMES):
                            EventLoop.idle()
                        while shell.stage.settling:
                            EventLoop.idle()
                        screenshot(out / f"{name}-{language}-{size}-{theme}.png")
                        count += 1
    return count


def views(language: Language, size: SizeName, theme: ThemeName) -> dict[str, View]:
    pages = {name: view_of(page, language, size, theme) for name, page in samples().items()}
    return pages | framed_samples(language, size)


def main() -> None:
    parser = argparse.ArgumentParser(description="pictures of every page")
    parser.add_argument("out", type=Path)
    parser.add_argument("--languages", default="zh,en")
    parser.add_argument("--sizes", default="normal,large,extra")
    parser.add_argument("--themes", default="light")
    parser.add_argument("--only", default="", help="pages whose name starts with this")
    given = parser.parse_args()
    os.environ.pop("DISPLAY", None)
    with configured((1080, 1920)):
        count = draw(
            given.out,
            given.languages.split(","),
            given.sizes.split(","),
            given.themes.split(","),
            given.only,
        )
    print(f"{count} pictures in {given.out}", file=sys.stderr)


if __name__ == "__main__":
    main()
