#!/usr/bin/env bash
# The documented onboarding of a customer, from the first look at the tenant to the log-out.
#   URL=http://127.0.0.1:3000 TENANT=remitjunction bash docs/examples/onboarding.sh
# Needs curl and Node (for JSON, and to encrypt the password as an app would). tests/http/onboarding.test.ts runs it.
set -euo pipefail

URL=${URL:-http://127.0.0.1:3000}
TENANT=${TENANT:-remitjunction}
EMAIL=${EMAIL:-chidi.$(date +%s).$RANDOM@customers.example}
PASSWORD=${PASSWORD:-Tr1cky!Bananas}
SERVICES=$URL/api/v6/services

# On a host of the tenant's own ({tenant}.example.com) X-Tenant is not needed.
call() { # method path [body]: prints the answer, fails on a failure
  local answer
  if ! answer=$(curl -sS --fail-with-body -X "$1" "$SERVICES/$2" -H "X-Tenant: $TENANT" -H 'Content-Type: application/json' \
    ${TOKEN:+-H "X-Auth-Token: $TOKEN"} ${3:+-d "$3"}); then
    printf 'refused: %s\n' "$answer" >&2
    return 1
  fi
  printf %s "$answer"
}
member() { node -p "JSON.parse(fs.readFileSync(0, 'utf8'))$1"; }
step() { printf '\n%s\n' "$1"; }

step '1. What the tenant offers: preferences and password policy, without a token'
PREFERENCES=$(call GET admin/organisation-preference-management/fetch-organisaction-preference)
printf '   self-registration: %s\n' "$(printf %s "$PREFERENCES" | member .preferences.SELF_REGISTRATION_ENABLED)"
POLICY=$(call GET admin/security/view-password-policy)
printf '   a password has at least %s characters\n' "$(printf %s "$POLICY" | member .minimumLength)"
COUNTRY=$(call GET admin/security/active-countries | member '.data.some(({ isoCode3 }) => isoCode3 === "NGA")')
printf '   Nigeria is served: %s\n' "$COUNTRY"

step '2. The public key, and the password encrypted with it (RSA-OAEP, SHA-256)'
KEY=$(call GET admin/security/encryption-keys/public-key | member .data.publicKey)
encrypt() {
  KEY=$KEY SECRET=$1 node -p '
    const key = crypto.createPublicKey({ key: Buffer.from(process.env.KEY, "base64"), format: "der", type: "spki" });
    crypto.publicEncrypt({ key, oaepHash: "sha256" }, Buffer.from(process.env.SECRET)).toString("base64")'
}
CIPHERTEXT=$(encrypt "$PASSWORD")
printf '   %s…\n' "${CIPHERTEXT:0:32}"

step '3. Register'
REGISTERED=$(call POST usermanagement/register-customer '{
  "devicePlatform": "IOS", "appVersion": "1", "appId": "com.fincode.remitjunction",
  "customerType": "INDIVIDUAL", "payloadEncrypted": true,
  "firstName": "Chidi", "lastName": "Eze", "email": "'"$EMAIL"'",
  "dialingCode": "+234", "phone": "0803 123 4567", "dob": "1991-04-23",
  "password": "'"$CIPHERTEXT"'", "confirmPassword": "'"$(encrypt "$PASSWORD")"'",
  "address": { "address1": "12 Marina", "address2": "Lagos Island", "countryCommonName": "Nigeria", "countryIso3": "NGA" }
}')
CODE=$(printf %s "$REGISTERED" | member .data.customerCode)
printf '   customer %s is %s\n' "$CODE" "$(printf %s "$REGISTERED" | member .data.status)"

step '4. Log in'
LOGIN=$(call PUT securitymanagement/login '{ "email": "'"$EMAIL"'", "currentPassword": "'"$(encrypt "$PASSWORD")"'" }')
TOKEN=$(printf %s "$LOGIN" | member .data.access_token)
REFRESH=$(printf %s "$LOGIN" | member .data.refresh_token)
printf '   good for %s seconds\n' "$(printf %s "$LOGIN" | member .data.expires_in)"

step '5. Profile'
PROFILE=$(call GET usermanagement/profile)
printf '   %s, %s\n' "$(printf %s "$PROFILE" | member .data.firstName)" "$(printf %s "$PROFILE" | member .data.phone)"

step '6. Transaction PIN'
PIN=$(encrypt 4937)
call POST usermanagement/create-transaction-pin '{
  "transactionPin": "'"$PIN"'", "confirmTransactionPin": "'"$(encrypt 4937)"'", "payloadEncrypted": true
}' > /dev/null
printf '   has one: %s\n' "$(call GET usermanagement/profile | member .data.hasTransactionPin)"

step '7. Log out: both tokens are good for nothing from now on'
call PUT securitymanagement/logout '{ "refresh_token": "'"$REFRESH"'" }' | member .message | sed 's/^/   /'
AFTER=$(curl -sS -o /dev/null -w '%{http_code}' "$SERVICES/usermanagement/profile" -H "X-Tenant: $TENANT" -H "X-Auth-Token: $TOKEN")
printf '   the profile answers %s\n' "$AFTER"
[ "$AFTER" = 401 ]
AGAIN=$(curl -sS -o /dev/null -w '%{http_code}' -X PUT "$SERVICES/securitymanagement/refresh-token" -H "X-Tenant: $TENANT" \
  -H 'Content-Type: application/json' -d '{ "refresh_token": "'"$REFRESH"'" }')
printf '   the refresh token answers %s\n' "$AGAIN"
[ "$AGAIN" = 401 ]
printf '\nonboarded %s\n' "$CODE"
