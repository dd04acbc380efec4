"""Sign as an identity, have signatures by key logged, and leave a record of a promotion, from Python."""

from pathlib import Path

import imgtrust

image = "registry.example.com/team/app:1.4.2"
build = imgtrust.Keyless(
    token=Path("token").read_text,
    signing_config="signing_config.json",
    trusted_root="trusted_root.json",
)
(signed,) = imgtrust.sign([image], build)
print(signed.signer, "at", signed.times[0].time, "logged as", signed.logged)

signer = imgtrust.open_signer("release.key")
logs = imgtrust.Logs("trusted_root.json", signing_config="signing_config.json")
imgtrust.attest([image], {"reviewed": True}, "https://example.com/review/v1", signer, logs=logs)

policy = imgtrust.load_policy("gate.toml")
result = imgtrust.promote(image, "registry.example.com/prod/app", policy, record_signer=build)
print("recorded by", result.recorder, "and tagged", result.tags)
