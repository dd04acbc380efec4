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
