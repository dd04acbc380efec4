"""Laws of reports: no text of a registry, an annotation or a policy can forge a line, a row or a colour."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from imgtrust.evidence import Claim, Unread
from imgtrust.policy.evaluate import evaluate, undecided
from imgtrust.policy.values import KeySigner, Policy, Scope
from imgtrust.policy.verdict import PolicyId
from imgtrust.refusals import RefusalCode
from imgtrust.reports import Report, ReportFormat, Style, exit_status, jsonl_line, render
from imgtrust.reports.markdown import escape
from imgtrust.reports.page import Page, Tone, columns, plain
from imgtrust.reports.results import SignedResult
from imgtrust.reports.text import one_line, render_verdict
from imgtrust.reports.told import told_signed
from imgtrust.reports.tree import Attached, Inspection, Node, Standing, render_tree
from imgtrust.rules.facts import Fault
from imgtrust.rules.requirements import EvidenceRule, PublishRule, SignatureRule
from imgtrust.trust.times import ClaimedTime, TimeSource
from tests.simulators.facts import AT, REFERENCE, ROOT, digest, image, refusal, signature, subject, time

if TYPE_CHECKING:
    from imgtrust.policy.verdict import Verdict

HOSTILE: Final = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        [
            "\x1b[2J\x1b[1;32mACCEPTED",
            "a\nACCEPTED  everything\n",
            "x\r  ✓ signatures",
            "| ✅ pass | signatures |\n| ✅ pass",
            "</td><script>alert(1)</script>",
            "`code` ![x](https://evil) @team",
            "\u202edetpecca\u202c\u200b",
            "\x9b31m\x85\u2028\u2029\x0b\x0c\x1c\x1d\x1e",
            "\ud800",
            "x" * 300,
            "日本語" * 40,
        ]
    ),
)
STYLES: Final = st.builds(Style, st.just(False), st.booleans(), st.booleans(), st.integers(40, 100))  # noqa: FBT003 - colour is tested apart
MARKDOWN: Final = MarkdownIt("commonmark").enable(["table", "strikethrough"])
BLOCKS: Final = {"inline", "bullet_list_open", "bullet_list_close", "list_item_open", "list_item_close"}
BLOCKS.update(
    f"{name}_{end}" for name in ("paragraph", "heading", "table", "thead", "tbody") for end in ("open", "close")
)
BLOCKS.update(f"{name}_{end}" for name in ("tr", "th", "td") for end in ("open", "close"))
CODES: Final = st.sampled_from(RefusalCode)


@st.composite
def verdicts(draw: st.DrawFn) -> Verdict:
    """A verdict in which everything that comes from elsewhere is hostile."""
    policy_id = PolicyId(draw(HOSTILE), digest("policy"))
    if draw(st.booleans()):
        return undecided(draw(HOSTILE), None, draw(st.none() | st.just(ROOT)), policy_id, AT, draw(HOSTILE))
    claim = ClaimedTime(AT, draw(HOSTILE), draw(HOSTILE), draw(st.none() | CODES), draw(HOSTILE))
    who = draw(HOSTILE)
    signatures = [
        signature(who, *times, claims=(claim,), identity=draw(HOSTILE))
        for times in draw(st.lists(st.just((time(authority=draw(HOSTILE)),)) | st.just(()), max_size=2))
    ]
    children = [subject(name, platform="linux/amd64") for name in ("a", "b")[: draw(st.integers(0, 2))]]
    facts = image(
        *signatures,
        refusals=[refusal(draw(CODES), draw(HOSTILE))] * draw(st.integers(0, 2)),
        unread=[Unread(draw(HOSTILE), draw(HOSTILE))] * draw(st.integers(0, 1)),
        claims=[Claim(ROOT, ROOT, draw(HOSTILE), draw(HOSTILE))],
        faults=[Fault(digest("layer"), draw(HOSTILE))] * draw(st.integers(0, 1)),
        children=children,
    )
    scope = Scope(
        draw(HOSTILE),
        ("**",),
        SignatureRule((who,)),
        publish=PublishRule((TimeSource.RFC3161,), timedelta(days=90), timedelta(days=9)),
        evidence=(EvidenceRule("slsa-provenance", (who,), None, draw(HOSTILE)),),
    )
    verdict = evaluate(facts, Policy((KeySigner(who, "k"),), (scope,)), policy_id)
    return replace(verdict, name=draw(HOSTILE))


def visible(text: str) -> bool:
    """Whether a terminal only shows this text: no control, no invisible and no direction character."""
    return all(line == plain(line) for line in text.split("\n"))


@given(HOSTILE)
def test_plain_text_is_plain_and_stays_so(text: str) -> None:
    once = plain(text)
    assert plain(once) == once
    assert "\n" not in once
    once.encode("utf-8")
    assert plain(text, unicode=False).isascii()


@given(st.text(max_size=200), STYLES)
def test_no_line_is_wider_than_the_page_unless_one_word_is(text: str, style: Style) -> None:
    page = Page(style)
    page.put(2, ("label", Tone.NONE), body=text, hang=10)
    for line in page.text().splitlines():
        assert columns(line) <= style.width or " " not in line.strip().removeprefix("label").strip()


@given(verdicts(), STYLES)
@settings(max_examples=150)
def test_a_terminal_only_shows_a_verdict_and_never_obeys_it(verdict: Verdict, style: Style) -> None:
    for text in (render_verdict(verdict, style), one_line(verdict, style)):
        assert visible(text)
        assert text.endswith("\n")
        assert style.unicode or text.isascii()


@given(verdicts(), STYLES)
def test_the_answer_stands_first_and_nowhere_else_at_the_beginning_of_a_line(verdict: Verdict, style: Style) -> None:
    text = render_verdict(verdict, style)
    answers = re.findall(r"^(ACCEPTED|REJECTED|COULD NOT TELL|NOT FOUND)", text, re.MULTILINE)
    assert len(answers) == 1
    assert text.startswith(answers[0])


@given(verdicts(), st.booleans())
def test_colour_changes_nothing_but_colour(verdict: Verdict, verbose: bool) -> None:  # noqa: FBT001 - drawn
    bare, painted = (render_verdict(verdict, Style(colour, verbose=verbose)) for colour in (False, True))
    assert re.sub(r"\x1b\[[0-9;]+m", "", painted) == bare
    assert painted.count("\x1b[0m") * 2 == painted.count("\x1b[")


@given(st.lists(verdicts(), max_size=3))
def test_data_is_ascii_and_says_the_same_as_the_verdicts(found: list[Verdict]) -> None:
    report = Report(tuple(found), PolicyId("gate.toml", digest("p")), AT, "1")
    text = render(ReportFormat.JSON, report)
    told = json.loads(text)
    assert text.isascii()
    assert [item["outcome"] for item in told["images"]] == [verdict.outcome.value for verdict in found]
    assert sum(told["summary"].values()) == len(found)
    assert [json.loads(line) for line in map(jsonl_line, found)] == told["images"]
    assert all(jsonl_line(verdict).count("\n") == 1 for verdict in found)
    assert exit_status(found) == (2 if not found else {"accepted": 0, "rejected": 1, "undecided": 3}[told["outcome"]])


@given(HOSTILE)
def test_an_escaped_value_has_no_markup(text: str) -> None:
    shown = escape(text)
    bare = re.sub(r"<br>|&#\d+;", "", shown)
    assert not re.search(r"[|`*\[\]<>~\\\n#!]|:/|www\.|@(?!sha256:|sha512:)", bare)
    assert visible(shown)


@given(HOSTILE | st.text("_*:@-+=|<>&#1.) a", max_size=12))
def test_a_reader_of_markdown_finds_the_text_and_nothing_else(text: str) -> None:
    shown = escape(text)
    blocks = MARKDOWN.parse(f"- {shown}\n\n## x {shown}\n\n| a | b |\n| --- | --- |\n| {shown} | {shown} |\n")
    assert not {token.type for token in blocks} - BLOCKS
    told = [token.children or [] for token in blocks if token.type == "inline"]
    for children in told:
        assert all(token.type == "text" or token.content == "<br>" for token in children)
    lines = "<br>".join(plain(line.strip()) for line in text.split("\n"))
    found = ["".join(token.content for token in children).replace("\u2060", "") for children in told]
    assert [line.strip() for line in found if line not in {"a", "b", ""}] == [
        line.strip() for line in (lines, f"x {lines}", lines, lines) if line not in {"a", "b", ""}
    ]


@given(verdicts())
@settings(max_examples=150)
def test_hostile_text_forges_no_row_of_a_table(verdict: Verdict) -> None:
    report = Report((verdict,), PolicyId("gate.toml", digest("p")), AT, "1")
    lines = render(ReportFormat.MARKDOWN, report).splitlines()
    rows = [line for line in lines if line.startswith("|")]
    assert all(line.count("|") == 7 for line in rows)
    said = {(row.rule, row.outcome, row.observed, row.required, row.why, row.fix) for row in verdict.findings}
    assert len(rows) == (len(said) + 2 if said else 0)
    assert sum(line.startswith("#") for line in lines) == 2
    assert not any("<" in line.replace("<br>", "") or "`" in line for line in lines)


@given(st.lists(HOSTILE, min_size=6, max_size=6), STYLES)
def test_a_tree_and_a_result_are_only_shown_too(texts: list[str], style: Style) -> None:
    kind, what, reason, who, unread, name = texts
    attached = tuple(
        Attached(kind, what, standing, digest(standing), signer=who or None, reason=reason) for standing in Standing
    )
    node = Node(ROOT, name, attached=attached, unread=(Unread(unread, reason),), children=(Node(ROOT, kind),))
    tree = render_tree(Inspection(REFERENCE, node, AT), style)
    made = SignedResult(REFERENCE, ROOT, ROOT, "x", who, (ClaimedTime(AT, "a", reason),), kind)
    for text in (tree, told_signed(made, style)):
        assert visible(text)
        assert style.unicode or text.isascii()
