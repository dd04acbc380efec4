"""What a terminal can show, and where text goes."""

from __future__ import annotations

import io
import os

import pytest

from imgtrust.cli.console import Console, is_utf8, wants_colour
from imgtrust.errors import OutputFileError


class _Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


class _Full(io.StringIO):
    """A stream on a full disk."""

    def flush(self) -> None:
        raise OSError(28, "No space left on device")


def _console(environment: dict[str, str], *, terminal: bool = True, quiet: bool = False) -> tuple[Console, io.StringIO]:
    stderr = _Terminal() if terminal else io.StringIO()
    return Console(_Terminal(), stderr, environment, quiet=quiet), stderr


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"LANG": "en_US.UTF-8"}, True),
        ({"LANG": "de_DE.utf8"}, True),
        ({"LANG": "C.UTF-8"}, True),
        ({"LC_ALL": "C", "LANG": "en_US.UTF-8"}, False),
        ({"LC_CTYPE": "en_US.UTF-8", "LANG": "C"}, True),
        ({"LC_CTYPE": "C.UTF-8", "LANG": "C"}, False),
        ({"LC_CTYPE": "C.UTF-8"}, False),
        ({"LANG": "de_DE.ISO-8859-1"}, False),
        ({}, False),
    ],
)
def test_marks_beyond_ascii_need_a_locale_that_has_them(environment: dict[str, str], *, expected: bool) -> None:
    assert is_utf8(environment, "utf-8") is expected


def test_a_stream_of_another_encoding_gets_ascii_whatever_the_locale_says() -> None:
    assert not is_utf8({"LANG": "en_US.UTF-8"}, "iso-8859-1")
    assert not is_utf8({"LANG": "en_US.UTF-8"}, None)


def test_colour_only_on_a_terminal_that_wants_it() -> None:
    assert wants_colour({}, _Terminal())
    assert wants_colour({"NO_COLOR": ""}, _Terminal())
    assert not wants_colour({"NO_COLOR": "1"}, _Terminal())
    assert not wants_colour({"TERM": "dumb"}, _Terminal())
    assert not wants_colour({}, io.StringIO())
    closed = _Terminal()
    closed.close()
    assert not wants_colour({}, io.StringIO())


def test_an_error_is_one_paragraph_wrapped_where_a_person_reads() -> None:
    console, stderr = _console({"COLUMNS": "60"})
    console.error("cannot read the policy gate.toml, line 14: unknown key; did you mean another one, perhaps?")
    lines = stderr.getvalue().splitlines()
    assert lines[0].startswith("imgtrust: cannot read")
    assert all(len(line) <= 60 for line in lines)
    assert all(line.startswith(" " * 10) for line in lines[1:])


def test_an_error_is_one_line_where_a_program_reads() -> None:
    console, stderr = _console({}, terminal=False)
    console.error("a long text " * 20)
    assert stderr.getvalue().count("\n") == 1


def test_quiet_silences_talk_and_no_error() -> None:
    console, stderr = _console({}, quiet=True)
    console.talk("by the way")
    console.warn("mind this")
    console.error("it failed")
    assert stderr.getvalue() == "imgtrust: it failed\n"


def test_a_wide_terminal_still_gets_a_page_and_a_narrow_one_what_fits() -> None:
    assert _console({"COLUMNS": "300"})[0].width == 100
    assert _console({"COLUMNS": "80"})[0].width == 80
    assert _console({"COLUMNS": "5"})[0].width == 40
    assert Console(io.StringIO(), io.StringIO(), {"COLUMNS": "60"}).width == 100


def test_a_full_disk_under_standard_output_is_an_error_of_its_own() -> None:
    console = Console(_Full(), io.StringIO(), {})
    with pytest.raises(OutputFileError, match="No space left"):
        console.answer("the answer")


def test_a_character_that_the_terminal_cannot_show_is_escaped() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    console = Console(stream, io.StringIO(), {})
    console.answer("caf\u00e9 \udcff")
    assert raw.getvalue() == b"caf\\xe9 \\udcff\n"
    stream.close()


def test_formats_for_programs_are_utf8_whatever_the_locale_is() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="iso-8859-1")
    Console(stream, io.StringIO(), {}).answer("caf\u00e9", machine=True)
    assert raw.getvalue() == b"caf\xc3\xa9\n"
    stream.close()


def test_stderr_that_is_gone_loses_the_talk_and_nothing_else() -> None:
    stderr = io.StringIO()
    console = Console(io.StringIO(), stderr, {})
    stderr.close()
    console.error("nobody hears this")


def test_after_a_broken_pipe_the_stream_can_be_flushed() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as stream:
        console = Console(stream, io.StringIO(), {})
        with pytest.raises(BrokenPipeError):
            console.answer("the answer")
        console.abandon_stdout()
        stream.flush()
