#!/bin/sh
# Revokes certificates of the broker's authority and writes its list anew, secrets/mosquitto/crl.pem.
#   ./revoke-certificate.sh sample-aluminium/GW-01                     every certificate issued under that name
#   ./revoke-certificate.sh secrets/gateways/sample-aluminium.GW-01.pem    this one, such as the one before a renewed one
#   ./revoke-certificate.sh                                            none: writes the list (init-secrets.sh does so)
# While a former authority is believed too, its list, secrets/authority/former-crl.pem, is appended as it is.
# The broker reads the list on SIGHUP and refuses who is on it from then on; who is connected stays so until it is restarted.
set -eu
umask 077
secrets=$(CDPATH='' cd "$(dirname "$0")" && pwd)/secrets
authority=$secrets/authority list=$secrets/mosquitto/crl.pem
if [ ! -e "$authority/ca.key" ]; then
  echo "缺少 $authority/ca.key,吊销须用签发机构的私钥 $authority/ca.key is not there: bring the authority's key back for this, it signs the list" >&2
  exit 1
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
openssl x509 -in "$authority/ca.pem" -out "$work/ca" # the first one: another may be believed beside it
[ -e "$authority/crl.index" ] || : >"$authority/crl.index"
[ -e "$authority/crl.number" ] || echo 01 >"$authority/crl.number"
# A list that has ended locks everybody out, so it lasts as long as an authority does.
cat >"$work/config" <<CONFIG
[ca]
default_ca = ours
[ours]
database = $authority/crl.index
crlnumber = $authority/crl.number
certificate = $authority/ca.pem
private_key = $authority/ca.key
default_md = sha256
default_crl_days = 3650
unique_subject = no
CONFIG

revoke() { # FILE: unless it is on the list already
  serial=$(openssl x509 -in "$1" -noout -serial) && serial=${serial#serial=}
  if cut -f 4 "$authority/crl.index" | grep -qix "$serial"; then
    echo "$1 已吊销 $1 is revoked already" >&2
  elif ! openssl verify -no_check_time -CAfile "$work/ca" "$1" >/dev/null 2>&1; then
    echo "$1: 不是本机构签发的证书 not a certificate of this authority" >&2
    exit 2
  else
    openssl ca -config "$work/config" -revoke "$1" 2>"$work/said" || { cat "$work/said" >&2; exit 1; }
  fi
}

for wanted in "$@"; do
  if [ -f "$wanted" ]; then
    revoke "$wanted"
    continue
  fi
  found=
  for file in "$authority/issued/$(printf '%s' "$wanted" | tr / =)".*.pem; do
    serial=${file%.pem} && serial=${serial##*.}
    case $file in "$authority/issued/$(printf '%s' "$wanted" | tr / =).$serial.pem") [ -f "$file" ] && found=yes && revoke "$file" ;; esac
  done
  if [ -z "$found" ]; then
    echo "$wanted: 既不是文件,也不是此处签发的证书名 neither a file nor the name of a certificate that was issued here" >&2
    exit 2
  fi
done

[ ! -e "$list" ] || sleep 1 # of two lists of one second the broker keeps the older
openssl ca -config "$work/config" -gencrl -out "$work/list" 2>"$work/said" || { cat "$work/said" >&2; exit 1; }
[ ! -e "$authority/former-crl.pem" ] || cat "$authority/former-crl.pem" >>"$work/list"
cat "$work/list" >"$list" # in place: containers are shown this very file
chmod 644 "$list"
