aws iam get-open-id-connect-provider --open-id-connect-provider-arn "$PROVIDER" --query ClientIDList --output json >"$work/now.json"
jq '.ClientIDList' "$work/provider.json" >"$work/before.json"
same "$work/now.json" "$work/before.json" || stop "$PROVIDER has other client ids than the fix gave it. Nothing was changed."
aws iam delete-open-id-connect-provider --open-id-connect-provider-arn "$PROVIDER"
