"""Makes docs/images/organize.svg, the picture of a terminal in README.md: `python scripts/terminal_picture.py`.

It records a real run: `organize` of the library of `scripts/demo`, on an S3 server on this machine as slow as one far
away and priced as at AWS. The program runs in a pseudo terminal, and a terminal emulator (pyte) knows what is on the screen. The
picture shows these screens in turn; pauses are cut, and flashes prolonged. Where nothing may move, it shows the last screen, and
its description is the text of that screen.
"""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import tempfile
import termios
import time
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from orchestrator.rclone.binary import find_rclone
from scripts import demo_library
from tests.servers.remotes import BUCKET, s3_serve
from tests.servers.tcp import tcp_proxy

PICTURE = Path(__file__).parents[1] / "docs" / "images" / "organize.svg"
COLUMNS, ROWS = 80, 34
ROUND_TRIP_S = 0.15
QUESTION = "[w]rite plan"

SHORTEST_S, LONGEST_S = 0.3, 1.2
READ_S = 6.0
"""For the screen with the question, and for the last one."""

Style = tuple[str, bool]
"""A class of colour, and whether it is bold."""
Row = tuple[tuple[int, str, Style], ...]
"""Column, text and style of each part of a row."""


@dataclass(frozen=True)
class Moment:
    """What the terminal shows from a time on."""

    at_s: float
    rows: tuple[Row, ...]

    @property
    def text(self) -> str:
        """Without colours."""
        lines = []
        for row in self.rows:
            line = ""
            for column, text, _ in row:
                line = line.ljust(column) + text
            lines.append(line.rstrip())
        return "\n".join(lines).rstrip("\n")


def record() -> list[Moment]:
    """Organize the library of the demo, and return each screen that differs from the one before."""
    with tempfile.TemporaryDirectory(prefix="picture") as work_:
        work = Path(work_)
        with s3_serve(find_rclone(None).path, work) as server, tcp_proxy(server.port, rtt_s=ROUND_TRIP_S) as far:
            demo_library.main(work / "served" / BUCKET)
            (work / "rclone.conf").write_text(server.section("cloud", port=far.port), encoding="utf-8")
            (work / "config.yaml").write_text(
                "remotes: {cloud: {prices: s3}}\n", encoding="utf-8"
            )  # this server has none of its own
            environment = {
                "HOME": str(work),
                "LANG": "C.UTF-8",
                "MUSIC_ORCHESTRATOR_CONFIG": str(work / "config.yaml"),
                "MUSIC_ORCHESTRATOR_STATE_DIR": str(work / "state"),
                "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
                "RCLONE_CONFIG": str(work / "rclone.conf"),
                "TERM": "xterm-256color",
            }
            return _run(["music-orchestrator", "organize", server.fs(name="cloud")], environment, work)


