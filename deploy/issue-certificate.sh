#!/bin/sh
# Issues one certificate of the broker's authority, FILE.key (0600) and FILE.pem, valid for two years.
#   ./issue-certificate.sh sample-aluminium/GW-01 secrets/gateways/sample-aluminium.GW-01
# Usage: issue-certificate.sh NAME FILE [NAMES]
#   NAME   common name: {plant}/{gateway} for a gateway
#   NAMES  only for the broker: its addresses, such as DNS:broker.example.cn,IP:192.0.2.7
set -eu
umask 077
name=$1 file=$2 names=${3:-}
authority=$(CDPATH='' cd "$(dirname "$0")" && pwd)/secrets/authority

refuse() {
  echo "$name: 只能用字母、数字和 _ . -,至多一个 /,不超过 64 个字符 expected letters, digits and _ . -, one / at most, and no more than 64 characters (X.509)" >&2
  exit 2
}
LC_ALL=C
case $name in '' | /* | */ | */*/* | *[!A-Za-z0-9_./-]*) refuse ;; esac
[ "${#name}" -le 64 ] || refuse
if [ -e "$file.pem" ]; then
  echo "$file.pem 已存在,重新签发前请移走 $file.pem is there already; move it away to issue it anew" >&2
  exit 1
fi

mkdir -p "$(dirname "$file")" "$authority/issued"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
{
  echo "basicConstraints = critical, CA:false"
  echo "keyUsage = critical, digitalSignature"
  echo "subjectKeyIdentifier = hash"
  echo "authorityKeyIdentifier = keyid"
  if [ -n "$names" ]; then
    echo "extendedKeyUsage = serverAuth" # so that the broker's certificate signs nobody in
    echo "subjectAltName = $names"
  else
    echo "extendedKeyUsage = clientAuth"
  fi
} >"$work/extensions"
printf '[req]\ndistinguished_name = none\nprompt = no\n[none]\n' >"$work/config"
subject=/CN=$(printf '%s' "$name" | sed 's#/#\\/#g')
openssl ecparam -name prime256v1 -genkey -noout -out "$work/key"
openssl req -new -config "$work/config" -key "$work/key" -subj "$subject" -out "$work/request"
serial=$(openssl rand -hex 16 | sed 's/^./1/')
openssl x509 -req -in "$work/request" -CA "$authority/ca.pem" -CAkey "$authority/ca.key" -days 730 \
  -set_serial "0x$serial" -sha256 -extfile "$work/extensions" -out "$work/pem" 2>/dev/null
openssl pkcs8 -topk8 -nocrypt -in "$work/key" -out "$file.key"
cp "$work/pem" "$authority/issued/$(printf '%s' "$name" | tr / =).$serial.pem" # to revoke it by, wherever it is then
mv "$work/pem" "$file.pem"
chmod 644 "$file.pem" "$authority/issued/$(printf '%s' "$name" | tr / =).$serial.pem"
