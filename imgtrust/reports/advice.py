"""What ``policy check`` and ``policy explain`` say, as text. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imgtrust.reports.page import Mark, Page, Style, Tone, columns

if TYPE_CHECKING:
    from collections.abc import Iterable

    from imgtrust.policy.explain import Explanation
    from imgtrust.policy.lint import Advice

__all__ = ["told_advice", "told_explanation"]

_LABEL = 12


def told_advice(advice: Iterable[Advice], source: str, style: Style) -> str:
    """The advice on a policy that could be read; that it could is said first."""
    page = Page(style)
    found = tuple(advice)
    page.put(
        0, page.mark(Mark.PASS, Tone.GOOD), body=f"{source} is a policy" + ("; nothing to advise" if not found else "")
    )
    for item in found:
        page.put(0, page.mark(Mark.ADVICE, Tone.WARN), body=f"{item.where}: {item.advice} [{item.code}]")
    return page.text()


def told_explanation(explanation: Explanation, source: str, style: Style) -> str:
    """Which scope decides about an image, what it asks, and what a build has to attach."""
    page = Page(style)
    page.put(0, (explanation.reference, Tone.STRONG))
    if explanation.scope is None:
        page.put(2, page.mark(Mark.FAIL, Tone.BAD), body=f"denied: no scope of {source} names it")
        return page.text()
    page.put(2, ("scope", Tone.FAINT), body=f"{explanation.scope}, by the pattern {explanation.pattern}", hang=_LABEL)
    for scope, pattern in explanation.others:
        page.put(2, body=f"less specific: {pattern} (scope {scope})", hang=_LABEL)
    widest = max(columns(page.clean(rule)) for rule, _ in explanation.rules)
    for number, (rule, asked) in enumerate(explanation.rules):
        label = "" if number else "rules"
        cell = " " * (_LABEL - 2 - len(label)) + rule
        page.put(2, (label, Tone.FAINT), (cell, Tone.NONE), body=asked, hang=_LABEL + widest + 2)
    for number, step in enumerate(explanation.attach):
        who = f"{step.type} by {step.signer}" + (f", as {step.whom}" if step.whom else "")
        words = step.command or "made by that authority only: imgtrust has no command for it"
        page.put(2, ("attach" if not number else "", Tone.FAINT), body=(who, words), hang=_LABEL)
    targets = explanation.promote_to or "nowhere"
    page.put(2, ("promote to", Tone.FAINT), body=targets, hang=_LABEL + 2)
    return page.text()
