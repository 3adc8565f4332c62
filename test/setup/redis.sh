#!/usr/bin/env bash
# Makes redis-server available to the tests, which start their own on a free port.
# Never fails: without it the tests that need it say so, and fail where CI=true.
set -euo pipefail

command -v redis-server >/dev/null && exit 0

root=""
if [ "$(id -u)" -ne 0 ]; then
  root="sudo -n"
  $root true 2>/dev/null || root="none"
fi

if [ "$root" = "none" ] || ! command -v apt-get >/dev/null; then
  echo "redis-server is missing; install it with: sudo apt-get install redis-server, brew install redis, or your system's own way" >&2
  exit 0
fi

echo "installing redis-server" >&2
export DEBIAN_FRONTEND=noninteractive
if ! { $root apt-get update -qq && $root apt-get install -qq -y --no-install-recommends redis-server; } >&2; then
  echo "redis-server could not be installed; try: sudo apt-get install redis-server" >&2
fi
