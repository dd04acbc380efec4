#!/usr/bin/env bash
# Builds the peers of the interoperability tests into a folder outside the tree, each once per version.
#
#   tests/peers/build.sh [FOLDER]      default: $IMGTRUST_PEERS, else ${XDG_CACHE_HOME:-~/.cache}/imgtrust/peers
#
# A peer that is there already is left alone, so a second call takes no time. The versions are pinned here and
# nowhere else. Prints the folder as its last line.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
out=${1:-${IMGTRUST_PEERS:-${XDG_CACHE_HOME:-$HOME/.cache}/imgtrust/peers}}
export GOFLAGS=-buildvcs=false CGO_ENABLED=0
mkdir -p "$out"

# name as built, package@version, name as kept where that is another; cosign last, for it takes longest
peers="
crane    github.com/google/go-containerregistry/cmd/crane@v0.22.1
oras     oras.land/oras/cmd/oras@v1.3.6
regctl   github.com/regclient/regclient/cmd/regctl@v0.11.7
timestamp-server github.com/sigstore/timestamp-authority/v2/cmd/timestamp-server@v2.1.3
fulcio   github.com/sigstore/fulcio@v1.8.8
posix    github.com/sigstore/rekor-tiles/v2/cmd/rekor-server/posix@v2.3.0 rekor-server
cosign   github.com/sigstore/cosign/v3/cmd/cosign@v3.1.2
"

build() {  # built name stamp command...: builds into a fresh folder and moves the program into place when it is whole
    local built=$1 name=$2 stamp=$3; shift 3
    if [ "$(cat "$out/$name.version" 2>/dev/null)" = "$stamp" ] && [ -x "$out/$name" ]; then return; fi
    local work; work=$(mktemp -d "$out/.build.XXXXXX")
    echo "building $name ($stamp)" >&2
    GOBIN=$work "$@"
    mv "$work/$built" "$out/$name"
    printf '%s\n' "$stamp" >"$out/$name.version"
    rm -rf "$work"
}

for main in ggcr-registry cue-registry; do
    stamp=$(cat "$here/go.mod" "$here/$main/main.go" | sha256sum | cut -c1-16)
    (cd "$here" && build "$main" "$main" "$stamp" go install "./$main")
done
# A module of its own, so that the registries above are not built again with it.
stamp=$(cat "$here"/notation/go.mod "$here"/notation/go.sum "$here"/notation/main.go | sha256sum | cut -c1-16)
(cd "$here/notation" && build notation notation "$stamp" go install .)
while read -r built package name; do
    [ -z "$built" ] || build "$built" "${name:-$built}" "${package##*@}" go install "$package"
done <<<"$peers"

# Sigstore's verifier for JavaScript, where Node is; its versions are pinned in its package.json
if command -v npm >/dev/null; then
    stamp=$(cat "$here"/sigstore-verify/* | sha256sum | cut -c1-16)
    if [ "$(cat "$out/sigstore-verify.version" 2>/dev/null)" != "$stamp" ]; then
        echo "installing sigstore-verify ($stamp)" >&2
        rm -rf "$out/sigstore-verify"
        cp -r "$here/sigstore-verify" "$out/sigstore-verify"
        npm install --prefix "$out/sigstore-verify" --ignore-scripts --no-package-lock --no-fund --no-audit --silent
        printf '%s\n' "$stamp" >"$out/sigstore-verify.version"
    fi
fi
echo "$out"
