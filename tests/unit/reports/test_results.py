"""What commands made or moved, as data and as text; the tree; what is said of policies."""

from __future__ import annotations

from dataclasses import replace

from imgtrust.content import Platform
from imgtrust.evidence import Unread
from imgtrust.policy.evaluate import evaluate
from imgtrust.policy.explain import Explanation, Step
from imgtrust.policy.lint import Advice
from imgtrust.policy.values import KeySigner, Policy, Scope
from imgtrust.reference import Reference
from imgtrust.refusals import RefusalCode
from imgtrust.reports import Style
from imgtrust.reports.advice import told_advice, told_explanation
from imgtrust.reports.results import (
    AttachedResult,
    Fate,
    FileResult,
    Planned,
    PromotionResult,
    PulledResult,
    SignedResult,
    attached_document,
    promotion_document,
    pulled_document,
    signed_document,
)
from imgtrust.reports.told import told_attached, told_promotion, told_pulled, told_signed
from imgtrust.reports.tree import Attached, Inspection, Node, Standing, inspection_document, render_tree
from imgtrust.rules.requirements import SignatureRule
from imgtrust.trust.times import ClaimedTime, TimeSource
from tests.simulators.facts import AT, POLICY, REFERENCE, ROOT, digest, image, key, signature, time

PLAIN = Style()
PROD = Reference.parse("registry.example.com/prod/app:1.4.2")
SCOPE = Scope("team", ("registry.example.com/team/**",), SignatureRule(("release",)))
ONE = Policy((KeySigner("release", "release.pub"),), (SCOPE,))
YES = evaluate(image(signature()), ONE, POLICY)
NO = evaluate(image(), ONE, POLICY)
SIGNED = SignedResult(REFERENCE, ROOT, digest("e"), "sigstore-bundle", "key 3f9ac2d1", (time(),))
EVIDENCE = str(digest("e"))
LOGGED = (("https://log.example.com", 4711),)


def test_what_was_signed_as_data() -> None:
    assert signed_document([SIGNED]) == {
        "schema": "imgtrust-result/1",
        "signed": [
            {
                "reference": str(REFERENCE),
                "digest": str(ROOT),
                "evidence": EVIDENCE,
                "format": "sigstore-bundle",
                "times": [
                    {
                        "time": "2026-11-20T21:00:00Z",
                        "class": "trusted",
                        "source": "rfc3161",
                        "authority": "tsa.example.com",
                    }
                ],
                "signer": "key 3f9ac2d1",
                "predicate_type": None,
                "attached": True,
                "unchanged": False,
                "log_entries": [],
            }
        ],
    }
    (told,) = signed_document([replace(SIGNED, logged=LOGGED)])["signed"]
    assert told["log_entries"] == [{"log": "https://log.example.com", "index": 4711}]


def test_what_was_signed_as_text() -> None:
    assert (
        told_signed(SIGNED, PLAIN)
        == """\
signed  registry.example.com/team/app:1.4.2
        sha256:4813494d137e by key 3f9ac2d1, time-stamp 2026-11-20 21:00:00 (tsa.example.com)
        attached as sha256:3f79bb7b435b
"""
    )


def test_a_log_entry_is_told_with_its_time_and_where_it_is() -> None:
    logged = replace(SIGNED, times=(time(source=TimeSource.REKOR, authority="log.example.com"),), logged=LOGGED)
    assert (
        told_signed(logged, PLAIN)
        == """\
signed  registry.example.com/team/app:1.4.2
        sha256:4813494d137e by key 3f9ac2d1, log 2026-11-20 21:00:00 (log.example.com)
        logged as number 4711 in https://log.example.com
        attached as sha256:3f79bb7b435b
"""
    )


def test_what_was_attested_as_text() -> None:
    claims = (ClaimedTime(AT, "rfc3161", "tsa.evil", RefusalCode.TIME_UNTRUSTED, "x"), ClaimedTime(None, "a", "b"))
    made = replace(SIGNED, predicate_type="https://spdx.dev/Document", times=claims, attached=False)
    assert (
        told_signed(made, PLAIN)
        == """\
attested  registry.example.com/team/app:1.4.2
          sha256:4813494d137e by key 3f9ac2d1, time-stamp 2026-11-23 21:00:00 (tsa.evil) not proven
          https://spdx.dev/Document
          not attached: sha256:3f79bb7b435b
"""
    )


