"""One image with everything on it that images have in the field: each kind of evidence, good, strange and broken.

Knows who made what (``RELEASE``, ``OTHER``, ``SIGSTORE``, ``NOTARY_ROOT``), so that a test can trust any of them.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from cryptography.x509 import UniformResourceIdentifier

from imgtrust.commands.appending import attach_legacy
from imgtrust.content import OCI_MANIFEST, Descriptor, Platform, describe
from imgtrust.formats.attachments import Suffix, legacy_tag
from imgtrust.formats.mediatypes import BUNDLE_TYPE, NOTARY_ARTIFACT
from imgtrust.predicates.summary import VSA
from imgtrust.reference import Digest
from imgtrust.signers.authority import LocalAuthority
from imgtrust.signers.local import LocalSigner
from tests.simulators.attached import NOTARY_ROOT, attach_keyless, attach_notary
from tests.simulators.evidence import Key, bundle, message_bundle, statement
from tests.simulators.gate import Publisher
from tests.simulators.images import Image, artifact, image, index, push
from tests.simulators.notaryenvelopes import COSE, SIGNED, cose, cose_header, header, payload
from tests.simulators.pki import SUBJECT, leaf
from tests.simulators.sigstore import V2, Signer, VirtualSigstore

if TYPE_CHECKING:
    from imgtrust.stores.port import Store

__all__ = ["OTHER", "RELEASE", "SIGSTORE", "TSA", "WORKFLOW", "fill"]

_KEY: Final = Key.new()
RELEASE: Final = Publisher("release", LocalSigner(_KEY.private))
OTHER: Final = Publisher("other")
SIGSTORE: Final = VirtualSigstore()
WORKFLOW: Final = "https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main"
IN_TOTO: Final = "application/vnd.in-toto+json"
_CYCLONEDX: Final = {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [{}] * 214}
_SPDX: Final = {"SPDXID": "SPDXRef-DOCUMENT", "spdxVersion": "SPDX-2.3", "name": "x", "packages": [{}]}
_GRANTED: Final = bytes.fromhex("3003020100")
TSA: Final = LocalAuthority(lambda: SIGNED, certificates=True)
"""Who stamps Notary envelopes."""
_COSE_SIGNER: Final = leaf(NOTARY_ROOT, subject=(*SUBJECT, ("CN", "acme release")))


def fill(store: Store, *tags: str) -> Descriptor:
    """Push an index of two platforms with BuildKit's statements, and attach everything; the index's descriptor."""
    amd, arm = image("gallery", platform="linux/amd64"), image("gallery", platform="linux/arm64")
    root = push(store, index(amd, arm, _buildkit(amd), _buildkit(arm)), *tags)
    _keys(store, root)
    _sigstore(store, root)
    _notary(store, root)
    _claims(store, root)
    _broken(store, root)
    _platform(store, Descriptor(amd.descriptor.media_type, amd.digest, amd.descriptor.size))
    return root


def _keys(store: Store, root: Descriptor) -> None:
    """By keys: bundles, cosign's tags, a message signature; a stranger's."""
    RELEASE.sign(store, root, stamped=True)
    RELEASE.sign(store, root, legacy=True)
    RELEASE.attest(store, root, VSA, {}, legacy=True)
    RELEASE.attest(store, root, "https://openvex.dev/ns", {})
    OTHER.sign(store, root)
    attach_keyless(store, root, SIGSTORE, Signer(_KEY))
    _bundle(store, root, message_bundle(_KEY, root.digest))


def _sigstore(store: Store, root: Descriptor) -> None:
    """By certificates of a workflow and of a person: logs of both generations, with and without time-stamps."""
    workflow = SIGSTORE.certify(names=(UniformResourceIdentifier(WORKFLOW),))
    attach_keyless(store, root, SIGSTORE, workflow, stamped=1)
    attach_keyless(store, root, SIGSTORE, kind=V2)
    legacy = SIGSTORE.layer(workflow, subject=root.digest)
    attach_legacy(store, legacy_tag(root.digest, Suffix.SIG), legacy.layer, legacy.payload)


def _notary(store: Store, root: Descriptor) -> None:
    """Notary envelopes of both kinds, one time-stamped and with an end, one of a root that nobody knows."""
    attach_notary(store, root)
    about = payload(mediaType=root.media_type, digest=str(root.digest), size=root.size)
    members = header(_COSE_SIGNER, expiry="2027-02-01T00:00:00Z")
    envelope = cose((_COSE_SIGNER, NOTARY_ROOT), protected=cose_header(members), body=about, stamp=_stamp)
    push(store, artifact(root, artifact_type=NOTARY_ARTIFACT, layers=[(COSE, envelope)]))


def _claims(store: Store, root: Descriptor) -> None:
    """What nobody signed: a plain SBOM, artifacts of other tools, cosign's ``.sbom`` tag."""
    push(store, artifact(root, artifact_type="application/spdx+json", layers=[("application/spdx+json", b"{}")]))
    push(store, artifact(root, layers=[("text/plain", b"hello"), ("text/plain", b"world")]))
    sbom = artifact(None, artifact_type="", layers=[("text/spdx+json", b"{}")])
    push(store, sbom, legacy_tag(root.digest, Suffix.SBOM))


def _broken(store: Store, root: Descriptor) -> None:
    """What cannot be believed by anybody: cut short, moved from another image, of an unknown version, two in one."""
    _bundle(store, root, b"{")
    _bundle(store, root, bundle(_KEY, statement(Digest.of(b"another image"))))
    _bundle(store, root, bundle(_KEY, statement(root.digest), mediaType="application/vnd.dev.sigstore.bundle.v9+json"))
    good = bundle(_KEY, statement(root.digest))
    push(store, artifact(root, artifact_type=BUNDLE_TYPE, layers=[(BUNDLE_TYPE, good), (BUNDLE_TYPE, b"{}")]))


def _platform(store: Store, child: Descriptor) -> None:
    """What hangs on one platform."""
    RELEASE.attest(store, child, "https://cyclonedx.org/bom", _CYCLONEDX)
    RELEASE.attest(store, child, "https://spdx.dev/Document", _SPDX)
    RELEASE.attest(store, child, "https://slsa.dev/provenance/v1", {})


def _bundle(store: Store, subject: Descriptor, content: bytes) -> None:
    push(store, artifact(subject, artifact_type=BUNDLE_TYPE, layers=[(BUNDLE_TYPE, content)]))


def _stamp(signature: bytes) -> bytes:
    """A bare token over a Notary signature, as Notary keeps it: the response without its status."""
    response = TSA.stamp(signature)
    return response[response.index(_GRANTED) + len(_GRANTED) :]


def _buildkit(about: Image) -> Image:
    """The manifest of statements that BuildKit puts beside a platform: provenance, an SBOM, one that says no type."""
    layers = [
        (IN_TOTO, statement(about.digest, uri or "https://example.com/own"))
        for uri in ("https://slsa.dev/provenance/v0.2", "https://spdx.dev/Document", None)
    ]
    made = artifact(None, artifact_type="", layers=layers)
    document = json.loads(made.manifest)
    for layer, (_, content) in zip(document["layers"][:2], layers, strict=False):
        layer["annotations"] = {"in-toto.io/predicate-type": json.loads(content)["predicateType"]}
    manifest = json.dumps(document).encode()
    notes = (
        ("vnd.docker.reference.type", "attestation-manifest"),
        ("vnd.docker.reference.digest", str(about.digest)),
    )
    plain = describe(manifest, OCI_MANIFEST)
    listed = replace(plain, annotations=notes, platform=Platform("unknown", "unknown"))
    return Image(listed, manifest, made.blobs)
