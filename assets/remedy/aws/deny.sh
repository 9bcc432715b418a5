read_inline() { aws iam "get-$KIND-policy" "--$KIND-name" "$NAME" --policy-name "$1" --query PolicyDocument --output json >"$work/before.json"; }
change() { jq --arg action "$ACTION" --arg resource "$RESOURCE" "$(cat "$work/deny.jq") statements($CHANGE)" "$work/before.json" >"$work/after.json"; }
changed=
aws iam "list-$KIND-policies" "--$KIND-name" "$NAME" --query PolicyNames --output json | jq -r '.[]' >"$work/names"
while IFS= read -r policy; do
  read_inline "$policy"
  change
  if same "$work/before.json" "$work/after.json"; then continue; fi
  aws iam "put-$KIND-policy" "--$KIND-name" "$NAME" --policy-name "$policy" --policy-document "file://$work/after.json"
  changed=yes
done <"$work/names"
aws iam "list-attached-$KIND-policies" "--$KIND-name" "$NAME" --query AttachedPolicies --output json |
  jq -r '.[].PolicyArn | select(contains(":iam::aws:") | not)' >"$work/arns"
while IFS= read -r policy; do
  former=$(aws iam get-policy --policy-arn "$policy" --query Policy.DefaultVersionId --output text)
  aws iam get-policy-version --policy-arn "$policy" --version-id "$former" --query PolicyVersion.Document --output json >"$work/before.json"
  change
  if same "$work/before.json" "$work/after.json"; then continue; fi
  stop "The managed policy $policy denies this, and may serve others than $NAME. Take it off $NAME, or narrow it by hand."
done <"$work/arns"
[ -n "$changed" ] || stop "No statement of $NAME denies $ACTION on everything; a narrower Deny has to be changed by hand. Nothing was changed."
