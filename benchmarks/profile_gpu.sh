#!/bin/bash
# Profiles the scripts of benchmarks/profile on CUDA, or the pairs of scripts that a rule must and must not speak of.
#
#   benchmarks/profile_gpu.sh [WHEELS [scripts|pairs]]      pages, traces and profiles go to $OUT
#
# The interpreter `python3` has torch; rich, libcst, pygls and torch-tb-profiler come from the wheels.
set -u
cd "$(dirname "$0")/.."
out=${OUT:-/tmp/outpace-profile}
mkdir -p "$out"
python3 -m pip install -q --no-index --no-deps --find-links "${1:-wheels}" --target /tmp/outpace-site \
  rich markdown-it-py mdurl pygments libcst pyyaml pygls lsprotocol cattrs attrs typing_extensions watchdog pandas \
  python-dateutil six tzdata torch-tb-profiler
python3 -c "import numpy" 2>/dev/null ||
  python3 -m pip install -q --no-index --no-deps --find-links "${1:-wheels}" --target /tmp/outpace-site numpy
export COLUMNS=150 OUTPACE_STATE="$out/state"
outpace=(env PYTHONPATH="$PWD/server:$PWD/optimizers:$PWD/audit:/tmp/outpace-site" python3 -m outpace_server.cli)
profile() { # name, then the script's words
  name=$1
  shift
  "${outpace[@]}" profile --html "$out/$name.html" -- python3 "$@" >"$out/$name.txt" 2>&1
  echo "status $?" >>"$out/$name.txt"
}
cd benchmarks/profile
large=(--device cuda --width 768 --heads 12 --layers 8 --batch 16 --block 512 --vocabulary 32768 --steps 60)
if [ "${2:-scripts}" = scripts ]; then
  names=(gpt conv)
  profile gpt gpt_step.py "${large[@]}"
  profile conv conv_loader.py --device cuda --channels 64 --batch 128 --size 64
else
  names=(triton gpt-compiled)
  profile triton triton_norm.py
  profile gpt-compiled gpt_step.py "${large[@]}" --compile --bf16
  for pair in sync loader copy zero optimizer tiny tf32 amp; do
    profile "$pair-yes" rule_pairs.py "$pair" yes --device cuda
    profile "$pair-no" rule_pairs.py "$pair" no --device cuda
  done
fi
for name in "${names[@]}"; do
  echo "=== $name"
  cut -c1-150 "$out/$name.txt"
done
[ "${2:-scripts}" = scripts ] || for pair in sync loader copy zero optimizer tiny tf32 amp; do
  for side in yes no; do
    echo "=== $pair $side"
    grep -E "^(one step|the device|[a-z0-9-]+: |note|error|status|Traceback)|Error" "$out/$pair-$side.txt" | cut -c1-300
  done
done
