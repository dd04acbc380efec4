"""The demo: five short acts on OCI layouts, from a build to production, and four attacks that are refused.

Knows the story and the commands in it, as a person would type them; a ``Stage`` runs and shows them. Works in the
current directory, and writes nowhere else.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from imgtrust.commands import demoattacks
from imgtrust.commands.demoauthority import demo_authority
from imgtrust.commands.demodocuments import cyclonedx, policy, provenance, spdx
from imgtrust.commands.demoimage import PLATFORMS, build_image

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

__all__ = ["PASSPHRASE", "Stage", "play"]

PASSPHRASE: Final = "demo-passphrase"  # noqa: S105 - it protects nothing, and is shown
"""The passphrase of the demo's keys: in the environment, as a build would have it, never an argument."""

_IMAGE: Final = "oci:build:1.4.2"
_GATE: Final = ("--policy", "gate.toml", "--record-key", "keys/gate.key")
_OLD_AGE: Final = timedelta(days=200)


class Stage(Protocol):
    """Where the story is told."""

    def act(self, title: str) -> None:
        """A new act begins."""
        ...

    def say(self, text: str) -> None:
        """A paragraph of the story."""
        ...

    def shell(self, line: str) -> None:
        """Show a line that is typed and is no command of imgtrust; the demo does itself what it says."""
        ...

    def run(self, *arguments: str, expect: int = 0, quiet: bool = False) -> None:
        """Run ``imgtrust`` with these arguments in this process, and show both the line and its real output.

        Another exit status than expected ends the demo. ``quiet``: show neither.
        """
        ...


def play(stage: Stage, folder: str, now: Callable[[], datetime]) -> None:
    """Play the whole story in the current directory, which ``folder`` names for the reader.

    Raises:
        OSError: the directory cannot be written, or no port of 127.0.0.1 can be opened.
    """
    with demo_authority(now) as authority:
        _prepare(stage, authority.pem, now())
        _build(stage, authority.url, now())
        _papers(stage)
        authority.clock = lambda: now() - _OLD_AGE
        _old_release(stage, now() - _OLD_AGE)
        authority.clock = now
        _ask(stage)
        _promote(stage)
        _attacks(stage, now())
    _next(stage, folder)


def _prepare(stage: Stage, pem: bytes, started: datetime) -> None:
    """The files that a project has: a policy, documents, and whom to ask for the time."""
    Path("keys").mkdir()
    Path("attacks").mkdir()
    for name, text in (
        ("gate.toml", policy(started)),
        ("shop.cdx.json", cyclonedx()),
        ("shop.spdx.json", spdx(started)),
        ("provenance.json", provenance(started)),
        ("tsa.pem", pem.decode()),
    ):
        Path(name).write_text(text, encoding="utf-8")
    stage.say(
        "A small shop builds container images and has a rule: nothing goes to production unless it is known who "
        "published it, when, from which build, and what is inside. Everything below really happens, on this machine "
        "and offline; images live in OCI layouts, which are plain folders."
    )


def _build(stage: Stage, tsa: str, started: datetime) -> None:
    """Act 1."""
    stage.act("A release is built and signed")
    build_image("build", "1.4.2", says="welcome to the shop", built=started)
    stage.say(
        f"The build made {_IMAGE}, for {' and '.join(PLATFORMS)}. The project makes its keys once: one signs releases, "
        "one belongs to the build, one to the gate. The passphrase comes from the environment, never from an argument."
    )
    stage.shell(f"export IMGTRUST_PASSPHRASE={PASSPHRASE}")
    for name in ("release", "ci", "gate"):
        stage.run("keys", "generate", f"keys/{name}")
    stage.say(
        "The release is signed by its digest. A time-stamp authority proves when: here a throw-away one on this "
        "machine; any RFC 3161 service will do, by this variable or with --tsa URL."
    )
    stage.shell(f"export IMGTRUST_TSA={tsa}")
    stage.run("sign", "--key", "keys/release.key", _IMAGE)
    stage.say("One signature of the index covers both platforms. It is a Sigstore bundle, which cosign 3 accepts too.")


def _papers(stage: Stage) -> None:
    """Act 2."""
    stage.act("Its papers are attached")
    stage.say(
        "The build says what is inside, in both common formats, and how it was built, and signs each with its own key."
    )
    for file in ("shop.cdx.json", "shop.spdx.json"):
        stage.run("sbom", "attach", "--key", "keys/ci.key", "--file", file, _IMAGE)
    stage.run("attest", "--key", "keys/ci.key", "--type", "slsa-provenance", "--predicate", "provenance.json", _IMAGE)
    stage.say("All of it hangs on the image as OCI 1.1 referrers, beside the signature, and travels with it.")


