#!/usr/bin/env bash
# Builds DBOS and runs all its tests: every project tests/*.Tests and every file tests/python/test_*.py is
# one suite. The last line is: N passed, N failed, N skipped. A suite that runs no test has failed.
#
# Needs the .NET 10 SDK; what else is missing comes from Debian's packages when root runs this.
# SUITE_TIMEOUT: how many seconds a suite may take, 1500 by default.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly results="$PWD/TestResults"
readonly suite_timeout="${SUITE_TIMEOUT:-1500}"
# Debian's, which have Debian's grpcio; others may come first on the PATH.
readonly python=/usr/bin/python3

export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 PYTHONDONTWRITEBYTECODE=1
source build/unset_settings.sh

passed=0 failed=0 skipped=0 folders=''
declare -A running=() started=()

finish() {
  local status=$?
  if ((status != 0 && failed == 0)); then failed=1; fi
  if [[ -n $folders ]]; then rm -rf "$folders"; fi
  echo "$passed passed, $failed failed, $skipped skipped"
  exit "$status"
}
trap finish EXIT
trap 'kill "${running[@]}"; exit 130' INT TERM

die() {
  echo "build/test.sh: $1" >&2
  exit 1
}

missing_packages() {
  command -v redis-server >/dev/null || echo redis-server
  compgen -G '/usr/lib/*/faketime/libfaketimeMT.so.1' >/dev/null || echo libfaketime
  [[ -x /usr/bin/protoc ]] || echo protobuf-compiler
  [[ -x /usr/bin/grpc_python_plugin ]] || echo protobuf-compiler-grpc
  "$python" -c 'import google.protobuf' 2>/dev/null || echo python3-protobuf
  "$python" -c 'import grpc' 2>/dev/null || echo python3-grpcio
}

# In a subshell, for the trap.
install_packages() (
  policy=/usr/sbin/policy-rc.d
  if [[ ! -e $policy ]]; then
    # Debian's word for "start no service": the tests start a Redis of their own.
    trap 'rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod +x "$policy"
  fi
  apt-get update &&
    DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends "$@"
)

# begin NAME COMMAND...: runs it in the background with its output in a file, for a bounded time, once fewer than five others
# run: with all at once on two cores, a call of one could wait for more than the ten seconds that its client gives it.
begin() {
  local name=$1
  shift
  while (($(jobs -rp | wc -l) >= 5)); do sleep 0.2; done
  started[$name]=$SECONDS
  timeout --kill-after=30 "$suite_timeout" "$@" >"$results/$name.log" 2>&1 </dev/null &
  running[$name]=$!
}

# ended NAME: waits for it, here as a trap would else have to wait for its end; its exit code is the command's.
ended() {
  local status=0
  wait "${running[$1]}" || status=$?
  unset "running[$1]"
  return "$status"
}

# Indented, so that nothing in it is taken for a line of this script's own.
show_log() {
  sed 's/^/    /' "$results/$1.log"
}

# step NAME COMMAND...: the rest needs it.
step() {
  begin "$@"
  if ! ended "$1"; then
    show_log "$1"
    die "$1 failed"
  fi
  printf '%-34s %4d s\n' "$1" $((SECONDS - started[$1]))
}

# tell NAME COUNTER: of a suite that was begun, when it has ended. COUNTER prints how many passed, failed and were skipped,
# 0 0 0 if it cannot tell.
tell() {
  local name=$1 counter=$2 status=0 why='' suite_passed suite_failed suite_skipped
  ended "$name" || status=$?
  read -r suite_passed suite_failed suite_skipped < <("$counter" "$name")
  if ((suite_passed + suite_failed == 0)); then
    why=', no test ran'
  elif ((status != 0 && suite_failed == 0)); then
    why=", ended with exit code $status"
  fi
  if [[ -n $why ]]; then suite_failed=1; fi
  if ((status == 124 || status == 137)); then why=", stopped after $suite_timeout s"; fi
  printf '%-34s %4d s   %d passed, %d failed, %d skipped%s\n' \
    "$name" $((SECONDS - started[$name])) "$suite_passed" "$suite_failed" "$suite_skipped" "$why"
  if ((suite_failed > 0)); then show_log "$name"; fi
  passed=$((passed + suite_passed)) failed=$((failed + suite_failed)) skipped=$((skipped + suite_skipped))
}

count_trx() {
  local counters
  if ! counters=$(grep --only-matching '<Counters [^>]*' "$results/$1.trx" 2>/dev/null); then
    echo 0 0 0
    return
  fi
  local total executed succeeded
  total=$(attribute total "$counters") executed=$(attribute executed "$counters") succeeded=$(attribute passed "$counters")
  echo "$succeeded" $((executed - succeeded)) $((total - executed))
}

attribute() {
  sed --regexp-extended "s/.* $1=\"([0-9]+)\".*/\1/" <<<"$2"
}

count_python() {
  local tally='^([0-9]+) passed, ([0-9]+) failed, ([0-9]+) skipped$'
  { grep --extended-regexp "$tally" "$results/$1.log" || echo '0 passed, 0 failed, 0 skipped'; } |
    tail --lines=1 | sed --regexp-extended "s/$tally/\1 \2 \3/"
}

command -v dotnet >/dev/null || die 'the .NET 10 SDK is missing: https://dotnet.microsoft.com/download'
rm -rf "$results"
mkdir -p "$results"

mapfile -t missing < <(missing_packages)
if ((${#missing[@]} > 0)); then
  ((EUID == 0)) || die "these Debian packages are missing, and only root can install them: ${missing[*]}"
  echo "installing ${missing[*]}"
  if ! install_packages "${missing[@]}" >"$results/packages.log" 2>&1 </dev/null; then
    show_log packages
    die "these Debian packages could not be installed: ${missing[*]}"
  fi
fi

step restore dotnet restore Dbos.sln --locked-mode
step build dotnet build Dbos.sln --no-restore --configuration Debug

# In memory, if there is plenty: a disk that stalls for two seconds is an outage to whoever waits for Redis.
gibibytes=$(df --output=avail --block-size=1G /dev/shm 2>/dev/null | tail --lines=1)
if [[ -z ${TMPDIR:-} ]] && ((${gibibytes:-0} >= 4)); then
  folders=$(mktemp --directory /dev/shm/dbos-test-XXXXXX)
  export TMPDIR=$folders
fi

shopt -s nullglob
python_suites=(tests/python/test_*.py)

# begin_project NAME
begin_project() {
  grep --quiet "$1.csproj" Dbos.sln || echo "$1 is not in Dbos.sln: it was not built" >&2
  begin "$1" dotnet test "tests/$1" --no-build --configuration Debug --results-directory "$results" --logger "trx;LogFileName=$1.trx" \
    --blame-hang-timeout 5m --blame-hang-dump-type none
}

# What bears being slow runs at once, with servers of its own: nothing in it is bound to be done within seconds.
patient=(Dbos.Chaos.Tests Dbos.Model.Tests Dbos.Application.Tests Dbos.Architecture.Tests Dbos.Domain.Tests)
for name in "${patient[@]}"; do begin_project "$name"; done
for file in "${python_suites[@]}"; do
  begin "python $(basename "$file" .py)" "$python" tests/python "$(basename "$file")"
done
for name in "${patient[@]}"; do tell "$name" count_trx; done
for file in "${python_suites[@]}"; do
  tell "python $(basename "$file" .py)" count_python
done

for project in tests/*.Tests; do
  name=$(basename "$project")
  if [[ " ${patient[*]} " != *" $name "* ]]; then
    begin_project "$name"
    tell "$name" count_trx
  fi
done

((failed == 0))
