aws iam list-roles --query 'Roles[].Arn' --output json >"$work/roles.json"
near=$(jq -r --arg name "$NAME" '[.[] | select((split("/") | last | ascii_downcase) == ($name | ascii_downcase))] | .[0] // ""' "$work/roles.json")
[ -z "$near" ] || stop "There is a role of this name: $near. Nothing was made; set aws.role-arn to it: trustline profile set $SELECTOR aws.role-arn=$near"
aws iam create-role --role-name "$NAME" --path "$ROLE_PATH" --assume-role-policy-document "file://$work/trust.json" --query Role.Arn --output text
aws iam put-role-policy --role-name "$NAME" --policy-name SecretsManagerRead --policy-document "file://$work/permissions.json"
