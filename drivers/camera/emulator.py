"""The device's side of a network camera: Motion JPEG over HTTP, behind a TcpHost.

Knobs are what hands do: hold a code before it, take it away. A misbehaviour is what bad light or
a worn camera makes of the picture.
"""

from __future__ import annotations

from types import MappingProxyType

import cv2
import numpy as np
import segno

from drivers.camera.frames import Gray

WIDTH, HEIGHT = 1280, 720
FRAMES_A_SECOND = 15
MODULE_PX = 6
BOUNDARY = b"frame"
REQUEST_BYTES_MAX = 8192
HEAD = (
    b"HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary="
    + BOUNDARY
    + b"\r\n\r\n"
)

MISBEHAVIOURS = MappingProxyType(
    {
        "dark": "the lamp is out",
        "glare": "the sun shines into the middle",
        "blurred": "a smear on the glass",
        "frozen": "sends no more frames, and keeps the connection",
        "torn": "sends broken pictures",
    }
)


class CameraEmulator:
    """An Emulator of a network camera."""

    def __init__(self, *, frames_a_second: int = FRAMES_A_SECOND) -> None:
        self._frame_s = 1 / frames_a_second
        self._asked = bytearray()
        self._streaming = False
        self._next_s = 0.0
        self._misbehaviour = ""
        self._code: Gray | None = None
        self._jpeg = b""

    # -- what hands do

    def show(self, code: str | bytes) -> None:
        """Hold a QR code before the camera until hide(). Bytes go into it as they are."""
        text = code if isinstance(code, str) else code.decode("latin-1")
        encoding = "latin-1" if isinstance(code, bytes) else None
        made = segno.make_qr(text, encoding=encoding, error="m")
        modules = np.array(list(made.matrix_iter(border=4)), np.uint8)
        shades = (1 - modules) * np.uint8(205) + np.uint8(25)
        self._code = np.kron(shades, np.ones((MODULE_PX, MODULE_PX), np.uint8))
        self._jpeg = b""

    def hide(self) -> None:
        """Take the code away."""
        self._code = None
        self._jpeg = b""

    def misbehave(self, name: str) -> None:
        """One of MISBEHAVIOURS from now on."""
        assert name in MISBEHAVIOURS, f"no misbehaviour {name}"
        self._misbehaviour = name
        self._jpeg = b""

    def behave(self) -> None:
        """As the manual says again."""
        self._misbehaviour = ""
        self._jpeg = b""

    def frame(self) -> Gray:
        """What the camera sees now."""
        slope = np.linspace(60, 140, WIDTH, dtype=np.uint8)
        picture = np.tile(slope, (HEIGHT, 1))
        if self._code is not None:
            size = min(self._code.shape[0], HEIGHT)
            top, left = (HEIGHT - size) // 2, (WIDTH - size) // 2
            picture[top : top + size, left : left + size] = self._code[:size, :size]
        return self._spoilt(picture)

    # -- Emulator

    def connected(self) -> None:
        """A new viewer has to ask for the stream itself."""
        self._asked.clear()
        self._streaming = False

    def receive(self, data: bytes) -> bytes:
        """An HTTP request in any cut; after its blank line the stream begins."""
        self._asked += data
        del self._asked[:-REQUEST_BYTES_MAX]
        if b"\r\n\r\n" not in self._asked:
            return b""
        self._asked.clear()
        self._streaming = True
        return HEAD

    def tick(self, now_s: float) -> bytes:
        """The next frame, when it is due."""
        if not self._streaming or self._misbehaviour == "frozen" or now_s < self._next_s:
            return b""
        self._next_s = now_s + self._frame_s
        # The scene changes only by hand: it is drawn and coded once.
        self._jpeg = self._jpeg or self._coded()
        head = b"Content-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(self._jpeg)
        return b"--" + BOUNDARY + b"\r\n" + head + self._jpeg + b"\r\n"

    def _coded(self) -> bytes:
        _, coded = cv2.imencode(".jpg", self.frame(), [cv2.IMWRITE_JPEG_QUALITY, 85])
        jpeg = coded.tobytes()
        return jpeg[:100] + bytes(len(jpeg) - 100) if self._misbehaviour == "torn" else jpeg

    def _spoilt(self, picture: Gray) -> Gray:
        match self._misbehaviour:
            case "dark":
                return np.asarray(picture // 60, np.uint8)
            case "glare":
                cv2.ellipse(picture, (WIDTH // 2, HEIGHT // 2), (420, 300), 0, 0, 360, 255, -1)
            case "blurred":
                return np.asarray(cv2.GaussianBlur(picture, (0, 0), 14), np.uint8)
        return picture
