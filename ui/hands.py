"""The tour's and the tests' finger: a unix socket, one JSON object a line; and its client.

Rule: only there when the screen was started with a hands socket, never on a real terminal. A touch
goes through Kivy's own input pipeline, as a finger's does; no handler is called. Coordinates are
pixels from the upper left corner, as in the pictures.

    {"do": "touch", "target": "next"}            {"do": "touch", "x": 540, "y": 900}
    {"do": "press" | "move" | "release", "x": …, "y": …, "finger": 1}
    {"do": "tree"}     {"do": "screenshot", "path": "/…/a.png"}
    {"do": "wait_page", "page": "home", "timeout_s": 5, "serial_after": 3}
    {"do": "record", "folder": "/…", "prefix": "pay-"}      {"do": "recorded"}

Each answer has "ok"; a refusal has "why". While recording, each screen leaves a picture of its
newest view that could be read and acted on; a screen that was only ever busy, as it was left. One
that was gone before it could be drawn was not shown. `recorded` ends it with the last.
"""

from __future__ import annotations

import json
import queue
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kiosk.views import View, screen_name

if TYPE_CHECKING:
    from ui.shell import Shell

HELD_S = 0.06
"""How long the finger rests: a quick tap of a person."""

BETWEEN_TOUCHES_S = 0.32
"""A little over the 300 ms within which a second touch is not heard (ui.touch)."""

SETTLED_AFTER_FRAMES = 4
"""A new page's labels and layouts have found their size by then."""

ANSWER_TIMEOUT_S = 30.0

Answer = dict[str, Any]


class HandsRefused(Exception):
    """What was asked for cannot be done; the text says why."""


