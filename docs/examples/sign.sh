# [keys]
imgtrust keys generate release
imgtrust keys show release.pub

# [image]
export IMGTRUST_TSA=https://tsa.example.com
imgtrust sign --key release.key registry.example.com/team/app:1.4.2

# [keyless]
imgtrust sign --keyless --identity-token token --signing-config signing_config.json --trusted-root trusted_root.json \
  --tsa https://sigstore.example.com/tsa registry.example.com/team/app:1.4.2

# [logged]
imgtrust sign --key release.key --rekor-url https://sigstore.example.com --trusted-root trusted_root.json \
  --tsa https://sigstore.example.com/tsa registry.example.com/team/app:1.4.2

# [sbom]
imgtrust sbom attach --key release.key --file app.cdx.json registry.example.com/team/app:1.4.2

# [provenance]
imgtrust attest --key release.key --type slsa-provenance --predicate provenance.json registry.example.com/team/app:1.4.2

# [show]
imgtrust sbom show --key release.pub registry.example.com/team/app:1.4.2 > trusted.cdx.json

# [legacy]
imgtrust sign --key release.key --format cosign-legacy registry.example.com/team/app:1.4.2

# [files]
imgtrust attach registry.example.com/team/app:1.4.2 report.txt --artifact-type application/vnd.acme.report
imgtrust pull registry.example.com/team/app:1.4.2 --artifact-type application/vnd.acme.report --dir fetched