def test_a_signature_without_a_time_that_was_there_already() -> None:
    text = told_signed(replace(SIGNED, times=(ClaimedTime(AT, "rfc3161", "tsa"),), unchanged=True), PLAIN)
    assert "time-stamp 2026-11-23 21:00:00 (tsa)\n" in text
    assert "attached already as sha256:3f79bb7b435b" in text
    assert "by key 3f9ac2d1\n" in told_signed(replace(SIGNED, times=()), PLAIN)


FILES = (FileResult("sbom.json", digest("f"), 2048),)


def test_what_was_attached() -> None:
    made = AttachedResult(REFERENCE, ROOT, digest("e"), "application/spdx+json", FILES)
    assert (
        told_attached(made, PLAIN)
        == """\
attached  registry.example.com/team/app:1.4.2
          sha256:4813494d137e, application/spdx+json, not signed
          sbom.json  2.0 KiB  sha256:252f10c83610
          attached as sha256:3f79bb7b435b
"""
    )
    assert attached_document([made])["attached"][0]["files"] == [
        {"title": "sbom.json", "digest": str(digest("f")), "size": 2048}
    ]


def test_what_was_pulled() -> None:
    made = PulledResult(REFERENCE, digest("e"), "application/spdx+json", "out", FILES)
    assert (
        told_pulled(made, PLAIN)
        == """\
pulled  sha256:3f79bb7b435b to out
          application/spdx+json
          sbom.json  2.0 KiB  sha256:252f10c83610
"""
    )
    assert list(pulled_document([made])["pulled"][0]) == [
        "reference",
        "evidence",
        "artifact_type",
        "directory",
        "files",
    ]


PLAN = (
    Planned(digest("a"), "blob", 1 << 20, Fate.COPY),
    Planned(digest("b"), "blob", 1 << 20, Fate.MOUNT),
    Planned(digest("c"), "manifest", 500, Fate.COPY),
    Planned(digest("d"), "legacy-tag", 500, Fate.SKIP),
)
MOVED = PromotionResult(
    REFERENCE,
    PROD,
    ROOT,
    YES,
    YES,
    plan=PLAN,
    done=PLAN,
    record=digest("r"),
    recorder="gate",
    tags=("1.4.2", "stable"),
    seconds=2.14,
)


def test_a_promotion_as_text() -> None:
    assert (
        told_promotion(MOVED, PLAIN)
        == """\
judged at the source    ACCEPTED  sha256:4813494d137e (gate.toml)
copied                  1 blob, 1 manifest, 1.0 MiB in 2.1 s; 1 mounted and re-read; 1 there already
judged at destination   ACCEPTED  sha256:4813494d137e (gate.toml)
recorded                sha256:454349e422f0  signed by gate (SLSA verification summary)
tagged                  registry.example.com/prod/app:1.4.2
                        registry.example.com/prod/app:stable
"""
    )


def test_the_record_of_a_promotion_says_when_and_where_it_is_logged() -> None:
    recorded = replace(MOVED, record_times=(time(),), record_logged=LOGGED)
    assert """\
recorded                sha256:454349e422f0  signed by gate (SLSA verification summary)
                        time-stamp 2026-11-20 21:00:00 (tsa.example.com)
                        logged as number 4711 in https://log.example.com
tagged """ in told_promotion(recorded, PLAIN)
    (told,) = promotion_document([recorded])["promoted"]
    assert told["recorder"] == "gate"
    assert told["record_log_entries"] == [{"log": "https://log.example.com", "index": 4711}]
    assert [each["source"] for each in told["record_times"]] == ["rfc3161"]