def _old_release(stage: Stage, then: datetime) -> None:
    """What act 5 needs: a release that was published long ago, with everything that was asked for."""
    build_image("build", "1.1.0", says="welcome to the old shop", built=then)
    old, key = "oci:build:1.1.0", "keys/ci.key"
    stage.run("sign", "--key", "keys/release.key", old, quiet=True)
    stage.run("sbom", "attach", "--key", key, "--file", "shop.cdx.json", old, quiet=True)
    provenance_of = ("--type", "slsa-provenance", "--predicate", "provenance.json")
    stage.run("attest", "--key", key, *provenance_of, old, quiet=True)


def _ask(stage: Stage) -> None:
    """Act 3."""
    stage.act("May it go to production?")
    stage.say(
        "The policy is a file that people review: gate.toml. It names the keys, who may say what time it is, that a "
        "release is at most 90 days old, and which papers it needs."
    )
    stage.shell("cat gate.toml")
    stage.run("verify", "--policy", "gate.toml", _IMAGE)
    stage.say(
        "Who, when, and why: every blob was re-hashed, one row says how each rule was met, and the report says what "
        "was not checked and until when the answer holds. The exit status is 0. The evidence itself, as a tree:"
    )
    stage.run("inspect", "--policy", "gate.toml", _IMAGE)


def _promote(stage: Stage) -> None:
    """Act 4."""
    stage.act("It goes to production")
    stage.say(
        "Judge, copy with all evidence, judge again what arrived, leave a signed record, and only then move the tag."
    )
    stage.run("promote", *_GATE, _IMAGE, "oci:production")
    stage.say(
        "Production has the image and every proof, and can be asked without the build: oci:production:1.4.2 answers as "
        "oci:build:1.4.2 did. A second run finds everything there and copies nothing:"
    )
    stage.run("promote", *_GATE, _IMAGE, "oci:production")


def _attacks(stage: Stage, built: datetime) -> None:
    """Act 5."""
    stage.act("Four attacks, refused")
    stage.say("Somebody can write to the repository now. First: one byte of a layer is changed, and nothing else.")
    layer = demoattacks.alter_layer("build", "1.4.2", "attacks/1-altered")
    stage.shell(f"# one byte of attacks/1-altered/blobs/sha256/{layer.encoded[:12]}… is not what it was")
    stage.run("verify", "--policy", "gate.toml", "oci:attacks/1-altered:1.4.2", expect=1)
    stage.say(
        "The signature is as good as before, but it is a signature of other bytes. Way out: push the image again from "
        "its build; asking again will not help."
    )
    stage.say("Second: a different image takes over the tag, and the signature of the good one is hung on it.")
    demoattacks.move_signature("build", "1.4.2", "attacks/2-moved", built=built)
    stage.shell("# attacks/2-moved: the signature's manifest now says that it is about another image")
    stage.run("verify", "--policy", "gate.toml", "oci:attacks/2-moved:1.4.2", expect=1)
    stage.say(
        "A signature names the digest that it is about, and that is not this image. Way out: whoever really made this "
        "image signs it, if it is one."
    )
    stage.say(
        "Third: the tag is put back to a release of 200 days ago, with all its signatures, every one of them real."
    )
    demoattacks.put_back("build", "1.1.0", "1.4.2", "attacks/3-put-back")
    stage.shell("# attacks/3-put-back: the tag 1.4.2 points at the digest of 1.1.0")
    stage.run("verify", "--policy", "gate.toml", "oci:attacks/3-put-back:1.4.2", expect=1)
    stage.say(
        "Its time-stamp proves that it is old, and signing it again would not make it younger: the earliest proven "
        "time counts. Way out: release again, from source."
    )
    stage.say("Fourth: an image that nobody signed is sent straight to production.")
    demoattacks.forge_unsigned("attacks/4-unsigned", "1.4.2", built=built)
    stage.run("promote", *_GATE, "oci:attacks/4-unsigned:1.4.2", "oci:production", expect=1)
    stage.say(
        "Nothing was written, and production still has what it had. Way out: the report names the command to type."
    )


def _next(stage: Stage, folder: str) -> None:
    """What to try from here."""
    stage.act("Your turn")
    stage.say(f"Everything is in {folder}: two layouts, four attacks, keys, documents, the policy. For example:")
    stage.shell(f"cd {folder} && export IMGTRUST_PASSPHRASE={PASSPHRASE}")
    stage.shell("imgtrust verify --policy gate.toml --at 2030-01-01T00:00:00Z oci:production:1.4.2")
    stage.shell("imgtrust audit --policy gate.toml oci:build")
    stage.shell("imgtrust policy explain --policy gate.toml oci:production:1.4.2")
    stage.say("On a registry of your own, where you are logged in (docker login, podman login or AWS credentials):")
    stage.shell("imgtrust keys generate release")
    stage.shell("imgtrust sign --key release.key --tsa https://timestamp.sigstore.dev/api/v1/timestamp HOST/REPO:TAG")
    stage.shell("imgtrust verify --key release.pub HOST/REPO:TAG")
