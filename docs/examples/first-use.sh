# [all]
imgtrust keys generate release
imgtrust sign --key release.key --tsa https://tsa.example.com registry.example.com/team/app:1.4.2
imgtrust verify --key release.pub --tsa-roots tsa.pem --max-age 90d registry.example.com/team/app:1.4.2
imgtrust verify --key release.pub --tsa-roots tsa.pem --max-age 90d --print-policy > gate.toml
imgtrust promote --policy gate.toml registry.example.com/team/app:1.4.2 registry.example.com/prod/app
