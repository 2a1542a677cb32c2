#!/usr/bin/env bash
# What the tests of pictures look at them with: Chromium and Graphviz from Debian's packages, Mermaid from the npm
# registry. What is there already is left alone.
set -euo pipefail
cd "$(dirname "$0")/../.."

mermaid=12.3.0
folder=.venv/browser

missing=()
command -v chromium >/dev/null || missing+=(chromium fonts-dejavu-core)
command -v dot >/dev/null || missing+=(graphviz)
command -v npm >/dev/null || missing+=(nodejs npm)
if [ ${#missing[@]} -gt 0 ]; then
  as_root=$([ "$(id -u)" = 0 ] || echo sudo)
  $as_root apt-get update -qq
  DEBIAN_FRONTEND=noninteractive $as_root apt-get install -qq -y --no-install-recommends "${missing[@]}" >/dev/null
fi

if [ ! -f "$folder/mermaid-$mermaid.min.js" ]; then
  mkdir -p "$folder"
  packed=$(cd "$folder" && npm pack --silent "mermaid@$mermaid")
  tar -xzf "$folder/$packed" -C "$folder" package/dist/mermaid.min.js
  mv "$folder/package/dist/mermaid.min.js" "$folder/mermaid-$mermaid.min.js"
  rm -r "$folder/package" "$folder/$packed"
fi
