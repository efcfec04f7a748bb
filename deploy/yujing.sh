#!/bin/sh
# Any yujing command as the unit runs it: as its user, with its program and its secrets, which are copied from
# /etc/yujing/secrets into memory and are gone with the command. Install as /usr/local/sbin/yujing; run it as root.
set -eu
etc=${YUJING_ETC:-/etc/yujing}
user=${YUJING_USER:-yujing}
program=${YUJING_PROGRAM:-/opt/yujing/venv/bin/yujing}

if [ "$(id -u)" != 0 ]; then
  echo "请以 root 运行:sudo yujing … run it as root: sudo yujing … (only root can read $etc/secrets)" >&2
  exit 2
fi
if [ "${1:-}" = --secrets ]; then
  exec "$program" "$@"  # whoever names a folder reads it themselves
fi
secrets=$(mktemp -d "${YUJING_RUN:-/run}/yujing-secrets.XXXXXX")
trap 'rm -rf "$secrets"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
for file in "$etc"/secrets/*; do
  [ -f "$file" ] && install -o "$user" -m 0400 "$file" "$secrets/"
done
chown "$user" "$secrets"
runuser -u "$user" -- "$program" --secrets "$secrets" "$@"
