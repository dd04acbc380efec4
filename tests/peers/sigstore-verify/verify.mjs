// Sigstore's verifier for JavaScript; exit 0 where it believes.
//   verify.mjs TRUSTED_ROOT BUNDLE IDENTITY ISSUER      a certificate, one log entry and one time
//   verify.mjs TRUSTED_ROOT BUNDLE --key PEM            a P-256 key and one time
import { createPublicKey } from "node:crypto";
import { readFileSync } from "node:fs";
import { bundleFromJSON } from "@sigstore/bundle";
import { PublicKeyDetails, TrustedRoot } from "@sigstore/protobuf-specs";
import { Verifier, toSignedEntity, toTrustMaterial } from "@sigstore/verify";

const [rootFile, bundleFile, identity, issuer] = process.argv.slice(2);
const read = (file) => JSON.parse(readFileSync(file, "utf8"));
const bundle = bundleFromJSON(read(bundleFile));
const root = TrustedRoot.fromJSON(read(rootFile));
const byKey = identity === "--key";
const keys = {};
if (byKey) {
  const rawBytes = createPublicKey(readFileSync(issuer)).export({ format: "der", type: "spki" });
  const material = bundle.verificationMaterial.content;
  keys[material.publicKey.hint] = { rawBytes, keyDetails: PublicKeyDetails.PKIX_ECDSA_P256_SHA_256 };
}
const needed = byKey
  ? { ctlogThreshold: 0, tlogThreshold: 0, timestampThreshold: 1 }
  : { ctlogThreshold: 1, tlogThreshold: 1, timestampThreshold: 1 };
const policy = byKey ? undefined : { subjectAlternativeName: identity, extensions: { issuer } };
try {
  new Verifier(toTrustMaterial(root, keys), needed).verify(toSignedEntity(bundle), policy);
  console.log("believed");
} catch (error) {
  console.error(`${error.name}: ${error.message}`);
  process.exit(1);
}
