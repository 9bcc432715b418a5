aws iam get-role --role-name "$NAME" --query Role.AssumeRolePolicyDocument --output json >"$work/now.json"
same "$work/now.json" "$work/trust.json" || stop "The trust policy of $NAME is not the one of the fix. Nothing was changed."
aws iam get-role-policy --role-name "$NAME" --policy-name SecretsManagerRead --query PolicyDocument --output json >"$work/now.json"
same "$work/now.json" "$work/permissions.json" || stop "The permissions of $NAME are not those of the fix. Nothing was changed."
aws iam delete-role-policy --role-name "$NAME" --policy-name SecretsManagerRead
aws iam delete-role --role-name "$NAME"
