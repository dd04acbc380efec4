"""The rows of the benchmark: for each kind of work, imgtrust and a peer in turn, and the goal of their ratio."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from imgtrust import strict_json
from imgtrust.reference import Reference
from imgtrust.stores import open_store
from tests.benchmarks.latency import far_away
from tests.benchmarks.measure import Command, Taken, compare, run
from tests.simulators.attached import attach_keyless
from tests.simulators.fulcio import ISSUER
from tests.simulators.images import image, push
from tests.simulators.sigstore import VirtualSigstore

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.benchmarks.world import World

__all__ = ["ROWS", "Row"]

MANY: Final = 200
LATENCY: Final = 0.02
LAYER: Final = 70_000_000
BLOB: Final = 250_000_000
AUDITED: Final = 500
OBJECTS: Final = 6
"""Blobs of the image that is promoted: three layers, its config, the bundle and its config."""


@dataclass(frozen=True)
class Row:
    """One comparison. ``figure`` is what the goal is about, ``limit`` the goal itself (met where not above it)."""

    work: str
    ours: Taken
    peer: str
    theirs: Taken | None
    figure: float
    limit: float
    goal: str
    note: str = ""

    @property
    def met(self) -> bool:
        """Whether the goal is reached."""
        return self.figure <= self.limit


def start(world: World) -> list[Row]:
    """``--help``."""
    taken = compare({"ours": [world.imgtrust("--help")] * 9, "cosign": [world.peer("cosign", "--help")] * 9})
    return [_ratio("--help", taken, "cosign", 2.0)]


def verify(world: World) -> list[Row]:
    """One image, and four at once, against as many runs of cosign."""
    names = world.small_images(world.fresh(world.memory), 4)
    world.do(world.peer("cosign", "sign", *world.offline, *names))
    ours = world.imgtrust("verify", "--key", "cosign.pub", names[0])
    theirs = world.peer("cosign", "verify", *world.by_key, names[0])
    taken = compare({"ours": [ours] * 9, "cosign": [theirs] * 9})
    four = compare(
        {
            "ours": [world.imgtrust("verify", "--key", "cosign.pub", *names)] * 7,
            "4 x cosign": [world.together(*(world.peer("cosign", "verify", *world.by_key, name) for name in names))]
            * 7,
        }
    )
    layout = f"oci:{world.folder / 'one'}:1"
    world.do(world.imgtrust("promote", "--key", "cosign.pub", names[0], layout))
    local = compare({"ours": [world.imgtrust("verify", "--key", "cosign.pub", layout)] * 7})
    said = f"a layout: {local['ours'].wall:.3f} s, {local['ours'].rss:.0f} MiB"
    return [
        _ratio("verify of one small image in a registry", taken, "cosign", 3.0, said),
        _memory(taken, "cosign", 60.0),
        _ratio("verify of 4 images, against 4 cosign processes at once", four, "4 x cosign", 1.0),
    ]


def keyless(world: World) -> list[Row]:
    """One image with a certificate's signature in a layout, judged by imgtrust and by sigstore-python."""
    name = f"oci:{world.folder / 'keyless'}:1"
    instance = VirtualSigstore("bench")
    with closing(open_store(Reference.parse(name).repository)) as store:
        attach_keyless(store, push(store, image("keyless", layers=1, size=200), "1"), instance)
    root = world.folder / "trusted_root.json"
    root.write_bytes(strict_json.dumps(instance.document()))
    who = ("--certificate-identity-regexp", ".+", "--certificate-oidc-issuer", ISSUER)
    taken = compare({"ours": [world.imgtrust("verify", "--trusted-root", root, *who, name)] * 9})["ours"]
    said = f"{taken.rss:.0f} MiB, sigstore-python imported and asked"
    work = "keyless verify with second opinion (s)"
    return [Row(work, taken, "-", None, taken.wall, 1.0, "<= 1.0 s", said)]


def verify_many(world: World) -> list[Row]:
    """200 images in one command, near and 20 ms away."""
    names = world.small_images(world.fresh(world.memory), MANY)
    world.do(world.imgtrust("sign", "--key", "cosign.key", *names))
    rows = []
    near = compare(_verify_sides(world, names, 3))
    rows.append(_ratio(f"verify of {MANY} images in one command", near, "cosign", 1.0))
    with far_away(world.memory, LATENCY) as host:
        there = [name.replace(world.memory, host) for name in names]
        far = compare(_verify_sides(world, there, 1))
    rows.append(_ratio(f"the same, each request {LATENCY * 1000:.0f} ms away", far, "cosign", 0.15))
    return rows


