"""On a real terminal: questions are asked there, bars come and go, and Ctrl-C at a question ends it."""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.simulators.gate import layout
from tests.simulators.images import image, push

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(shutil.which("setsid") is None, reason="setsid gives a process its terminal")


@dataclass
class Screen:
    """A process on a terminal of its own, and what it wrote so far."""

    process: subprocess.Popen[bytes]
    terminal: int
    seen: str = ""

    def read_until(self, text: str, seconds: float = 60) -> None:
        """Read until a text was written."""
        end = time.monotonic() + seconds
        while text not in self.seen:
            assert time.monotonic() < end, f"{text!r} never came:\n{self.seen}"
            self._read(0.2)

    def close(self, again: str = "", seconds: float = 120) -> int:
        """Read to the end; returns the exit status.

        ``again`` is typed once a second until then, as a person would: a Ctrl-C that comes after a question was shown
        and before Python begins to read is only seen at the next key.
        """
        begun = time.monotonic()
        typed = 0
        while self.process.poll() is None:
            self._read(0.1)
            passed = time.monotonic() - begun
            assert passed < seconds, f"it does not end:\n{self.seen}"
            if again and passed > typed + 1:
                typed += 1
                self.type(again)
        while self._read(0.1):
            pass
        return self.process.returncode

    def type(self, keys: str) -> None:
        """Type something."""
        os.write(self.terminal, keys.encode())

    def _read(self, seconds: float) -> bool:
        if not select.select([self.terminal], [], [], seconds)[0]:
            return False
        try:
            data = os.read(self.terminal, 65536)
        except OSError:
            return False
        self.seen += data.decode("utf-8", "replace")
        return bool(data)


@contextmanager
def _screen(folder: Path, *arguments: str, **more: str) -> Iterator[Screen]:
    master, slave = pty.openpty()
    environment = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "TERM": "xterm", "COLUMNS": "80", **more}
    process = subprocess.Popen(
        ["setsid", "--ctty", "--wait", sys.executable, "-m", "imgtrust", *arguments],
        cwd=folder,
        env=environment,
        stdin=slave,
        stdout=slave,
        stderr=slave,
    )
    os.close(slave)
    try:
        yield Screen(process, master)
    finally:
        process.kill()
        process.wait()
        os.close(master)


def test_a_passphrase_is_asked_for_twice_and_not_shown(tmp_path: Path) -> None:
    with _screen(tmp_path, "keys", "generate", "k") as screen:
        screen.read_until("Passphrase for the new key k.key: ")
        screen.type("opensesame\n")
        screen.read_until("The same once more: ")
        screen.type("opensesame\n")
        assert screen.close() == 0
        assert "opensesame" not in screen.seen
        assert "wrote  k.key" in screen.seen


def test_ctrl_c_at_a_question_ends_it_and_nothing_is_written(tmp_path: Path) -> None:
    with _screen(tmp_path, "keys", "generate", "k") as screen:
        screen.read_until("Passphrase for the new key k.key: ")
        screen.type("\x03")
        assert screen.close("\x03") == 130
        assert "\nimgtrust: interrupted" in screen.seen.replace("\r", "")
    assert not list(tmp_path.iterdir())


def test_the_end_of_input_at_a_question_is_no_passphrase(tmp_path: Path) -> None:
    with _screen(tmp_path, "keys", "generate", "k") as screen:
        screen.read_until("Passphrase for the new key k.key: ")
        screen.type("\x04")
        assert screen.close() == 2


def test_colour_and_bars_are_for_terminals_and_leave_no_trace(tmp_path: Path) -> None:
    store = layout(tmp_path / "build")
    push(store, image("app", layers=1, size=3_000_000), "1")
    store.close()
    for arguments in (("keys", "generate", "k"), ("sign", "--key", "k.key", "oci:build:1")):
        with _screen(tmp_path, *arguments, IMGTRUST_PASSPHRASE="pw") as screen:
            assert screen.close() == 0
    with _screen(tmp_path, "promote", "--key", "k.pub", "oci:build:1", "oci:there") as screen:
        assert screen.close() == 0
    assert "\x1b[" in screen.seen
    last = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", screen.seen).splitlines()[-1]
    assert last.startswith("tagged")
    with _screen(tmp_path, "verify", "--key", "k.pub", "oci:build:1", NO_COLOR="1") as screen:
        assert screen.close() == 0
    assert "\x1b[" not in screen.seen
    assert all(len(line) <= 80 for line in screen.seen.splitlines())