def test_a_promotion_as_data() -> None:
    (told,) = promotion_document([MOVED])["promoted"]
    assert list(told) == [
        "source",
        "destination",
        "digest",
        "outcome",
        "dry",
        "plan",
        "copied",
        "skipped",
        "record",
        "recorder",
        "record_times",
        "record_log_entries",
        "tags",
        "platforms",
        "obstacle",
        "left_behind",
        "before",
        "after",
    ]
    assert [item["fate"] for item in told["plan"]] == ["copy", "mount", "copy", "skip"]
    assert [item["digest"] for item in told["copied"]] == [str(digest(name)) for name in "abc"]
    assert told["skipped"] == [{"digest": str(digest("d")), "kind": "legacy-tag", "size": 500, "fate": "skip"}]
    assert (told["outcome"], told["after"]["outcome"]) == ("accepted", "accepted")
    (left,) = promotion_document([replace(MOVED, left_behind=((digest("x"), "gone"),))])["promoted"]
    assert left["left_behind"] == [{"digest": str(digest("x")), "reason": "gone"}]
    (bare,) = promotion_document([PromotionResult(REFERENCE, PROD, None, NO)])["promoted"]
    assert (bare["digest"], bare["record"], bare["after"], bare["outcome"]) == (None, None, None, "rejected")


def test_a_plan_does_nothing_and_says_what_would_be_done() -> None:
    dry = replace(MOVED, dry=True, after=None, done=(), record=None, obstacle="the tag 1.4.2 is immutable")
    assert (
        told_promotion(dry, PLAIN)
        == """\
judged at the source    ACCEPTED  sha256:4813494d137e (gate.toml)
would copy              1 blob, 1 manifest, 1.0 MiB
would mount             1 blob, 1.0 MiB
there already           1 legacy tag, 500 B
would record            a SLSA verification summary, signed by gate
would tag               registry.example.com/prod/app:1.4.2
                        registry.example.com/prod/app:stable
in the way              the tag 1.4.2 is immutable
"""
    )
    bare = told_promotion(replace(dry, plan=(), recorder=None, tags=(), obstacle=None), PLAIN)
    assert bare.endswith("would record            nothing\nwould tag               nothing\n")


def test_a_refused_promotion_is_a_verdict_and_nothing_written() -> None:
    text = told_promotion(PromotionResult(REFERENCE, PROD, ROOT, NO), PLAIN)
    assert text.startswith("REJECTED  registry.example.com/team/app:1.4.2\n")
    assert text.endswith("\nnothing was written to registry.example.com/prod/app\n")


def test_a_copy_that_is_not_accepted_gets_no_tag() -> None:
    text = told_promotion(replace(MOVED, after=NO, record=None, tags=()), PLAIN)
    assert "judged at destination   REJECTED  " in text
    assert text.endswith("\nno tag was set at registry.example.com/prod/app\n")


def test_an_interrupted_promotion_says_how_to_go_on() -> None:
    halted = replace(MOVED, after=None, record=None, tags=(), done=(), seconds=None, resume="imgtrust promote …")
    text = told_promotion(replace(halted, obstacle="503"), PLAIN)
    assert "copied                  nothing\n" in text
    assert text.endswith("in the way              503\ngo on with              imgtrust promote …\n")
    left = told_promotion(replace(MOVED, left_behind=((digest("x"), "its blob is missing"),)), PLAIN)
    assert left.endswith("left behind             sha256:2d711642b726  its blob is missing\n")
    assert "signed by nobody" in told_promotion(replace(MOVED, recorder=None), PLAIN)


TREE = Inspection(
    REFERENCE,
    Node(
        ROOT,
        "index",
        attached=(
            Attached(
                "signature",
                "Sigstore bundle",
                Standing.BELIEVED,
                digest("s"),
                "sigstore-bundle",
                signer="release",
                times=(time(), ClaimedTime(AT, "config", "created")),
            ),
            Attached("provenance", "SLSA v1", Standing.BELIEVED, digest("p"), identity=key("ci")),
            Attached(
                "signature",
                "Notary JWS",
                Standing.REFUSED,
                digest("n"),
                code=RefusalCode.FORMAT_UNSUPPORTED,
                reason="a format that this version does not judge, which is said in more words than one line has",
            ),
            Attached("signature", "odd", Standing.REFUSED, digest("o"), reason="no code"),
        ),
        unread=(Unread("a referrer", "503"),),
        children=(
            Node(
                digest("amd64"),
                "image",
                Platform("linux", "amd64"),
                attached=(
                    Attached("sbom", "SPDX 2.3", Standing.CLAIM, digest("c"), reason="BuildKit"),
                    Attached("sbom", "SPDX 2.3", Standing.CLAIM, digest("d")),
                    Attached("signature", "bundle", Standing.FOUND, digest("e"), reason="says it is by key a81c77e0"),
                    Attached("signature", "bundle", Standing.FOUND, digest("f")),
                ),
            ),
            Node(digest("odd"), "image"),
        ),
    ),
    AT,
    POLICY,
)


