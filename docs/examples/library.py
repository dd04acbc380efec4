"""Judge and promote from Python: what a deployment service would do."""

import imgtrust

policy = imgtrust.load_policy("gate.toml")

try:
    verdict = imgtrust.verify("registry.example.com/team/app:1.4.2", policy)
except imgtrust.Rejected as no:
    raise SystemExit(str(no)) from no
print("accepted, published", verdict.published.earliest)

for other in imgtrust.audit(["registry.example.com/team/tool"], policy):
    print(other.name, other.outcome)

result = imgtrust.promote("registry.example.com/team/app:1.4.2", "registry.example.com/prod/app", policy)
print("tagged", result.tags)
