"""Reports as data: CLI.md section 5 to the letter, JSON lines, Markdown."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from imgtrust.policy.evaluate import broken, evaluate, undecided
from imgtrust.policy.values import KeySigner, Policy, Scope
from imgtrust.refusals import RefusalCode
from imgtrust.reports import Report, ReportFormat, entry, jsonl_line, render
from imgtrust.reports.markdown import escape
from imgtrust.rules.finding import RuleOutcome
from imgtrust.rules.requirements import PublishRule, SignatureRule
from imgtrust.trust.times import ClaimedTime, TimeSource
from tests.simulators.facts import (
    AT,
    POLICY,
    REFERENCE,
    ROOT,
    digest,
    image,
    judged_index,
    refusal,
    signature,
    subject,
    time,
)

PUBLISH = PublishRule((TimeSource.RFC3161,), max_age=timedelta(days=90))
SCOPE = Scope("team", ("registry.example.com/team/**",), SignatureRule(("release",)), publish=PUBLISH)
ONE = Policy((KeySigner("release", "release.pub"),), (SCOPE,))
CLAIMS = (
    ClaimedTime(AT, "config", "created"),
    ClaimedTime(None, "rfc3161", "tsa", RefusalCode.TIME_MALFORMED, "no token"),
)
GOOD = evaluate(judged_index(signature("release", time(), claims=CLAIMS)), ONE, POLICY)
BAD = evaluate(image(refusals=[refusal()]), ONE, POLICY)
MAYBE = undecided("a.io/b:c", None, None, POLICY, AT, "503 | <b>")

REPORT_KEYS = ["schema", "outcome", "judged_at", "tool", "policy", "summary", "images"]
IMAGE_KEYS = [
    "reference",
    "digest",
    "outcome",
    "scope",
    "platforms",
    "published",
    "signatures",
    "refused",
    "rules",
    "exceptions",
    "not_checked",
    "changes_at",
]
SIGNATURE_KEYS = ["format", "signer", "identity", "predicate_type", "subject", "evidence", "times"]
SIGNATURE_KEYS += ["not_checked", "second_opinion", "ends"]
RULE_KEYS = ["rule", "outcome", "level", "subject", "required", "observed", "why", "fix"]


def document(*verdicts: Any) -> Any:
    return json.loads(render(ReportFormat.JSON, Report(verdicts, POLICY, AT, "1.2.3")))


def test_a_report_has_every_key_in_the_order_of_the_promise() -> None:
    told = document(GOOD, BAD)
    assert list(told) == REPORT_KEYS
    assert told["schema"] == "imgtrust-report/1"
    assert told["tool"] == {"name": "imgtrust", "version": "1.2.3"}
    assert told["policy"] == {"source": "gate.toml", "digest": str(POLICY.digest)}
    assert told["summary"] == {"accepted": 1, "rejected": 1, "undecided": 0}
    assert (told["outcome"], told["judged_at"]) == ("rejected", "2026-11-23T21:00:00Z")


@pytest.mark.parametrize("verdict", [GOOD, BAD, MAYBE])
def test_an_image_has_every_key_whatever_its_outcome(verdict: Any) -> None:
    told = entry(verdict)
    assert list(told) == [*IMAGE_KEYS, "tags"]
    assert list(told["published"]) == ["earliest", "latest", "source"]
    for rule in told["rules"]:
        assert list(rule) == RULE_KEYS
    for item in told["signatures"]:
        assert list(item) == SIGNATURE_KEYS
        assert all(list(one) == ["time", "class", "source", "authority"] for one in item["times"])
    for item in told["refused"]:
        assert list(item) == ["format", "evidence", "code", "reason"]


def test_an_accepted_image_as_data() -> None:
    told = entry(GOOD)
    assert told["platforms"] == [
        {"platform": "linux/amd64", "digest": str(digest("amd64"))},
        {"platform": "linux/arm64", "digest": str(digest("arm64"))},
    ]
    assert told["published"] == {
        "earliest": "2026-11-20T21:00:00Z",
        "latest": "2026-11-20T21:00:00Z",
        "source": "rfc3161",
    }
    assert told["signatures"][0]["times"] == [
        {"time": "2026-11-20T21:00:00Z", "class": "trusted", "source": "rfc3161", "authority": "tsa.example.com"},
        {"time": "2026-11-23T21:00:00Z", "class": "claimed", "source": "config", "authority": "created"},
    ]
    assert told["changes_at"] == "2027-02-18T21:00:00.000001Z"


def test_a_time_stamp_that_could_not_be_proven_is_refused_with_its_code() -> None:
    assert entry(GOOD)["refused"] == [
        {
            "format": "sigstore-bundle",
            "evidence": str(digest("signature")),
            "code": "time.malformed",
            "reason": "no token",
        }
    ]


def test_a_rejected_image_as_data() -> None:
    told = entry(BAD)
    assert told["refused"][0]["code"] == "bundle.untrusted_key"
    assert told["published"] == {"earliest": None, "latest": None, "source": "none"}
    assert told["changes_at"] is None


def test_an_image_that_could_not_be_read_has_one_row_that_says_why() -> None:
    (rule,) = entry(MAYBE)["rules"]
    assert (rule["rule"], rule["outcome"], rule["subject"]) == ("integrity", "unknown", None)
    assert (rule["observed"], rule["why"], rule["fix"]) == ("could not tell", "503 | <b>", "run it again")


def test_an_altered_root_and_an_image_that_is_not_there_are_told_apart() -> None:
    (altered,) = entry(broken("a.io/b:c", None, ROOT, POLICY, AT, "other bytes"))["rules"]
    (gone,) = entry(undecided("a.io/b:c", REFERENCE, None, POLICY, AT, "404", not_found=True))["rules"]
    assert (altered["outcome"], altered["observed"], altered["subject"]) == ("fail", "altered", str(ROOT))
    assert (gone["outcome"], gone["observed"], gone["fix"]) == ("unknown", "no such image", "")


def test_json_lines_have_one_entry_of_images_each() -> None:
    lines = render(ReportFormat.JSONL, Report((GOOD, BAD), POLICY, AT, "1")).splitlines()
    assert [json.loads(line) for line in lines] == document(GOOD, BAD)["images"]
    assert jsonl_line(GOOD).endswith("}\n")


def test_no_string_of_a_document_can_move_a_cursor() -> None:
    text = render(ReportFormat.JSON, Report((replace(GOOD, name="a\x1b[2J\u202e"),), POLICY, AT, "1"))
    assert text.isascii()
    assert text.replace("\n", "").isprintable()


def test_markdown_of_one_image() -> None:
    text = render(ReportFormat.MARKDOWN, Report((GOOD,), POLICY, AT, "1.2.3"))
    assert text.startswith(
        "## ✅ accepted\n\n### ✅ accepted: registry.example.com/team/app:1.4.2\n\nsha256:4813494d137e1631"
    )
    assert "| ✅ pass | publish.max_age, all platforms | 3 days | at most 90 days |  |  |\n" in text
    assert "The answer changes at 2027-02-18T21:00:00.000001Z with nothing new attached.\n" in text
    assert "- attestations: this scope asks for none\n" in text
    assert text.endswith("judged 2026-11-23T21:00:00Z, imgtrust 1.2.3\n")


def test_markdown_of_many_images_begins_with_a_table() -> None:
    text = render(ReportFormat.MARKDOWN, Report((GOOD, BAD, MAYBE), POLICY, AT, "1"))
    assert text.startswith("## ❔ could not tell\n\n1 accepted, 1 rejected, 1 could not be told\n\n")
    assert "| ❔ could not tell | a.io/b:c |  |  |\n" in text
    assert "\n503 &#124; &#60;b&#62;\n" in text
    assert "attached and not believed:<br>sha256:" in text


def test_markdown_of_a_verdict_without_anything_unchecked() -> None:
    text = render(ReportFormat.MARKDOWN, Report((replace(MAYBE, not_checked=()),), POLICY, AT, "1"))
    assert "Not checked" not in text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a|b", "a&#124;b"),
        ("<script>", "&#60;script&#62;"),
        ("`code` *bold* _x_ ~y~", "&#96;code&#96; &#42;bold&#42; &#95;x&#95; &#126;y&#126;"),
        ("[a](b) ![c](d)", "&#91;a&#93;(b) &#33;&#91;c&#93;(d)"),
        ("# head", "&#35; head"),
        ("- item", "&#45; item"),
        ("1. item", "&#49;. item"),
        ("10)", "&#49;0)"),
        ("1.4.2", "1.4.2"),
        ("---|:--", "&#45;--&#124;:--"),
        (":--", "&#58;--"),
        (":smile: oci:build:1", "&#58;smile: oci:build:1"),
        ("max_age _x _ a__b", "max_age &#95;x &#95; a&#95;&#95;b"),
        ('a "b" c\'s?', 'a "b" c\'s?'),
        ("@team hello", "&#64;&#8288;team hello"),
        ("app@team", "app&#64;team"),
        ("app@sha256:00", "app@sha256:00"),
        ("@sha256:00", "&#64;&#8288;sha256:00"),
        ("é@team", "é&#64;team"),
        ("www.evil.example", "&#119;ww.evil.example"),
        ("https://evil.example", "https&#58;//evil.example"),
        ("a\nb", "a<br>b"),
        ("a\x1b[0m\r", "a&#92;x1b&#91;0m"),
        ("größe", "größe"),
        ("&amp;", "&#38;amp;"),
    ],
)
def test_a_value_in_markdown_is_shown_and_means_nothing(text: str, shown: str) -> None:
    assert escape(text) == shown


def test_every_outcome_of_a_rule_has_its_words_in_markdown() -> None:
    findings = tuple(replace(GOOD.findings[0], outcome=outcome) for outcome in RuleOutcome)
    text = render(ReportFormat.MARKDOWN, Report((replace(GOOD, findings=findings),), POLICY, AT, "1"))
    assert re.findall(r"^\| (\S+ [a-z ]+) \|", text, re.MULTILINE) == [
        "✅ pass",
        "❌ fail",
        "❔ could not tell",
        "✅ excepted",
    ]


def test_what_a_rule_says_of_an_index_and_of_all_its_platforms_is_one_row_of_markdown() -> None:
    text = render(ReportFormat.MARKDOWN, Report((GOOD,), POLICY, AT, "1"))
    assert re.findall(r"^\| ✅ pass \| ([^|]+) \|", text, re.MULTILINE) == [
        "integrity",
        "signatures, all platforms",
        "publish.trusted_time, all platforms",
        "publish.max_age, all platforms",
    ]


def test_markdown_names_the_manifests_where_a_rule_tells_them_apart() -> None:
    signed = subject("amd64", signature("release", subject=digest("amd64")), platform="linux/amd64")
    odd = subject("odd")
    scope = replace(SCOPE, publish=PublishRule())
    verdict = evaluate(image(children=[signed, odd]), replace(ONE, scopes=(scope,)), POLICY)
    text = render(ReportFormat.MARKDOWN, Report((verdict,), POLICY, AT, "1"))
    assert "| ❌ fail | signatures, index, a platform | 0 signers |" in text
    assert "| ✅ pass | signatures, linux/amd64 | 1 signer |" in text


def test_markdown_says_a_digest_once() -> None:
    named = replace(GOOD, name=f"oci:build@{ROOT}")
    text = render(ReportFormat.MARKDOWN, Report((named, MAYBE), POLICY, AT, "1"))
    assert f"| oci:build | {ROOT.short} |" in text
    assert f"### ✅ accepted: oci:build\n\n{ROOT}\n" in text
