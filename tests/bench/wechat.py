"""WeChat's decoder, asked in a process of its own: it comes only with another build of OpenCV.

    python -m tests.bench.wechat        (started by the codes' bench; frames in, findings out)

Two builds of OpenCV cannot stand in one environment. `./run bench` lays the larger one in a folder
of its own; where that is missing, the bench says which engine it did not compare with.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any

import cv2
import numpy

from tests.bench.code_frames import Gray

FOLDER = Path(sys.prefix) / "share" / "kiosk" / "opencv-contrib"


def installed() -> bool:
    """The build that holds this decoder is there."""
    return (FOLDER / "cv2").is_dir()


class WeChat:
    """An engine of the bench: a picture in, contents out."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.wechat"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(FOLDER)},
        )

    def __enter__(self) -> WeChat:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.communicate()  # the end of its input is its end

    def __call__(self, picture: Gray) -> list[bytes]:
        told, heard = self._process.stdin, self._process.stdout
        assert told is not None and heard is not None
        height, width = picture.shape[:2]
        told.write(f"{height} {width}\n".encode() + numpy.ascontiguousarray(picture).tobytes())
        told.flush()
        return [bytes.fromhex(content) for content in json.loads(heard.readline())]


def serve() -> None:
    """Frames from standard input, one line of JSON each: the contents found, in hex."""
    cv2.setNumThreads(1)
    contrib: Any = cv2  # what the usual build's types do not know
    decoder = contrib.wechat_qrcode.WeChatQRCode()
    while line := sys.stdin.buffer.readline():
        height, width = (int(word) for word in line.split())
        data = sys.stdin.buffer.read(height * width)
        picture = numpy.frombuffer(data, numpy.uint8).reshape(height, width)
        print(json.dumps([content.hex() for content in contents(decoder, picture)]), flush=True)


def contents(decoder: Any, picture: Gray) -> list[bytes]:
    """What was found. Its binding takes all for UTF-8: what is not, the error hands over."""
    try:
        return [text.encode() for text in decoder.detectAndDecode(picture)[0]]
    except UnicodeDecodeError as error:
        return [error.object]


if __name__ == "__main__":
    serve()
