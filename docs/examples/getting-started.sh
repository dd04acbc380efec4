# [keys]
imgtrust keys generate release

# [look]
imgtrust inspect oci:build:1.4.2

# [unsigned] exits 1
imgtrust verify --key release.pub oci:build:1.4.2

# [sign]
export IMGTRUST_TSA=https://tsa.example.com
imgtrust sign --key release.key oci:build:1.4.2

# [verify]
imgtrust verify --key release.pub --tsa-roots tsa.pem oci:build:1.4.2

# [policy]
imgtrust verify --key release.pub --tsa-roots tsa.pem --max-age 90d --print-policy > gate.toml
imgtrust policy check gate.toml

# [promote]
imgtrust promote --policy gate.toml oci:build:1.4.2 oci:production

# [registry]
imgtrust promote --policy gate.toml oci:build:1.4.2 registry.example.com/team/app
imgtrust verify --policy gate.toml registry.example.com/team/app:1.4.2