def test_the_tree_as_text() -> None:
    assert (
        render_tree(TREE, PLAIN)
        == """\
registry.example.com/team/app:1.4.2  sha256:4813494d137e  index
├─ signature   Sigstore bundle  release       2026-11-20 21:00:00  time-stamp
├─ provenance  SLSA v1          key e225abbe  no proven time
├─ signature   Notary JWS       not believed: a format that this version does not judge, which is
│              said in more words than one line has  [format.unsupported]
├─ signature   odd              not believed: no code
├─ could not be read: a referrer: 503
├─ linux/amd64  sha256:5861314d7fcc
│  ├─ sbom       SPDX 2.3  unsigned claim (BuildKit)
│  ├─ sbom       SPDX 2.3  unsigned claim
│  ├─ signature  bundle    found: says it is by key a81c77e0
│  └─ signature  bundle    found, and says nothing of itself
└─ image  sha256:990cb8ebd0af
   └─ nothing attached

judged by gate.toml sha256:823412d1eacb, 2026-11-23 21:00:00
"""
    )


def test_a_tree_without_trust_says_how_to_have_it_judged() -> None:
    text = render_tree(replace(TREE, policy=None), PLAIN)
    assert "\n\nfound, not judged: who signed and when is what each thing says of itself. " in text
    assert text.endswith("Give --policy FILE, or\n--key PUB, to have it judged\n")


def test_the_tree_as_data() -> None:
    (told,) = inspection_document((TREE,))["images"]
    assert told["policy"] == {"source": "gate.toml", "digest": str(POLICY.digest)}
    assert told["root"]["attached"][2]["code"] == "format.unsupported"
    assert told["root"]["attached"][0]["times"][1]["class"] == "claimed"
    assert told["root"]["unread"] == [{"what": "a referrer", "reason": "503"}]
    assert [child["platform"] for child in told["root"]["children"]] == ["linux/amd64", None]
    (bare,) = inspection_document((replace(TREE, policy=None),))["images"]
    assert bare["policy"] is None


def test_advice_is_said_after_that_it_is_a_policy() -> None:
    assert told_advice([], "gate.toml", PLAIN) == "✓ gate.toml is a policy; nothing to advise\n"
    assert told_advice([Advice("a.b", "[time]", "Do this.")], "gate.toml", PLAIN) == (
        "✓ gate.toml is a policy\n! [time]: Do this. [a.b]\n"
    )


def test_an_explanation_is_a_page() -> None:
    explanation = Explanation(
        "reg.io/team/app:1",
        "team",
        "reg.io/team/*",
        (("rest", "**"),),
        (("integrity", "every byte"), ("publish.max_age", "published at most 1d ago")),
        (
            Step("signature", "release", "", "imgtrust sign --key release.key reg.io/team/app:1"),
            Step("signature", "ci", "a@acme.test (https://acme.test)", "imgtrust sign --keyless reg.io/team/app:1"),
            Step("signature", "authority", "", ""),
        ),
        ("prod.io/**", "oci:out"),
    )
    assert (
        told_explanation(explanation, "gate.toml", PLAIN)
        == """\
reg.io/team/app:1
  scope     team, by the pattern reg.io/team/*
            less specific: ** (scope rest)
  rules     integrity        every byte
            publish.max_age  published at most 1d ago
  attach    signature by release
            imgtrust sign --key release.key reg.io/team/app:1
            signature by ci, as a@acme.test (https://acme.test)
            imgtrust sign --keyless reg.io/team/app:1
            signature by authority
            made by that authority only: imgtrust has no command for it
  promote to  prod.io/**
              oci:out
"""
    )
    assert "promote to  nowhere" in told_explanation(replace(explanation, promote_to=(), attach=()), "g", PLAIN)


def test_an_explanation_of_a_denied_image_is_short() -> None:
    assert told_explanation(Explanation("a.io/b:c", None), "gate.toml", PLAIN) == (
        "a.io/b:c\n  ✗ denied: no scope of gate.toml names it\n"
    )
