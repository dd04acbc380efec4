"""What tests of keyless signing share: how each tool is told of an instance, and what its libraries say of a bundle."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sigstore.dsse import DigestSet, StatementBuilder, Subject
from sigstore.models import Bundle, ClientTrustConfig, TrustedRoot
from sigstore.oidc import IdentityToken
from sigstore.sign import SigningContext
from sigstore.verify import Verifier, policy

from imgtrust.commands.pushing import push_attachment
from imgtrust.formats.attachments import bundle_attachment
from imgtrust.formats.statement import SIGN_PREDICATE
from imgtrust.reference import Reference
from imgtrust.stores import open_store
from imgtrust.stores.discovery import discover
from tests.fixtures.sigstore import PERSON
from tests.simulators.oidcserver import WORKFLOW_SAN

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fixtures.peers import Peer
    from tests.fixtures.places import Name
    from tests.fixtures.sigstore import PrivateSigstore

__all__ = ["assert_libraries_accept", "attached", "identity", "provenance", "services", "sign_with_python"]


def services(instance: PrivateSigstore, token: Path) -> tuple[str | Path, ...]:
    """The options that name the private instance; cosign and imgtrust spell them alike."""
    config = ("--signing-config", instance.signing_config, "--trusted-root", instance.trusted_root)
    return (*config, "--identity-token", token)


def identity(instance: PrivateSigstore, *, workflow: bool = False) -> tuple[str | Path, ...]:
    """The options that say who must have signed."""
    name, issuer = (WORKFLOW_SAN, instance.oidc.ci_issuer) if workflow else (PERSON, instance.oidc.issuer)
    who = ("--certificate-identity", name, "--certificate-oidc-issuer", issuer)
    return ("--trusted-root", instance.trusted_root, *who)


def assert_libraries_accept(sigstore_js: Peer, file: Path, instance: PrivateSigstore, name: str) -> None:
    """Sigstore's verifiers for Python and for JavaScript take the bundle."""
    verifier = Verifier(trusted_root=TrustedRoot.from_file(str(instance.trusted_root)))
    issuer = instance.oidc.ci_issuer if name == WORKFLOW_SAN else instance.oidc.issuer
    bundle = Bundle.from_json(file.read_bytes())
    kind, payload = verifier.verify_dsse(bundle, policy.Identity(identity=name, issuer=issuer))
    assert kind == "application/vnd.in-toto+json"
    assert json.loads(payload)["subject"]
    sigstore_js(instance.trusted_root, file, name, issuer)
    assert sigstore_js(instance.trusted_root, file, f"{name}x", issuer, check=False).returncode == 1


def provenance(folder: Path, kind: str) -> tuple[str | Path, ...]:
    """The options of ``attest`` for a provenance, in cosign and imgtrust; each has its own name for the type."""
    (folder / "predicate.json").write_text(json.dumps({"builder": {"id": "https://acme.test/builder"}}))
    return ("--type", kind, "--predicate", folder / "predicate.json")


def attached(name: Name) -> list[dict[str, Any]]:
    """The bundles that are attached to an image."""
    with closing(open_store(Reference.parse(str(name)).repository)) as store:
        found = discover(store, store.resolve("1"))
    return [json.loads(each.payload) for each in found.evidence]


def sign_with_python(instance: PrivateSigstore, name: Name) -> str:
    """Sign an image with sigstore-python, and attach its bundle; gives that."""
    token = IdentityToken(instance.oidc.email_token(PERSON))
    with closing(open_store(Reference.parse(str(name)).repository)) as store:
        subject = store.resolve("1")
        statement = (
            StatementBuilder()
            .subjects([Subject(name="app", digest=DigestSet(root={"sha256": subject.digest.encoded}))])
            .predicate_type(SIGN_PREDICATE)
            .predicate({})
            .build()
        )
        config = ClientTrustConfig.from_json(instance.trust_config.read_text())
        with SigningContext.from_trust_config(config).signer(token) as signer:
            made = signer.sign_dsse(statement).to_json()
        attachment = bundle_attachment(
            subject, made.encode(), predicate_type=SIGN_PREDICATE, content="dsse-envelope", created=datetime.now(UTC)
        )
        push_attachment(store, attachment)
    return made
