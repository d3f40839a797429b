#!/bin/sh
# Starts the broker. The image's own start-up cannot make SCRAM users, and the broker needs its own before it answers
# anybody: so the log folder is formatted here at the first start, with the first two users in it.
set -eu
properties=/etc/joint/server.properties
bin=/opt/kafka/bin

if [ ! -e /var/lib/kafka/data/meta.properties ]; then
  cluster=$("$bin/kafka-storage.sh" random-uuid)
  # An argument file, because the command line of a process is readable by everybody.
  umask 077
  arguments=$(mktemp)
  cat > "$arguments" <<END
format
--config
$properties
--cluster-id
$cluster
--add-scram
SCRAM-SHA-512=[name=admin,password=$JOINT_KAFKA_PASSWORD_ADMIN]
--add-scram
SCRAM-SHA-512=[name=broker,password=$JOINT_KAFKA_PASSWORD_BROKER]
END
  "$bin/kafka-storage.sh" "@$arguments"
  rm "$arguments"
fi
exec "$bin/kafka-server-start.sh" "$properties"
