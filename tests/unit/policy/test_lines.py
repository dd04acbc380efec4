"""The lines of keys in TOML texts that are written in every way that TOML allows."""

from __future__ import annotations

from typing import Final

from imgtrust.policy.lines import locate

TEXT: Final = '''\
# a comment with [brackets] and "quotes"
a = 1   # [not.a.table]
b."c d".'e' = "x # no comment"
"f\\u0041" = """
[not a table] \\""" \\\\""""
g = \'\'\'
h = 1
\'\'\'''
[t]
  x = [ # comment ]
    1, "two ]", [3, "],"],
    { k = 1, l = { m = 2 } },
  ]
  when = 2026-01-01 00:00:00Z
[t . u.v]
w = -1.5e3
[[list]]
n = {}
[list.sub]
o = []
[[list]]
[[list.inner]]
p = ''
[[list.inner]]
q = "" # end'''


def test_every_key_stands_where_it_stands() -> None:
    found = locate(TEXT)
    assert found == {
        ("a",): 2,
        ("b",): 3,
        ("b", "c d"): 3,
        ("b", "c d", "e"): 3,
        ("fA",): 4,
        ("g",): 6,
        ("t",): 9,
        ("t", "x"): 10,
        ("t", "x", 0): 11,
        ("t", "x", 1): 11,
        ("t", "x", 2): 11,
        ("t", "x", 2, 0): 11,
        ("t", "x", 2, 1): 11,
        ("t", "x", 3): 12,
        ("t", "x", 3, "k"): 12,
        ("t", "x", 3, "l"): 12,
        ("t", "x", 3, "l", "m"): 12,
        ("t", "when"): 14,
        ("t", "u"): 15,
        ("t", "u", "v"): 15,
        ("t", "u", "v", "w"): 16,
        ("list",): 17,
        ("list", 0): 17,
        ("list", 0, "n"): 18,
        ("list", 0, "sub"): 19,
        ("list", 0, "sub", "o"): 20,
        ("list", 1): 21,
        ("list", 1, "inner"): 22,
        ("list", 1, "inner", 0): 22,
        ("list", 1, "inner", 0, "p"): 23,
        ("list", 1, "inner", 1): 24,
        ("list", 1, "inner", 1, "q"): 25,
    }


def test_an_empty_text_has_no_keys() -> None:
    assert locate("") == locate("\n# nothing\n") == {}
