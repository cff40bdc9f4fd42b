#!/usr/bin/env bash
# Makes an authority and a certificate for each node of docker-compose.cluster.yml in deploy/certificates/. What is there is
# kept, so that a node may be made anew by deleting its folder. ca/ca.key signs nodes: keep it away from the hosts.
#
#   deploy/make-certificates.sh [name of a node …]
set -eu -o pipefail
folder=${CERTIFICATES_DIR:-"$(dirname "$0")/certificates"}
authority_days=${AUTHORITY_DAYS:-1825}
node_days=${NODE_DAYS:-397}
[ $# -gt 0 ] || set -- eventstore eventstore-2 eventstore-3

umask 077
mkdir -p "$folder/ca"
chmod 700 "$folder"

# EC keys would do for TLS; the event store documents RSA keys only.
if [ ! -e "$folder/ca/ca.crt" ]; then
  openssl req -x509 -newkey rsa:3072 -nodes -sha256 -days "$authority_days" -subj '/O=Corebook/CN=Corebook event stores' \
    -addext 'basicConstraints=critical,CA:TRUE,pathlen:0' -addext 'keyUsage=critical,keyCertSign,cRLSign' \
    -keyout "$folder/ca/ca.key" -out "$folder/ca/ca.crt" 2> /dev/null
  echo "made  $folder/ca/ca.crt, valid for $authority_days days"
fi

for node in "$@"; do
  into=$folder/$node
  if [ -e "$into/node.crt" ]; then
    echo "kept  $into/node.crt"
    continue
  fi
  mkdir -p "$into"
  # Nodes know each other by this common name, the same for all; clients by the alternative names.
  openssl req -newkey rsa:3072 -nodes -sha256 -subj '/O=Corebook/CN=eventstoredb-node' \
    -keyout "$into/node.key" -out "$into/node.csr" 2> /dev/null
  # A node is server to its clients and client to the other nodes.
  printf '%s\n' 'basicConstraints=critical,CA:FALSE' 'keyUsage=critical,digitalSignature,keyEncipherment' \
    'extendedKeyUsage=serverAuth,clientAuth' "subjectAltName=DNS:$node,DNS:localhost,IP:127.0.0.1" > "$into/node.ext"
  openssl x509 -req -sha256 -days "$node_days" -in "$into/node.csr" -extfile "$into/node.ext" \
    -CA "$folder/ca/ca.crt" -CAkey "$folder/ca/ca.key" -set_serial "0x$(openssl rand -hex 16)" -out "$into/node.crt" 2> /dev/null
  rm "$into/node.csr" "$into/node.ext"
  echo "made  $into/node.crt, valid for $node_days days"
done

# Only the owner enters the folder. Containers, which see single files, run as another user; ca.key goes to none of them.
chmod 444 "$folder"/ca/ca.crt "$folder"/*/node.crt "$folder"/*/node.key
chmod 400 "$folder/ca/ca.key"
