#!/usr/bin/env bash
# Go the whole OAuth flow by curl, as flow.py does by Python's clients.
set -euo pipefail
value() { # NAME URL: one value of the query, decoded
  local found=${2#*[?&]"$1"=}
  found=${found%%[&#]*}
  printf '%b' "${found//%/\\x}"
}
random() { head -c 48 /dev/urandom | base64 -w 0 | tr '+/' '-_' | tr -d '='; }
field() { sed -nE "s/.*\"$1\": ?\"([^\"]+)\".*/\1/p" "$answer"; }
answer=$(mktemp)
trap 'rm -f "$answer"' EXIT
# The secret goes in by standard input, where no list of processes shows it.
post() { # URL FORM
  printf 'data = "%s&client_id=%s&client_secret=%s"\n' "$2" "$CLIENT_ID" "$CLIENT_SECRET" |
    curl -sS --config - -o "$answer" -w '%{http_code}' "$1"
}
get() { curl -sS -o "$answer" -w '%{http_code}' "$@"; }
while read -r onboarding; do
  verifier=$(random) state=$(random)
  challenge=$(printf %s "$verifier" | openssl dgst -sha256 -binary | base64 -w 0 | tr '+/' '-_' | tr -d '=')
  asked="response_type=code&client_id=$CLIENT_ID&redirect_uri=$REDIRECT_URI&scope=${SCOPES// /%20}"
  asked+="&state=$state&code_challenge=$challenge&code_challenge_method=S256"
  echo "$(value site "$onboarding")/oauth2/v1/authorize?$asked"
  read -r came
  [[ $(value state "$came") == "$state" ]] || { echo 'the state is another one'; exit 1; }
  api="https://api.$(value domain "$came")"
  form="grant_type=authorization_code&code=$(value code "$came")&code_verifier=$verifier"
  status=$(post "$api/api/v2/oauth2/token" "$form&redirect_uri=$REDIRECT_URI")
  told="token=$status"
  if [[ $status == 200 ]]; then
    refresh=$(field refresh_token)
    told+=" refresh=$(post "$api/api/v2/oauth2/token" "grant_type=refresh_token&refresh_token=$refresh")"
    bearer="Authorization: Bearer $(field access_token)"
    told+=" user=$(get -H "$bearer" "$api/api/v2/current_user")"
    told+=" key=$(get -X POST -H "$bearer" "$api/api/v2/api_keys/marketplace")"
    key=$(field key)
    event='{"title": "Connected", "text": "by a flow"}'
    told+=" event=$(get -H "DD-API-KEY: $key" -H 'Content-Type: application/json' -d "$event" "$api/api/v1/events")"
    told+=" revoke=$(post "$api/oauth2/v1/revoke" "token=$refresh")"
    told+=" after=$(get -H "$bearer" "$api/api/v2/current_user")"
  fi
  echo "$told"
done