def _verify_sides(world: World, names: Sequence[str], rounds: int) -> dict[str, list[Command]]:
    """Both sides of verifying many."""
    return {
        "ours": [world.imgtrust("verify", "--key", "cosign.pub", *names)] * rounds,
        "cosign": [world.peer("cosign", "verify", *world.by_key, *names)] * rounds,
    }


def sign_many(world: World) -> list[Row]:
    """200 signatures in one command."""
    names = world.small_images(world.fresh(world.memory), MANY)
    others = world.small_images(world.fresh(world.memory), MANY)
    taken = {
        "ours": run(world.imgtrust("sign", "--key", "cosign.key", *names)),
        "cosign": run(world.peer("cosign", "sign", *world.offline, *others)),
    }
    return [_ratio(f"sign {MANY} images in one command", taken, "cosign", 0.1)]


def stream(world: World) -> list[Row]:
    """One large blob read and hashed, plain and TLS; process time less the start of the same program."""
    rows = []
    big = image("big", layers=1, size=BLOB)
    layer = big.blobs[1][0]
    for what, host, speed in (("plain", world.source, 1.0), ("TLS", world.secure, 0.6)):
        secure = what == "TLS"
        repository = world.fresh(host)
        world.push(repository, [big], secure=secure)
        authority = [str(world.authority)] if secure else []
        ours = world.program("stream", f"{repository}:0", str(layer.digest), str(layer.size), *authority)
        small = big.blobs[0][0]
        start_ours = world.program("stream", f"{repository}:0", str(small.digest), str(small.size), *authority)
        theirs = world.peer("crane", "blob", f"{repository}@{layer.digest}")
        start_theirs = world.peer("crane", "blob", f"{repository}@{small.digest}")
        taken = compare({"ours": [ours] * 5, "crane": [theirs] * 5, "s": [start_ours] * 5, "t": [start_theirs] * 5})
        mine, other = _less(taken["ours"], taken["s"]), _less(taken["crane"], taken["t"])
        gigabytes = layer.size / 1e9
        rate = gigabytes / mine.wall
        said = f"{rate:.2f} GB/s, {mine.cpu / gigabytes:.2f} CPU-s/GB; crane {gigabytes / other.wall:.2f} GB/s"
        work = f"stream and hash {BLOB // 10**6} MB, {what}, less start-up"
        rows.append(_ratio(work, {"ours": mine, "crane blob": other}, "crane blob", 1.0, said))
        slow = f"the same: at least {speed} GB/s (seconds a GB)"
        rows.append(Row(slow, mine, "crane blob", other, 1 / rate, 1 / speed, f">= {speed} GB/s", said))
        if not secure:
            used = mine.cpu / gigabytes
            rows.append(Row("the same: CPU (s a GB)", mine, "crane blob", other, used, 0.85, "<= 0.85 CPU-s/GB"))
    return rows


def _less(taken: Taken, begun: Taken) -> Taken:
    """What a run took beyond its start."""
    return Taken(max(taken.wall - begun.wall, 1e-6), max(taken.cpu - begun.cpu, 1e-6), taken.rss)


