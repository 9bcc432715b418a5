inline() { aws iam "get-$KIND-policy" "--$KIND-name" "$NAME" --policy-name "$1" --query PolicyDocument --output json; }
# No policy of the same name is replaced: another name is taken.
aws iam "list-$KIND-policies" "--$KIND-name" "$NAME" --query PolicyNames --output json >"$work/names.json"
policy=$POLICY_NAME number=1 there=
while jq -e --arg name "$policy" 'any(.[]; . == $name)' "$work/names.json" >/dev/null; do
  inline "$policy" >"$work/now.json"
  if same "$work/now.json" "$work/grant.json"; then there=yes; break; fi
  number=$((number + 1)) policy=$POLICY_NAME-$number
done
[ -n "$there" ] || aws iam "put-$KIND-policy" "--$KIND-name" "$NAME" --policy-name "$policy" --policy-document "file://$work/grant.json"
