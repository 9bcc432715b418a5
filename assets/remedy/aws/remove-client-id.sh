aws iam get-open-id-connect-provider --open-id-connect-provider-arn "$PROVIDER" --query ClientIDList --output json >"$work/now.json"
jq -e --slurpfile new "$work/client-id.json" 'any(.[]; . == $new[0].ClientID)' "$work/now.json" >/dev/null ||
  stop "$PROVIDER does not have this client id. Nothing was changed."
aws iam remove-client-id-from-open-id-connect-provider --cli-input-json "file://$work/client-id.json"