def _run(command: list[str], environment: dict[str, str], folder: Path) -> list[Moment]:
    import pyte  # noqa: PLC0415 - only a new picture needs it

    screen = pyte.Screen(COLUMNS, ROWS)
    stream = pyte.ByteStream(screen)
    stream.feed(f"$ {' '.join(command)}\r\n".encode())
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    process = subprocess.Popen(command, cwd=folder, env=environment, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    began, moments, answered = time.monotonic(), [Moment(0, _rows(screen))], False
    while output := _output(ours):
        stream.feed(output.replace(b"\x1b[2m", b"\x1b[90m"))  # pyte knows no faint text, but grey
        if (rows := _rows(screen)) != moments[-1].rows:
            moments.append(Moment(time.monotonic() - began, rows))
        if not answered and QUESTION in moments[-1].text:
            os.write(ours, b"y\n")
            answered = True
    os.close(ours)
    if process.wait() not in (0, 3):  # 3: the file without tags is left
        sys.exit(f"music-orchestrator failed:\n{moments[-1].text}")
    return moments


def _output(terminal: int) -> bytes:
    """What comes next; nothing at the end."""
    try:
        return os.read(terminal, 1 << 16)
    except OSError:  # Linux: the other end is closed
        return b""


def _rows(screen: Any) -> tuple[Row, ...]:
    rows = []
    for line in range(ROWS):
        cells = [screen.buffer[line][column] for column in range(COLUMNS)]
        parts, column = [], 0
        for style, group in groupby(cells, _style):
            text = "".join(cell.data for cell in group)
            if text.strip():
                indent = len(text) - len(text.lstrip())
                parts.append((column + indent, text.strip(), style))
            column += len(text)
        rows.append(tuple(parts))
    return tuple(rows)


def _style(cell: Any) -> Style:
    return ("plain" if cell.fg == "default" else cell.fg, bool(cell.bold))


WIDTH, HEIGHT, LEFT, TOP = 8.4, 17, 18, 44
"""Of a cell, and of the space around them, in pixels."""
SHOWN_WIDTH = 640

_BUTTONS = ((22, "#ff6b60"), (42, "#f2c14e"), (62, "#5ecb6b"))
_STYLE = """
text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;fill:#e6e9ef;white-space:pre}
.b{font-weight:700}.brown,.yellow{fill:#f2c14e}.cyan{fill:#62d0e3}.green{fill:#7fd88f}.red{fill:#ff8a80}.blue{fill:#8ab4ff}.magenta{fill:#e2a1f5}
.brightblack{fill:#a3acba}
"""


def picture(moments: list[Moment]) -> str:
    """The SVG of a recording."""
    shown = _shown(moments)
    starts = [sum(seconds for _, seconds in shown[:index]) for index in range(len(shown) + 1)]
    rules, parts = [], []
    for line in range(ROWS):
        for row, found in groupby(enumerate(shown), lambda one: one[1][0].rows[line]):  # noqa: B023 - used at once
            indices = [index for index, _ in found]
            if row:
                first, after = indices[0], indices[-1] + 1
                name = f"m{first}-{after}"
                texts = "".join(_text(part, line) for part in row)
                parts.append(f'<g class="{name}">{texts}</g>')
                rules.append((name, first, after))
    style = "".join(_rule(*rule, starts) for rule in dict.fromkeys(rules))
    width, height = round(LEFT * 2 + COLUMNS * WIDTH), TOP + ROWS * HEIGHT
    last = escape(shown[-1][0].text)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{SHOWN_WIDTH}" role="img">\n'
        f"<title>music-orchestrator organizes a library in the cloud</title>\n<desc>{last}</desc>\n"
        f"<style>{_STYLE}{style}\n@media(prefers-reduced-motion:reduce){{g{{animation:none!important}}}}</style>\n"
        f'<rect x=".5" y=".5" width="{width - 1}" height="{height - 1}" rx="10" fill="#14181f" stroke="#5b6472"/>\n'
        + "".join(f'<circle cx="{x}" cy="20" r="6" fill="{fill}"/>' for x, fill in _BUTTONS)
        + "\n"
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def _shown(moments: list[Moment]) -> list[tuple[Moment, float]]:
    """Each moment, and for how many seconds it is shown: the last screen of every SHORTEST_S, and those to be read."""
    kept: list[tuple[Moment, float]] = []
    for moment, after in zip(moments, [*moments[1:], None], strict=True):
        if after is None or moment.text.endswith(QUESTION):
            kept.append((moment, READ_S))
        elif (seconds := after.at_s - moment.at_s) >= SHORTEST_S / 3:
            kept.append((moment, min(max(seconds, SHORTEST_S), LONGEST_S)))
    return kept


def _rule(name: str, first: int, after: int, starts: list[float]) -> str:
    """Shows a row in its time; what is on the last screen is shown where nothing moves."""
    if first == 0 and after == len(starts) - 1:
        return ""
    whole = starts[-1]
    begin, end = (round(100 * starts[index] / whole, 2) for index in (first, after))
    last = after == len(starts) - 1
    frames = f"0%{{opacity:{int(first == 0)}}}{begin}%{{opacity:1}}" + ("" if last else f"{end}%{{opacity:0}}")
    still = "" if last else "opacity:0;"
    moving = f"animation:{name} {whole:.1f}s step-end -{starts[-2]:.1f}s infinite"  # the last screen comes first
    return f"\n@keyframes {name}{{{frames}}}.{name}{{{still}{moving}}}"


def _text(part: tuple[int, str, Style], line: int) -> str:
    column, text, (colour, bold) = part
    classes = " ".join([*([] if colour == "plain" else [colour]), *(["b"] if bold else [])])
    named = f' class="{classes}"' if classes else ""
    x, y = LEFT + column * WIDTH, TOP + line * HEIGHT + 14
    return f'<text x="{x:.4g}" y="{y}" textLength="{len(text) * WIDTH:.4g}"{named}>{escape(text)}</text>'


if __name__ == "__main__":
    PICTURE.write_text(picture(record()), encoding="utf-8")
