stop() { printf '%s\n' "$1" >&2; exit 1; }
aws iam get-role --role-name "$ROLE_NAME" --query Role --output json >"$work/role.json"
arn=$(jq -r .Arn "$work/role.json")
[ "$arn" = "$ROLE_ARN" ] || stop "These credentials see the role $arn; the fix is for $ROLE_ARN. Nothing was changed."
jq -e -n --slurpfile role "$work/role.json" --slurpfile before "$work/before.json" \
  '$role[0].AssumeRolePolicyDocument == $before[0]' >/dev/null ||
  stop "The trust policy of $ROLE_NAME in force is not the one this was made from. Nothing was changed; run trustline check again with the policy of today."
aws iam update-assume-role-policy --role-name "$ROLE_NAME" --policy-document "file://$work/after.json"
