# [prepare] hidden
imgtrust keys generate release
imgtrust keys generate ci
imgtrust sign --key release.key --tsa https://tsa.example.com registry.example.com/team/app:1.4.2
imgtrust sign --key ci.key --tsa https://tsa.example.com registry.example.com/team/app:1.4.2
imgtrust attest --key ci.key --tsa https://tsa.example.com --type slsa-provenance --predicate provenance.json registry.example.com/team/app:1.4.2
imgtrust sign --key release.key --tsa https://tsa.example.com registry.example.com/team/tool:2.0
cp "$EXAMPLES/gate.toml" .

# [key]
imgtrust verify --key release.pub registry.example.com/team/app:1.4.2

# [two]
imgtrust verify --key release.pub --key ci.pub --count 2 registry.example.com/team/app:1.4.2

# [dates]
imgtrust verify --key release.pub --tsa-roots tsa.pem --max-age 90d registry.example.com/team/app:1.4.2

# [later] exits 1
imgtrust verify --key release.pub --tsa-roots tsa.pem --max-age 90d --at 2035-01-01T00:00:00Z registry.example.com/team/app:1.4.2

# [policy]
imgtrust verify --policy gate.toml --report json=verdict.json --report markdown=verdict.md registry.example.com/team/app:1.4.2

# [many] exits 1
printf '%s\n' registry.example.com/team/app:1.4.2 registry.example.com/team/tool:2.0 > images.txt
imgtrust verify --policy gate.toml - < images.txt

# [jsonl] exits 1
imgtrust verify --policy gate.toml -o jsonl - < images.txt > verdicts.jsonl

# [gate]
if imgtrust verify --policy gate.toml --quiet registry.example.com/team/app:1.4.2; then
  echo "it may go on"
else
  case $? in
    1) echo "rejected" ;;
    3) echo "could not tell: run it again" ;;
  esac
fi

# [audit] exits 1
imgtrust audit --policy gate.toml 'registry.example.com/team/**'

# [keyless]
imgtrust verify --trusted-root sigstore.json --max-age 90d \
  --certificate-identity https://github.com/acme/web/.github/workflows/release.yml@refs/heads/main \
  --certificate-oidc-issuer https://token.actions.githubusercontent.com \
  registry.example.com/team/web:3.1

# [stranger] exits 1
imgtrust verify --trusted-root sigstore.json \
  --certificate-identity https://github.com/acme/web/.github/workflows/release.yml@refs/tags/v3.1 \
  --certificate-oidc-issuer https://token.actions.githubusercontent.com \
  registry.example.com/team/web:3.1

# [notary]
imgtrust verify --notary-roots acme.pem --notary-identity 'x509.subject: C=US, ST=WA, O=Acme' registry.example.com/team/api:2.7

# [field]
cp "$EXAMPLES/field.toml" .
imgtrust verify --policy field.toml registry.example.com/team/web:3.1

# [tree]
imgtrust inspect --policy field.toml registry.example.com/team/web:3.1

# [found]
imgtrust inspect registry.example.com/team/web:3.1
