#!/bin/sh
# Makes what compose.yaml needs and git must never see, in secrets/ beside this script. Run it as root once, with the
# names gateways know the broker by; run again, it makes what is missing and changes nothing that is there.
#   ./init-secrets.sh DNS:broker.example.cn,IP:192.0.2.7
# One folder for each container, owned by its user (compose hands files on as they are); all 0600 but certificates.
set -eu
umask 077
here=$(CDPATH='' cd "$(dirname "$0")" && pwd)
secrets=$here/secrets
names=DNS:mosquitto,DNS:localhost,IP:127.0.0.1${1:+,$1}

random() { # FILE: 32 random bytes in hex, unless the file is there
  [ -e "$1" ] || { openssl rand -hex 32 >"$1.new" && mv "$1.new" "$1"; }
}
same() { # FROM TO: the same secret for another user, unless the file is there
  [ -e "$2" ] || { cp "$1" "$2.new" && mv "$2.new" "$2"; }
}
certificate() { # NAME FILE [NAMES]
  [ -e "$2.pem" ] || "$here/issue-certificate.sh" "$@"
}
owned() { # USER FOLDER
  if [ "$(id -u)" = 0 ]; then
    chown -R "$1:$1" "$secrets/$2"
  else
    echo "secrets/$2 应归用户 $1 所有,须由 root 更改 secrets/$2 should belong to user $1; only root can give it" >&2
  fi
}

mkdir -p "$secrets/authority" "$secrets/mosquitto" "$secrets/influxdb" "$secrets/grafana" "$secrets/postgresql" \
  "$secrets/yujing"

if [ ! -e "$secrets/authority/ca.pem" ]; then # of a name no other has: lists of revoked certificates go by it
  cat >"$secrets/authority/config" <<CONFIG
[req]
distinguished_name = subject
x509_extensions = extensions
prompt = no
[subject]
CN = yujing broker authority $(openssl rand -hex 4)
[extensions]
basicConstraints = critical, CA:true, pathlen:0
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
CONFIG
  openssl ecparam -name prime256v1 -genkey -noout -out "$secrets/authority/ca.key"
  openssl req -x509 -new -config "$secrets/authority/config" -key "$secrets/authority/ca.key" -sha256 -days 3650 \
    -out "$secrets/authority/ca.pem"
  rm "$secrets/authority/config"
  chmod 644 "$secrets/authority/ca.pem"
fi

[ -e "$secrets/mosquitto/crl.pem" ] || "$here/revoke-certificate.sh" # the list of revoked ones: none

certificate broker "$secrets/mosquitto/broker" "$names"
certificate yujing-health "$secrets/mosquitto/health"
certificate yujing-ingest "$secrets/yujing/mqtt"

random "$secrets/influxdb/password"
random "$secrets/influxdb/token"
random "$secrets/influxdb/reader_password"
random "$secrets/grafana/password"
random "$secrets/postgresql/password"
random "$secrets/yujing/state_password"
random "$secrets/yujing/admin_token"
same "$secrets/influxdb/token" "$secrets/yujing/influxdb_token"
same "$secrets/influxdb/reader_password" "$secrets/grafana/reader_password"
same "$secrets/yujing/state_password" "$secrets/postgresql/state_password"

# The users of the images: eclipse-mosquitto, influxdb, grafana, postgres, and ours.
owned 1883 mosquitto
owned 1000 influxdb
owned 472 grafana
owned 999 postgresql
owned 10001 yujing
