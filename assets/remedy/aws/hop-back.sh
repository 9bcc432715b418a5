as_target aws iam get-role --role-name "$TARGET" --query Role.AssumeRolePolicyDocument --output json >"$work/trust.json"
if jq -e --slurpfile new "$work/trusted.json" '.Statement | type == "array" and any(.[]; . == $new[0])' "$work/trust.json" >/dev/null; then
  jq --slurpfile new "$work/trusted.json" '.Statement -= $new' "$work/trust.json" >"$work/trust-after.json"
  as_target aws iam update-assume-role-policy --role-name "$TARGET" --policy-document "file://$work/trust-after.json"
  aws iam list-role-policies --role-name "$NAME" --query PolicyNames --output json |
    jq -e --arg name "$POLICY_NAME" 'any(.[]; startswith($name))' >/dev/null || exit 0
fi
