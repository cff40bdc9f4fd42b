#!/usr/bin/env bash
# Makes the secrets of docker-compose.yml and docker-compose.cluster.yml in deploy/secrets/, one a file. What is there is
# never replaced, so it can be run again. Back the folder up: without master_secret personal data cannot be read.
#
#   deploy/make-secrets.sh [smtps://user:password@mail.example:465]
set -eu -o pipefail
folder=${SECRETS_DIR:-"$(dirname "$0")/secrets"}
mail=${1:-}

# Only the owner enters the folder. The files are for anyone: containers, which see the files alone, run as several users.
umask 077
mkdir -p "$folder"
chmod 700 "$folder"

# secret NAME [VALUE]: 48 hexadecimal digits unless given
secret() {
  local file=$folder/$1
  if [ -s "$file" ]; then
    echo "kept  $file"
    return
  fi
  printf '%s\n' "${2:-$(openssl rand -hex 24)}" > "$file.new"
  chmod 444 "$file.new"
  mv -f "$file.new" "$file"
  echo "made  $file"
}

secret postgres_password
secret redis_password
secret eventstore_admin_password
secret eventstore_ops_password
secret master_secret
secret token_secret
secret database_url "postgres://corebook:$(cat "$folder/postgres_password")@postgres:5432/corebook"
secret redis_url "redis://:$(cat "$folder/redis_password")@redis:6379"
secret log_url 'esdb://eventstore:2113?tls=false'
nodes=eventstore:2113,eventstore-2:2113,eventstore-3:2113
secret log_url_cluster "esdb://admin:$(cat "$folder/eventstore_admin_password")@$nodes?tls=true&tlsCAFile=/run/secrets/eventstore_ca&nodePreference=leader"
if [ -n "$mail" ]; then
  secret mail_url "$mail"
elif [ ! -e "$folder/mail_url" ]; then
  # Compose needs the file; an empty one is refused by the application, which says how to go on.
  : > "$folder/mail_url"
  chmod 644 "$folder/mail_url"
  echo "empty $folder/mail_url: write smtps://user:password@host into it, or start with MAIL_URL_FILE= ALLOW_SIMULATORS=true"
fi
