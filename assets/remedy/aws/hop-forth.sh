as_target aws iam get-role --role-name "$TARGET" --query Role.AssumeRolePolicyDocument --output json >"$work/trust.json"
if [ -s "$work/trust.json" ]; then
  jq --slurpfile new "$work/trusted.json" --arg principal "$PRINCIPAL" --arg root "$ROOT" --arg account "$ACCOUNT" '
    def list: if type == "array" then . else [.] end;
    def admits: .Effect == "Allow" and (has("Condition") | not) and any(.Action // [] | list | .[]; ascii_downcase == "sts:assumerole" or . == "sts:*")
      and any(.Principal.AWS? // [] | list | .[]; . == $principal or . == $root or . == $account);
    .Statement |= list | if any(.Statement[]; admits) then . else .Statement += $new end' "$work/trust.json" >"$work/trust-after.json"
  if [ "$(jq -c '.Statement | if type == "array" then . else [.] end' "$work/trust.json")" != "$(jq -c .Statement "$work/trust-after.json")" ]; then
    as_target aws iam update-assume-role-policy --role-name "$TARGET" --policy-document "file://$work/trust-after.json"
  fi
fi
[ "$allowed" != true ] || exit 0
