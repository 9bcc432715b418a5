aws iam get-open-id-connect-provider --open-id-connect-provider-arn "$PROVIDER" --query ClientIDList --output json >"$work/now.json"
if jq -e --slurpfile new "$work/client-id.json" 'any(.[]; . == $new[0].ClientID)' "$work/now.json" >/dev/null; then
  stop "$PROVIDER has this client id already. Nothing was changed; check again."
fi
aws iam add-client-id-to-open-id-connect-provider --cli-input-json "file://$work/client-id.json"
