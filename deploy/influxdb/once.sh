#!/bin/bash
# Run once by the influxdb image, right after it has made the organisation, the bucket and the token. InfluxQL needs a
# database and retention policy that stand for the bucket; Grafana signs in as a user that may only read it.
set -eu
influx v1 dbrp create --org "$DOCKER_INFLUXDB_INIT_ORG" --bucket-id "$DOCKER_INFLUXDB_INIT_BUCKET_ID" \
  --db "$DOCKER_INFLUXDB_INIT_BUCKET" --rp autogen --default
influx v1 auth create --org "$DOCKER_INFLUXDB_INIT_ORG" --read-bucket "$DOCKER_INFLUXDB_INIT_BUCKET_ID" \
  --username grafana --password "$(cat /run/secrets/reader_password)"
