inline() { aws iam "get-$KIND-policy" "--$KIND-name" "$NAME" --policy-name "$1" --query PolicyDocument --output json; }
aws iam "list-$KIND-policies" "--$KIND-name" "$NAME" --query PolicyNames --output json |
  jq -r --arg name "$POLICY_NAME" '.[] | select(. == $name or startswith($name + "-"))' >"$work/names"
policy=
while IFS= read -r name; do
  inline "$name" >"$work/now.json"
  if same "$work/now.json" "$work/grant.json"; then policy=$name; break; fi
done <"$work/names"
[ -n "$policy" ] || stop "$NAME has no policy $POLICY_NAME as the fix put it there. Nothing was changed."
aws iam "delete-$KIND-policy" "--$KIND-name" "$NAME" --policy-name "$policy"
