if [ -z "$found" ]; then
  for id in $(az ad app list --show-mine --query '[].appId' --output tsv); do
    if az ad app federated-credential list --id "$id" --output json |
      jq -e --arg issuer "$ISSUER" --arg subject "$SUBJECT" 'any(.[]; .issuer == $issuer and .subject == $subject)' >/dev/null; then
      [ -z "$found" ] || stop "two applications trust this token: $found and $id; nothing was changed"
      found=$id
    fi
  done
fi
