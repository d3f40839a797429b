#!/bin/sh
# Writes the passwords and keys that docker-compose.yml asks for to .env (or to the file named), once: data are bound
# to them, so an existing file is never replaced. Needs nothing but a shell.
set -eu
file=${1:-$(dirname "$0")/../../.env}
if [ -e "$file" ]; then
  echo "$file exists already; nothing was changed." >&2
  exit 0
fi

umask 077
password() { od -An -v -tx1 -N24 /dev/urandom | tr -d ' \n'; }
content_key() { head -c 32 /dev/urandom | base64 | tr -d '\n'; }

{
  echo "# Made by deploy/docker/credentials.sh. Not for the repository; without it the data cannot be read."
  for user in ADMIN BROKER CONTROLLER INTAKE DISPATCH ANALYTICS; do
    echo "JOINT_KAFKA_PASSWORD_$user=$(password)"
  done
  for role in OWNER INTAKE DISPATCH ANALYTICS; do
    echo "JOINT_DATABASE_PASSWORD_$role=$(password)"
  done
  for service in INTAKE DISPATCH ANALYTICS; do
    echo "JOINT_CONTENT_KEY_$service=$(content_key)"
  done
} > "$file.unfinished"
mv "$file.unfinished" "$file"
echo "Wrote $file." >&2
