if [ "$place" = inline ]; then
  aws iam "put-$KIND-policy" "--$KIND-name" "$NAME" --policy-name "$policy" --policy-document "file://$work/after.json"
else
  aws iam list-policy-versions --policy-arn "$policy" --query 'Versions[].VersionId' --output json | jq -r '.[]' >"$work/versions"
  version=
  while IFS= read -r candidate; do
    aws iam get-policy-version --policy-arn "$policy" --version-id "$candidate" --query PolicyVersion.Document --output json >"$work/now.json"
    if same "$work/now.json" "$work/after.json"; then version=$candidate; break; fi
  done <"$work/versions"
  [ -n "$version" ] || stop "$policy no longer has the version to go back to. Nothing was changed."
  aws iam set-default-policy-version --policy-arn "$policy" --version-id "$version"
  aws iam delete-policy-version --policy-arn "$policy" --version-id "$former"
fi
