# [prepare] hidden
export IMGTRUST_TSA=https://tsa.example.com
imgtrust keys generate release
imgtrust keys generate ci
imgtrust sign --key release.key registry.example.com/team/app:1.4.2
imgtrust attest --key ci.key --type slsa-provenance --predicate provenance.json registry.example.com/team/app:1.4.2
cp "$EXAMPLES/gate.toml" .

# [key]
imgtrust keys generate gate

# [plan]
export IMGTRUST_TSA=https://tsa.example.com
imgtrust promote --policy gate.toml --record-key gate.key --plan registry.example.com/team/app:1.4.2 registry.example.com/prod/app

# [run]
imgtrust promote --policy gate.toml --record-key gate.key registry.example.com/team/app:1.4.2 registry.example.com/prod/app

# [record]
imgtrust inspect --key gate.pub --tsa-roots tsa.pem registry.example.com/prod/app:1.4.2

# [keyless]
imgtrust promote --policy gate.toml \
  --record-keyless --record-identity-token token --record-tsa https://sigstore.example.com/tsa \
  --record-signing-config signing_config.json --record-trusted-root trusted_root.json \
  registry.example.com/team/app:1.4.2 registry.example.com/prod/app:next

# [refused] exits 1
imgtrust promote --policy gate.toml registry.example.com/team/tool:2.0 registry.example.com/prod/tool

# [edge] exits 1
imgtrust promote --policy gate.toml registry.example.com/team/app:1.4.2 registry.example.com/elsewhere/app

# [gap]
imgtrust promote --policy gate.toml registry.example.com/team/app:1.4.2 oci:carried
imgtrust promote --policy gate.toml oci:carried:1.4.2 registry.example.com/prod/app
