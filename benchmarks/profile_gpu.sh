#!/bin/bash
# Profiles the scripts of benchmarks/profile on CUDA, or the pairs of scripts that a rule must and must not speak of.
#
#   benchmarks/profile_gpu.sh [WHEELS [scripts|pairs [PAIR...]|gains [PAIR...]|ranks|check]]      pages, traces and profiles go to $OUT
#
# `pairs` runs the two scripts of a pair beside each other; `ranks` needs two devices; `check` doubles the top targets of
# the scripts, and compares what the step then takes with the shares that were reported; `gains` follows the advice of each
# rule, and compares what the step then takes with the gain that was predicted.
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
pairs() { # names
  for pair in "$@"; do
    profile "$pair-yes" rule_pairs.py "$pair" yes --device cuda &
    profile "$pair-no" rule_pairs.py "$pair" no --device cuda
    wait
  done
  show "$@"
}
show() { # names
  for pair in "$@"; do
    for side in yes no; do
      echo "=== $pair $side"
      grep -E "^(one step|the device|peak|[a-z0-9-]+: |note|error|status|Traceback)|Error" "$out/$pair-$side.txt" | cut -c1-300
    done
  done
}
cd benchmarks/profile
large=(--device cuda --width 768 --heads 12 --layers 8 --batch 16 --block 512 --vocabulary 32768 --steps 60)
what=${2:-scripts}
shift $(($# < 2 ? $# : 2))
names=()
case $what in
scripts)
  names=(gpt conv)
  profile gpt gpt_step.py "${large[@]}"
  profile conv conv_loader.py --device cuda --channels 64 --batch 128 --size 64
  ;;
pairs)
  if [ $# -gt 0 ]; then
    pairs "$@"
  else
    names=(triton gpt-compiled)
    profile triton triton_norm.py
    profile gpt-compiled gpt_step.py "${large[@]}" --compile --bf16
    pairs sync loader copy zero optimizer tiny tf32 amp attention batch recompute channels gc
  fi
  ;;
ranks)
  for side in yes no; do
    profile "ranks-$side" -m torch.distributed.run --nproc-per-node=2 --master-port=29519 ranks.py "$side"
  done
  show ranks
  ;;
gains)
  env PYTHONPATH="$PWD/../../server:$PWD/../../optimizers:$PWD/../../audit:/tmp/outpace-site" \
    python3 ../profile_gains.py --device cuda "$@" 2>&1 | tee -a "$out/gains.txt"
  ;;
check)
  cd ..
  for script in "gpt_step.py ${large[*]:0:14} --steps 2000" "conv_loader.py --device cuda --channels 64 --batch 128 --size 64 --steps 2000"; do
    # shellcheck disable=SC2086  # words of a command
    env PYTHONPATH="$PWD/../server:$PWD/../optimizers:$PWD/../audit:/tmp/outpace-site" \
      python3 profile_check.py --rounds 5 --block 2 $script 2>&1 | tee -a "$out/check.txt"
  done
  ;;
esac
for name in "${names[@]}"; do
  echo "=== $name"
  cut -c1-150 "$out/$name.txt"
done
