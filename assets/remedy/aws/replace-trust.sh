aws iam get-role --role-name "$ROLE_NAME" --query Role --output json >"$work/role.json"
arn=$(jq -r .Arn "$work/role.json")
[ "$arn" = "$ROLE_ARN" ] || stop "These credentials see the role $arn; the fix is for $ROLE_ARN. Nothing was changed."
jq .AssumeRolePolicyDocument "$work/role.json" >"$work/now.json"
same "$work/now.json" "$work/before.json" ||
  stop "The trust policy of $ROLE_NAME in force is not the one this was made from. Nothing was changed; save the policy in force and check again."
aws iam update-assume-role-policy --role-name "$ROLE_NAME" --policy-document "file://$work/after.json"
