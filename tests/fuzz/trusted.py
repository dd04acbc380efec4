"""Cases of the parsers in ``trust``: keys, roots, tokens, checkpoints, timestamps of certificates, chains, revocation.

The oracle: nothing is raised but what is documented; what proves something proves what the unchanged one proved.
"""

from __future__ import annotations

import base64
import contextlib
import functools
from typing import TYPE_CHECKING, Any, Final

from imgtrust import strict_json
from imgtrust.errors import InputFileError, KeyUnusable, Refused
from imgtrust.trust import ed25519ph, keys, sct
from imgtrust.trust.certificatefiles import read_roots
from imgtrust.trust.certificates import load
from imgtrust.trust.notary import lists, responses
from imgtrust.trust.notary.answers import Question
from imgtrust.trust.notary.chain import read_chain
from imgtrust.trust.notary.entries import Unusable
from imgtrust.trust.notary.revocation import usable
from imgtrust.trust.roots import describe_root, parse_sigstore_root, parse_tsa_chain
from imgtrust.trust.times import check_response, read_token, verify_timestamp
from imgtrust.trust.transparency.checkpoint import parse_checkpoint, verify_checkpoint
from tests.fuzz.mutators import Mutator
from tests.fuzz.parsers import of_bytes, require, same
from tests.fuzz.target import FalseAcceptError, Target
from tests.fuzz.world import AT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from random import Random

    from cryptography import x509

    from imgtrust.trust.anchors import LogKey, SigstoreRoot
    from tests.fuzz.world import World

__all__ = ["TARGETS"]

_STAMPED: Final = b"a signature"
_SIZES: Final = (("sha256", 32), ("sha384", 48), ("sha512", 64))


def _named(*names: str) -> Callable[[World], tuple[bytes, ...]]:
    """Seeds out of the material, by the beginnings of their names."""
    return lambda world: tuple(data for name, data in world.material.items() if name.startswith(names))


def _acme(world: World) -> SigstoreRoot:
    return world.roots["acme"].identities[0].root


# --- keys, roots and chains -------------------------------------------------------------------------------------------


def _public_keys(world: World) -> tuple[bytes, ...]:
    ders = _named("public-")(world)
    return (*ders, *(keys.PublicKey(der).pem for der in ders))


def _public_key(_: World, data: bytes) -> None:
    found = keys.parse_public_key(data, "file")
    same(keys.parse_public_key(found.pem, "file"), found, "written and read again")
    same(keys.PublicKey(found.der), found, "the same bytes, another key")
    require(not keys.verify(found, bytes(64), b""), "nothing is a signature")


def _sigstore_root(_: World, data: bytes) -> None:
    with contextlib.suppress(InputFileError):
        describe_root(data, "root.json")
    parse_sigstore_root(data, "root.json")


def _tsa_chain(_: World, data: bytes) -> None:
    for der in read_roots(data, "roots.pem"):
        same(read_roots(der, "one"), (der,), "another certificate")
    parse_tsa_chain(data, "chain.pem")


def _chains(world: World) -> tuple[bytes, ...]:
    return (b"".join(_named("notary-")(world)), b"".join(_named("revocable", "issuer")(world)))


def _chain(_: World, data: bytes) -> None:
    """Certificates one after the other, as they are in an envelope."""
    found = []
    while data:
        size = 4 + int.from_bytes(data[2:4], "big")
        found.append(data[:size])
        data = data[size:]
    read_chain(found[:16])


# --- signatures -------------------------------------------------------------------------------------------------------


def _signatures(world: World) -> tuple[bytes, ...]:
    documents = [strict_json.loads(world.pieces[f"key-{name}"].evidence.payload) for name in ("p256", "rsa", "ed25519")]
    return tuple(base64.b64decode(each["dsseEnvelope"]["signatures"][0]["sig"]) for each in documents)


def _signature(world: World, data: bytes) -> None:
    """No change of a signature is one over something else."""
    keys.plausible(data)
    for name in ("p256", "p384", "p521", "rsa", "ed25519"):
        key = keys.PublicKey(world.material[f"public-{name}"])
        require(not keys.verify(key, data, b"something else"), f"a signature of {name}")
        for algorithm, size in _SIZES:
            require(not keys.verify_digest(key, data, bytes(size), algorithm), f"a signature of {name}, {algorithm}")
    ed25519ph.is_usable(data[:32])


# --- time-stamps, logs, timestamps of certificates --------------------------------------------------------------------


def _token(world: World, data: bytes) -> None:
    with contextlib.suppress(Refused):
        check_response(data, _STAMPED, None)
    read_token(data)
    found = verify_timestamp(data, (_STAMPED,), world.roots["keys"].authorities, at=AT)
    require((found.time, found.authority) in _times(world), f"another time: {found}")


@functools.lru_cache(maxsize=2)
def _proven(full: bytes, bare: bytes, authorities: Any) -> frozenset[tuple[Any, str]]:
    found = [verify_timestamp(each, (_STAMPED,), authorities, at=AT) for each in (full, bare)]
    return frozenset((each.time, each.authority) for each in found)


def _times(world: World) -> frozenset[tuple[Any, str]]:
    return _proven(world.material["token-full"], world.material["token-bare"], world.roots["keys"].authorities)


