jq --arg audience "$TO" '{name, issuer, subject, audiences: [$audience], description} | with_entries(select(.value != null))' "$work/now.json" >"$work/after.json"
az ad app federated-credential update --id "$CLIENT_ID" --federated-credential-id "$CREDENTIAL" --parameters "@$work/after.json"
