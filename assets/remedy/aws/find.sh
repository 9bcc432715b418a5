# Which of the policies in force is it? Inline ones first, then the managed ones of the account.
place='' former=''
aws iam "list-$KIND-policies" "--$KIND-name" "$NAME" --query PolicyNames --output json | jq -r '.[]' >"$work/names"
while IFS= read -r policy; do
  aws iam "get-$KIND-policy" "--$KIND-name" "$NAME" --policy-name "$policy" --query PolicyDocument --output json >"$work/now.json"
  if same "$work/now.json" "$work/before.json"; then place=inline; break; fi
done <"$work/names"
if [ -z "$place" ]; then
  aws iam "list-attached-$KIND-policies" "--$KIND-name" "$NAME" --query AttachedPolicies --output json |
    jq -r '.[].PolicyArn | select(contains(":iam::aws:") | not)' >"$work/arns"
  while IFS= read -r policy; do
    former=$(aws iam get-policy --policy-arn "$policy" --query Policy.DefaultVersionId --output text)
    aws iam get-policy-version --policy-arn "$policy" --version-id "$former" --query PolicyVersion.Document --output json >"$work/now.json"
    if same "$work/now.json" "$work/before.json"; then place=managed; break; fi
  done <"$work/arns"
fi
[ -n "$place" ] || stop "None of the policies of $NAME is the one that this was made from. Nothing was changed; save the policy in force and check again."
