aws iam get-open-id-connect-provider --open-id-connect-provider-arn "$PROVIDER" --query ThumbprintList --output json >"$work/now.json"
jq --arg provider "$PROVIDER" --arg new "$THUMBPRINT" \
  '{OpenIDConnectProviderArn: $provider, ThumbprintList: (. - [$new])}' "$work/now.json" >"$work/after.json"
jq -e '.ThumbprintList | length > 0' "$work/after.json" >/dev/null || stop "$PROVIDER would have no thumbprint left. Nothing was changed."
aws iam update-open-id-connect-provider-thumbprint --cli-input-json "file://$work/after.json"