def _checkpoint(world: World, data: bytes) -> None:
    envelope = data.decode("utf-8", "replace")
    found = parse_checkpoint(envelope)
    refusal = None
    for log, name in zip(_acme(world).logs, ("checkpoint1", "checkpoint2"), strict=True):
        good = parse_checkpoint(world.material[name].decode())
        try:
            verify_checkpoint(envelope, log, found.size, found.root)
        except Refused as exc:
            refusal = exc
            continue
        same((found.size, found.root, found.text), (good.size, good.root, good.text), "another tree")
        _refuses_others(envelope, log, found.size + 1, found.root)
        return
    if refusal is not None:
        raise refusal


def _refuses_others(envelope: str, log: LogKey, size: int, root: bytes) -> None:
    """The same note is none of another tree."""
    try:
        verify_checkpoint(envelope, log, size, root)
    except Refused:
        return
    message = "believed for another size"
    raise FalseAcceptError(message)


def _sct(world: World, data: bytes) -> None:
    try:
        certificate = load(data)
    except Exception as exc:  # of what nobody can read, ``certificates.read_leaf`` speaks
        raise _UnloadableError from exc
    sct.verify(certificate, load(world.material["fulcio-issuer"]), _acme(world).ct_logs)
    good = load(world.material["fulcio-leaf"]).tbs_precertificate_bytes
    same(certificate.tbs_precertificate_bytes, good, "shown to the log in another form")


class _UnloadableError(ValueError):
    """No certificate at all."""


# --- revocation -------------------------------------------------------------------------------------------------------


def _revocation(world: World, data: bytes) -> None:
    """Every reader, about both certificates: what is believed is what the good ones say."""
    issuer = load(world.material["issuer"])
    usable(Question("http://crl.invalid/", b"", world.material["issuer"]), data, AT)
    said = 0
    for name in ("revocable", "revocable-delta"):
        certificate = load(world.material[name])
        for read in _READERS:
            with contextlib.suppress(Unusable):
                entry = read(world, data, certificate, issuer)
                said += 1
                require((read.__name__, name, _shown(entry)) in _said(world), f"{read.__name__} says {entry}")
    if not said:
        raise Unusable


def _list(world: World, data: bytes, certificate: x509.Certificate, issuer: x509.Certificate) -> Any:
    del world
    found = lists.read_list(data, certificate, issuer, AT)
    lists.delta_urls(certificate, found)
    return lists.find_entry(found, certificate)


def _delta(world: World, data: bytes, certificate: x509.Certificate, issuer: x509.Certificate) -> Any:
    base = lists.read_list(world.material["crl-base"], certificate, issuer, AT)
    return lists.find_entry(lists.read_delta(data, certificate, issuer, AT, base), certificate)


def _answer(world: World, data: bytes, certificate: x509.Certificate, issuer: x509.Certificate) -> Any:
    del world
    return responses.read_response(data, certificate, issuer, AT)


_READERS: Final = (_list, _delta, _answer)


def _shown(entry: Any) -> str:
    return repr(entry)


def _said(world: World) -> frozenset[tuple[str, str, str]]:
    """All that the good answers say."""
    if not world.remembered:
        world.remembered |= frozenset(_all_said(world))
    return frozenset(world.remembered)


def _all_said(world: World) -> Iterator[tuple[str, str, str]]:
    issuer = load(world.material["issuer"])
    for data in _answers(world):
        for name in ("revocable", "revocable-delta"):
            for read in _READERS:
                with contextlib.suppress(Unusable):
                    yield read.__name__, name, _shown(read(world, data, load(world.material[name]), issuer))


def _answers(world: World) -> Sequence[bytes]:
    return _named("crl", "delta", "ocsp")(world)


def _make_chain(world: World, random: Random) -> bytes:
    """Certificates are cut apart by their lengths, so each is changed by itself."""
    good = list(random.choice((_named("notary-"), _named("revocable", "issuer")))(world))
    mutator = Mutator(random, good)
    at = random.randrange(len(good))
    match random.randrange(6):
        case 0:
            del good[at]
        case 1:
            good.insert(random.randrange(len(good) + 1), good[at])
        case _:
            good[at] = mutator.several(good[at])
    return b"".join(good)


def _judge_chain(world: World, case: bytes) -> str:
    try:
        _chain(world, case)
    except Refused as exc:
        return str(exc.code)
    return "accepted"


TARGETS: Final = (
    of_bytes("public-key", _public_keys, _public_key, (KeyUnusable,), 40),
    of_bytes("trusted-root", _named("root-"), _sigstore_root, (InputFileError,), 30),
    of_bytes("tsa-chain", _named("tsa-", "legacy-tsa", "notary-"), _tsa_chain, (InputFileError,), 30),
    of_bytes("signature", _signatures, _signature, (), 10),
    of_bytes("time-stamp", _named("token-"), _token, (Refused,), 40),
    of_bytes("checkpoint", _named("checkpoint"), _checkpoint, (Refused,), 30, (b"3", b"-1", b"9" * 30)),
    of_bytes("sct", _named("fulcio-leaf"), _sct, (Refused, _UnloadableError), 30),
    of_bytes("revocation", _answers, _revocation, (Unusable,), 30),
    Target("notary-chain", _make_chain, _judge_chain, 20),
)
"""Parsers of ``trust``."""
