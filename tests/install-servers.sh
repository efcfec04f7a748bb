#!/bin/sh
# Makes sure that the servers and the browser the tests run against are there: installs what is missing on Debian and
# Ubuntu as root, and otherwise says exactly what to install.
set -eu
PATH="$PATH:/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin"

missing=""
for pair in curl:curl mosquitto:mosquitto mosquitto_sub:mosquitto-clients pgrep:procps influxd:influxdb victoria-metrics:victoria-metrics; do
  command -v "${pair%%:*}" >/dev/null 2>&1 || missing="$missing ${pair##*:}"
done
# Debian keeps its binaries out of PATH, a folder for each version.
command -v postgres >/dev/null 2>&1 || ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || missing="$missing postgresql"
# Its headless shell takes half the processor's time; a whole browser does as well.
browser=""
for name in chromium-headless-shell chromium google-chrome google-chrome-stable chromium-browser; do
  ! command -v "$name" >/dev/null 2>&1 || browser="$name"
done
[ -n "$browser" ] || missing="$missing chromium-headless-shell"
# Sees in which order the service syncs and acknowledges; Linux alone has it, elsewhere that one test is skipped.
[ "$(uname)" != Linux ] || command -v strace >/dev/null 2>&1 || missing="$missing strace"
# A CJK font, without which Chinese pages show boxes. macOS brings its own.
if [ "$(uname)" != Darwin ]; then
  # What drives the browser is a Node.js that wants this library.
  /sbin/ldconfig -p | grep -q 'libatomic\.so\.1' || missing="$missing libatomic1"
  { command -v fc-list >/dev/null 2>&1 && [ -n "$(fc-list :lang=zh-cn family)" ]; } || missing="$missing fonts-noto-cjk"
fi
[ -n "$missing" ] || exit 0

if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
  echo "installing for the tests:$missing"
  # The packages would start their daemons; the tests start their own on free ports.
  if [ ! -e /usr/sbin/policy-rc.d ]; then
    printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
    chmod +x /usr/sbin/policy-rc.d
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
  fi
  apt-get update -qq
  # shellcheck disable=SC2086  # a list of package names
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing fontconfig >/dev/null
elif command -v apt-get >/dev/null 2>&1; then
  echo "The tests need servers that are not installed. Run this, then try again:"
  echo "  sudo apt-get install --no-install-recommends$missing fontconfig"
  exit 1
else
  echo "The tests need these programs on PATH:$missing. With Homebrew, for example:"
  echo "  brew install mosquitto influxdb@1 victoriametrics postgresql@17 && brew install --cask chromium"
  exit 1
fi
