"""Sign and attest from Python: what a build would do."""

import imgtrust

signer = imgtrust.open_signer("release.key")
clock = imgtrust.open_timestamper("https://tsa.example.com")
image = "registry.example.com/team/app:1.4.2"

(signed,) = imgtrust.sign([image], signer, timestampers=[clock])
print(signed.digest, "signed at", signed.times[0].time)

imgtrust.attest([image], {"reviewed": True}, "https://example.com/review/v1", signer, timestampers=[clock])
