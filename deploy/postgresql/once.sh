#!/bin/sh
# Run once by the postgres image, right after it has made the cluster: the service's role, which may nothing beyond its
# own database. psql itself reads the password, so that it stands on no command line.
set -eu
psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --username="$POSTGRES_USER" --dbname=postgres <<'SQL'
\set password `cat /run/secrets/state_password`
CREATE ROLE yujing LOGIN PASSWORD :'password';
CREATE DATABASE yujing OWNER yujing TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8';
REVOKE ALL ON DATABASE yujing FROM PUBLIC;
SQL
