#!/usr/bin/env bash
# Sixteen clients write to two DBOS on a Redis Cluster for MINUTES (5 by default), while processes are killed and paused,
# connections cut and delayed, memory filled and clocks skewed; then a checker says which promise was broken: none,
# or the exit code is not 0. The history of all calls is left in TestResults/chaos.jsonl.
#
#   build/chaos.sh [MINUTES] [seed=SEED] [store=single] [durability=local]
#
# Needs the .NET 10 SDK, and Debian's redis-server and libfaketime, which build/test.sh installs.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1
source build/unset_settings.sh

mkdir -p TestResults
dotnet run -c Release --project tests/Dbos.Chaos -- "minutes=${1:-5}" history=TestResults/chaos.jsonl "${@:2}"
