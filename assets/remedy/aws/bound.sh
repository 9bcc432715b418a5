jq --slurpfile grant "$work/grant.json" '
  .Statement |= (if type == "array" then . else [.] end)
  | if any(.Statement[]; . == $grant[0].Statement[0]) then . else .Statement += $grant[0].Statement end' \
  "$work/before.json" >"$work/after.json"
if same "$work/before.json" "$work/after.json"; then stop "The boundary $policy allows this already. Nothing was changed; check again."; fi
aws iam create-policy-version --policy-arn "$policy" --policy-document "file://$work/after.json" --set-as-default --query PolicyVersion.VersionId --output text
