"""Pages of text: nothing hostile reaches a terminal, lines fit, marks have their ASCII forms."""

from __future__ import annotations

import pytest

from imgtrust.reports.page import Mark, Page, Style, Tone, columns, plain, shorten
from tests.simulators.facts import digest

DIGEST = str(digest("x"))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("release", "release"),
        ("größer 日本 …", "größer 日本 …"),
        ("a\x1b[2Jb", "a\\x1b[2Jb"),
        ("a\rb\nc\td\x00", "a\\x0db\\x0ac\\x09d\\x00"),
        ("\x9b31m", "\\x9b31m"),
        ("a\u202eb\u200bc\ufeff\u2028", "a\\u202eb\\u200bc\\ufeff\\u2028"),
        ("\ud800\U000e0001\ue000", "\\ud800\\U000e0001\\ue000"),
        ("a" + "\u0301" * 6, "a" + "\u0301" * 4 + "\\u0301\\u0301"),
        ("\u00a0", "\\xa0"),
    ],
)
def test_a_terminal_shows_and_does_not_obey(text: str, shown: str) -> None:
    assert plain(text) == shown


def test_where_only_ascii_can_be_shown_the_rest_is_escaped() -> None:
    assert plain("…├─└│✓✗é", unicode=False) == "...|-`|okno\\xe9"


def test_digests_are_short_and_say_so_inside_a_name() -> None:
    assert shorten(DIGEST) == DIGEST[:19]
    assert shorten(f"app@{DIGEST}") == f"app@{DIGEST[:19]}…"
    assert shorten("sha512:" + "a" * 128) == "sha512:" + "a" * 12
    assert shorten(DIGEST[:40]) == DIGEST[:40]


def test_columns_are_what_a_terminal_gives() -> None:
    assert [columns(text) for text in ("abc", "é", "e\u0301", "日本")] == [3, 1, 1, 4]


def test_text_is_wrapped_under_its_beginning() -> None:
    page = Page(Style(width=40))
    page.put(2, ("label", Tone.NONE), body=("one two three four five six seven eight", "nine"), hang=10)
    assert page.text() == "  label   one two three four five six\n          seven eight\n          nine\n"


def test_a_paragraph_cannot_begin_a_line_of_its_own() -> None:
    page = Page(Style())
    page.put(0, body="fine\nACCEPTED  everything")
    assert page.text() == "fine\\x0aACCEPTED  everything\n"


def test_a_head_that_is_too_long_has_a_line_of_its_own() -> None:
    page = Page(Style(width=40))
    page.put(0, ("a long label", Tone.NONE), body="one two", hang=4)
    assert page.text() == "a long label\n    one two\n"


def test_further_lines_may_begin_further_left() -> None:
    page = Page(Style(width=40))
    page.put(0, ("| ", Tone.NONE), body=("one two three four five six", "seven"), hang=20, rest=4, below="|")
    assert page.text() == "|                   one two three four\n|   five six\n|   seven\n"


def test_one_word_is_never_broken() -> None:
    page = Page(Style(width=40))
    page.put(0, body="x" * 60 + " " + "y-" * 30)
    assert page.text() == "x" * 60 + "\n" + "y-" * 30 + "\n"


def test_an_empty_line_separates_once_and_never_begins() -> None:
    page = Page(Style())
    page.blank()
    page.put(0, body="a")
    page.blank()
    page.blank()
    page.put(0, ("b", Tone.NONE))
    assert page.text() == "a\n\nb\n"


def test_colour_is_only_where_it_is_wanted_and_ends() -> None:
    for colour, text in ((True, "\x1b[1;32m✓ \x1b[0mfine \x1b[1;31mred\x1b[0m\n"), (False, "✓ fine red\n")):
        page = Page(Style(colour=colour))
        page.put(0, page.mark(Mark.PASS, Tone.GOOD), ("fine ", Tone.NONE), body="red", tone=Tone.BAD)
        assert page.text() == text


def test_marks_have_words_where_the_terminal_has_no_more() -> None:
    page = Page(Style(unicode=False))
    assert [page.mark(mark, Tone.NONE)[0] for mark in Mark] == ["ok ", "no ", "!  ", "?  "]
    assert Page(Style()).mark(Mark.UNKNOWN, Tone.NONE)[0] == "? "


def test_whole_digests_are_shown_to_who_asks_for_them() -> None:
    page = Page(Style(verbose=True))
    page.put(0, body=DIGEST)
    assert page.text() == f"{DIGEST}\n"