def copy(world: World) -> list[Row]:
    """210 MB in three layers from one docker-registry to another: copied, promoted, promoted again."""
    (name,) = world.push(world.fresh(world.source), [image("heavy", layers=3, size=LAYER)])
    world.do(world.imgtrust("sign", "--key", "cosign.key", name))
    rounds = 5

    def goals(make: Callable[[str], Command]) -> list[Command]:
        """One command for each round, each to a repository of its own."""
        return [make(f"{world.fresh(world.destination)}:1") for _ in range(rounds)]

    promoted = [f"{world.fresh(world.destination)}:1" for _ in range(rounds)]
    promote = ("promote", "--key", "cosign.pub", name)
    taken = compare(
        {
            "ours": goals(lambda to: world.program("copy", name, to)),
            "crane": goals(lambda to: world.peer("crane", "copy", name, to)),
            "regctl": goals(lambda to: world.peer("regctl", "image", "copy", name, to)),
            "oras": goals(lambda to: world.peer("oras", "cp", "--from-plain-http", "--to-plain-http", name, to)),
            "promote": [world.imgtrust(*promote, to) for to in promoted],
            "again": [world.imgtrust(*promote, to) for to in promoted],
            "crane again": [world.peer("crane", "copy", name, to) for to in promoted],
        }
    )
    fastest = min(("crane", "regctl", "oras"), key=lambda peer: taken[peer].wall)
    said = ", ".join(f"{peer} {taken[peer].wall:.2f} s" for peer in ("crane", "regctl", "oras"))
    asked = _asked_again(world, promoted[0], lambda: run(world.imgtrust(*promote, promoted[0])))
    return [
        _ratio("copy 210 MB in 3 layers, every byte hashed", taken, fastest, 1.0, said),
        _memory(taken, fastest, 64.0),
        _ratio("promote the same, all of it", {"ours": taken["promote"], "crane": taken["crane"]}, "crane", 1.3),
        Row(
            "promote it a second time (HEADs an object)",
            taken["again"],
            "crane copy, again",
            taken["crane again"],
            asked.count("HEAD blobs") / OBJECTS,
            1.0,
            "<= 1 HEAD an object",
            f"{len(asked)} requests, {asked.count('GET blobs')} blobs read: {', '.join(sorted(set(asked)))}",
        ),
        *_mounted(world, name),
    ]


def _asked_again(world: World, name: str, work: Callable[[], object]) -> list[str]:
    """What the destination is asked about an image's repository while something is done."""
    repository = name.rpartition(":")[0]
    before = len(world.asked(repository))
    work()
    return world.asked(repository)[before:]


def _mounted(world: World, name: str) -> list[Row]:
    """The same image to another repository of a registry that has its blobs."""
    first, rounds = f"{world.fresh(world.destination)}:1", 3
    world.do(world.imgtrust("promote", "--key", "cosign.pub", name, first))
    here = [f"{world.fresh(world.destination)}:1" for _ in range(rounds)]
    there = [f"{world.fresh(world.destination)}:1" for _ in range(rounds)]
    plain = ("--src-tls-verify=false", "--dest-tls-verify=false")
    taken = compare(
        {
            "ours": [world.imgtrust("promote", "--key", "cosign.pub", first, to) for to in here],
            "skopeo": [world.peer("skopeo", "copy", *plain, f"docker://{first}", f"docker://{to}") for to in there],
        }
    )
    work = "promote within one registry: blobs mounted, read back and hashed"
    ours, theirs = taken["ours"], taken["skopeo"]
    ratio = ours.wall / theirs.wall
    return [Row(work, ours, "skopeo", theirs, ratio, float("inf"), "none", "skopeo mounts and reads nothing back")]


def audit(world: World) -> list[Row]:
    """Every image of a repository, judged."""
    repository = world.fresh(world.memory)
    names = world.small_images(repository, AUDITED)
    world.do(world.imgtrust("sign", "--key", "cosign.key", *names))
    taken = compare({"ours": [world.imgtrust("audit", "--key", "cosign.pub", "-o", "jsonl", repository)] * 3})["ours"]
    each = taken.wall / AUDITED
    said = f"{AUDITED / taken.wall:.0f} images a second, {taken.rss:.0f} MiB"
    return [
        Row(f"audit of {AUDITED} signed images (s an image)", taken, "-", None, each, 1 / 150, ">= 150 images/s", said)
    ]


def _memory(taken: dict[str, Taken], peer: str, limit: float) -> Row:
    """A row about the peak of memory of the one before."""
    ours, theirs = taken["ours"], taken[peer]
    said = f"{peer} {theirs.rss:.0f} MiB"
    return Row("memory of the same (MiB)", ours, peer, theirs, ours.rss, limit, f"<= {limit:g} MiB", said)


def _ratio(work: str, taken: dict[str, Taken], peer: str, limit: float, note: str = "") -> Row:
    """A row whose figure is the ratio of wall times."""
    ratio = taken["ours"].wall / taken[peer].wall
    return Row(work, taken["ours"], peer, taken[peer], ratio, limit, f"<= {limit:g} x", note)


ROWS: Final[dict[str, Callable[[World], list[Row]]]] = {
    "start": start,
    "verify": verify,
    "keyless": keyless,
    "verify-many": verify_many,
    "sign-many": sign_many,
    "stream": stream,
    "copy": copy,
    "audit": audit,
}