class Hands:
    """The server inside the screen. Runs on its own threads; Kivy's is asked for everything."""

    def __init__(self, shell: Shell, path: Path) -> None:
        self._shell, self._path = shell, path
        self._shown = threading.Condition()
        self._page, self._serial = "", -1
        self._let_go_s = float("-inf")
        self._recording: _Recording | None = None
        shell.on_shown = self._note
        shell.on_leaving = self._left
        path.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(path))
        path.chmod(0o600)
        self._listener.listen(4)
        self._provider: Any = None

    def start(self) -> None:
        """On Kivy's thread, once its event loop runs."""
        from ui.finger import plug_in

        self._provider = plug_in()
        threading.Thread(target=self._accept, name="hands", daemon=True).start()

    def stop(self) -> None:
        self._listener.close()
        self._path.unlink(missing_ok=True)

    def _left(self, old: View, new: View) -> None:
        """On Kivy's thread, before the next view is drawn."""
        if self._recording is not None and screen_name(old) != screen_name(new):
            self._recording.leave(old)

    def _note(self, view: Any) -> None:
        self._look_at(view)
        with self._shown:
            self._page, self._serial = view.page.page, view.serial
            self._shown.notify_all()

    def _look_at(self, view: View) -> None:
        """Once the view has been drawn: a picture, if it is still there for the recording."""
        recording = self._recording
        if recording is None:
            return

        def look(left: int) -> None:
            now = self._shell.stage.view
            if now is None or self._recording is not recording:
                return
            if screen_name(now) != screen_name(view):
                return
            if left > 0 or self._shell.stage.settling:  # no picture of a page that is being fitted
                self._shell.later(lambda: look(left - 1), 0)
            else:
                recording.look(now)

        self._shell.soon(lambda: look(SETTLED_AFTER_FRAMES))

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(
                target=self._serve, args=(connection,), name="hand", daemon=True
            ).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as lines:
            for line in lines:
                try:
                    answer = self._do(json.loads(line))
                except (HandsRefused, ValueError, KeyError, OSError) as error:
                    answer = {"ok": False, "why": f"{type(error).__name__}: {error}"}
                try:
                    connection.sendall(json.dumps(answer, ensure_ascii=False).encode() + b"\n")
                except OSError:
                    return

    def _do(self, message: Answer) -> Answer:
        match message:
            case {"do": "touch", "target": str(target)}:
                return self._touch(
                    *self._on_kivy(lambda: self._centre(target), SETTLED_AFTER_FRAMES)
                )
            case {"do": "touch", "x": x, "y": y}:
                return self._touch(float(x), float(y))
            case {"do": "press" | "move" | "release" as what, "x": x, "y": y}:
                self._finger(what, float(x), float(y), message.get("finger", 1))
                return {"ok": True}
            case {"do": "screenshot", "path": str(path)}:
                return self._screenshot(Path(path))
            case {"do": "tree"}:
                return self._on_kivy(self._tree, SETTLED_AFTER_FRAMES)
            case {"do": "record", "folder": str(folder), "prefix": str(prefix)}:
                self._recording = _Recording(Path(folder), prefix)
                if self._shell.stage.view is not None:
                    self._look_at(self._shell.stage.view)
                return {"ok": True}
            case {"do": "recorded"}:
                return self._on_kivy(self._recorded, SETTLED_AFTER_FRAMES)
            case {"do": "wait_page", "page": str(page)}:
                timeout_s = float(message.get("timeout_s", 5))
                return self._wait(page, timeout_s, int(message.get("serial_after", -2)))
        raise HandsRefused(f"hands cannot do {message.get('do')!r}")

    # --- what hands do ---------------------------------------------------------------------------

    def _touch(self, x: float, y: float) -> Answer:
        rest_s = self._let_go_s + BETWEEN_TOUCHES_S - time.monotonic()
        if rest_s > 0:
            time.sleep(rest_s)
        serial = self._serial
        self._finger("press", x, y, 1)
        time.sleep(HELD_S)
        self._finger("release", x, y, 1)
        self._let_go_s = time.monotonic()
        return {"ok": True, "x": x, "y": y, "serial": serial}

    def _finger(self, what: str, x: float, y: float, finger: object) -> None:
        done = threading.Event()
        self._provider.put(what, x, y, finger, done)
        if not done.wait(ANSWER_TIMEOUT_S):
            raise HandsRefused("the screen takes no input")

    def _centre(self, target: str) -> tuple[float, float]:
        """Where a finger would go for a target: the middle of what is seen of it."""
        from kivy.core.window import Window

        for widget in self._shell.stage.targets():
            if widget.target == target:
                return (widget.center_x, Window.height - widget.center_y)
        here = [widget.target for widget in self._shell.stage.targets()]
        raise HandsRefused(f"no {target!r} on page {self._page}: {here}")

    def _tree(self) -> Answer:
        from ui.walk import describe

        return {"ok": True, "page": self._page, "serial": self._serial} | describe(
            self._shell.stage
        )

    def _screenshot(self, path: Path) -> Answer:
        from ui.picture import screenshot

        self._on_kivy(lambda: None, SETTLED_AFTER_FRAMES)
        self._on_kivy(lambda: screenshot(path))
        return {"ok": True, "path": str(path)}

    def _recorded(self) -> Answer:
        recording, self._recording = self._recording, None
        if recording is None or self._shell.stage.view is None:
            raise HandsRefused("nothing is being recorded")
        recording.keep(self._shell.stage.view)
        recording.leave(self._shell.stage.view)
        return {"ok": True, "screens": recording.screens, "pictures": recording.pictures}

    def _wait(self, page: str, timeout_s: float, serial_after: int) -> Answer:
        with self._shown:
            came = self._shown.wait_for(
                lambda: self._page == page and self._serial > serial_after, timeout_s
            )
            answer = {"ok": came, "page": self._page, "serial": self._serial}
        return answer if came else answer | {"why": f"page {page} did not come in {timeout_s} s"}

    def _on_kivy(self, call: Callable[[], Any], frames: int = 0) -> Any:
        """Have Kivy's thread do it, some frames from now; its result or its refusal."""
        results: queue.Queue[tuple[bool, Any]] = queue.Queue()

        def act() -> None:
            try:
                results.put((True, call()))
            except (HandsRefused, OSError) as error:
                results.put((False, error))

        def step(left: int) -> None:
            # A finger goes where the eye has seen something: not before it has found its place.
            if left > 0 or (frames and self._shell.stage.settling):
                self._shell.later(lambda: step(left - 1), 0)
            else:
                act()

        self._shell.soon(lambda: step(frames))
        try:
            fine, result = results.get(timeout=ANSWER_TIMEOUT_S)
        except queue.Empty:
            raise HandsRefused("the screen does not answer") from None
        if not fine:
            raise result
        return result


