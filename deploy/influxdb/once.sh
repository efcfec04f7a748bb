#!/bin/bash
# Run once by the influxdb image, right after it has made the organisation, the bucket and the token. InfluxQL needs a
# database and retention policy that stand for the bucket; rollups, with which long trends are answered, have buckets of
# their own and tasks that fill them; Grafana signs in as a user that may only read these. `yujing influx setup` makes
# the same on an InfluxDB that is there already.
set -euo pipefail
org=$DOCKER_INFLUXDB_INIT_ORG
bucket=$DOCKER_INFLUXDB_INIT_BUCKET

map() { # bucket id, retention policy, --default
  influx v1 dbrp create --org "$org" --bucket-id "$1" --db "$bucket" --rp "$2" ${3:+"$3"}
}

rollups() { # policy, how long they are kept; prints the bucket's id
  influx bucket create --org "$org" --name "${bucket}_$1" --retention "$2" --hide-headers | cut -f 1
}

map "$DOCKER_INFLUXDB_INIT_BUCKET_ID" autogen --default
minutes=$(rollups minutes 43848h) # five years
hours=$(rollups hours 0)          # for ever
map "$minutes" minutes
map "$hours" hours
for task in /usr/share/yujing/tasks/*.flux; do
  influx task create --org "$org" --file "$task"
done
influx v1 auth create --org "$org" --read-bucket "$DOCKER_INFLUXDB_INIT_BUCKET_ID" --read-bucket "$minutes" \
  --read-bucket "$hours" --username grafana --password "$(cat /run/secrets/reader_password)"
