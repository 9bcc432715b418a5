az ad app federated-credential list --id "$CLIENT_ID" --output json |
  jq --arg issuer "$ISSUER" --arg subject "$SUBJECT" '[.[] | select(.issuer == $issuer and .subject == $subject)]' >"$work/found.json"
jq -e 'length == 1' "$work/found.json" >/dev/null ||
  stop "$(jq length "$work/found.json") federated credentials have the issuer $ISSUER and the subject $SUBJECT, where one is meant; nothing was changed"
jq '.[0]' "$work/found.json" >"$work/now.json"
CREDENTIAL=$(jq -r .name "$work/now.json")