class _Recording:
    """One picture a screen, in order."""

    def __init__(self, folder: Path, prefix: str) -> None:
        self._folder, self._prefix = folder, prefix
        self.screens: list[str] = []
        self.pictures: list[str] = []
        self._drawn = self._kept = False  # of the screen that is shown now
        self._seen: View | None = None  # its newest view that was drawn

    def look(self, view: View) -> None:
        """The view has been drawn."""
        self._drawn, self._seen = True, view
        if not view.frame.busy:
            self.keep(view)

    def leave(self, view: View) -> None:
        """Once more what was seen: its layout had all the time it needed."""
        seen = self._seen is not None and self._seen.page == view.page
        if self._drawn and (not self._kept or (seen and not view.frame.busy)):
            self.keep(view)
        self._drawn = self._kept = False
        self._seen = None

    def keep(self, view: View) -> None:
        from ui.picture import screenshot

        if not self._kept:
            name = screen_name(view)
            self.pictures.append(f"{self._prefix}{len(self.screens) + 1:02d}-{name}.png")
            self.screens.append(name)
        screenshot(self._folder / self.pictures[-1])
        self._drawn = self._kept = True


class HandsClient:
    """The other end, for the demo's tour and for tests. Raises HandsRefused."""

    def __init__(self, path: Path | str, timeout_s: float = 10.0) -> None:
        """Waits until the screen is there; OSError when it does not come in time."""
        until_s = time.monotonic() + timeout_s
        while True:
            self._connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                self._connection.connect(str(path))
                break
            except OSError:
                self._connection.close()
                if time.monotonic() > until_s:
                    raise
                threading.Event().wait(0.05)
        self._connection.settimeout(ANSWER_TIMEOUT_S * 2)
        self._lines = self._connection.makefile("rb")

    def touch(self, target: str) -> int:
        """Touch a target; the serial of the view it was touched on."""
        return int(self._ask(do="touch", target=target)["serial"])

    def touch_at(self, x: float, y: float) -> None:
        self._ask(do="touch", x=x, y=y)

    def press(self, x: float, y: float, finger: int = 1) -> None:
        self._ask(do="press", x=x, y=y, finger=finger)

    def move(self, x: float, y: float, finger: int = 1) -> None:
        self._ask(do="move", x=x, y=y, finger=finger)

    def release(self, x: float, y: float, finger: int = 1) -> None:
        self._ask(do="release", x=x, y=y, finger=finger)

    def screenshot(self, path: Path | str) -> None:
        self._ask(do="screenshot", path=str(path))

    def record(self, folder: Path | str, prefix: str) -> None:
        """From now on every screen that is shown leaves a picture in folder."""
        self._ask(do="record", folder=str(folder), prefix=prefix)

    def recorded(self) -> tuple[list[str], list[str]]:
        """End it: the screens' names in order, and their pictures'."""
        answer = self._ask(do="recorded")
        return answer["screens"], answer["pictures"]

    def tree(self) -> Answer:
        """Page, serial, texts and targets with their places: see ui.walk.describe."""
        return self._ask(do="tree")

    def wait_page(self, page: str, timeout_s: float = 5.0, serial_after: int = -2) -> int:
        """Wait until that page is shown with a later serial; its serial."""
        asked = {"do": "wait_page", "page": page, "timeout_s": timeout_s}
        return int(self._ask(**asked, serial_after=serial_after)["serial"])

    def close(self) -> None:
        self._connection.close()

    def _ask(self, **message: object) -> Answer:
        self._connection.sendall(json.dumps(message).encode() + b"\n")
        line = self._lines.readline()
        if not line:
            raise HandsRefused("the screen went away")
        answer: Answer = json.loads(line)
        if not answer["ok"]:
            raise HandsRefused(answer.get("why", "refused"))
        return answer
