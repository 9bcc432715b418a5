jq --slurpfile grant "$work/grant.json" 'if .Statement | type == "array" then .Statement -= $grant[0].Statement else . end' \
  "$work/before.json" >"$work/after.json"
if same "$work/before.json" "$work/after.json"; then stop "The boundary $policy does not have the statement of the fix. Nothing was changed."; fi
aws iam list-policy-versions --policy-arn "$policy" --query 'Versions[].VersionId' --output json | jq -r '.[]' >"$work/versions"
version=
while IFS= read -r candidate; do
  aws iam get-policy-version --policy-arn "$policy" --version-id "$candidate" --query PolicyVersion.Document --output json >"$work/now.json"
  if jq -e -n --slurpfile a "$work/now.json" --slurpfile b "$work/after.json" \
    'def list: .Statement |= (if type == "array" then . else [.] end); ($a[0] | list) == ($b[0] | list)' >/dev/null; then version=$candidate; break; fi
done <"$work/versions"
[ -n "$version" ] || stop "$policy no longer has the version to go back to. Nothing was changed."
aws iam set-default-policy-version --policy-arn "$policy" --version-id "$version"
aws iam delete-policy-version --policy-arn "$policy" --version-id "$former"
