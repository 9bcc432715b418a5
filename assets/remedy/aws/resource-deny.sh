aws secretsmanager get-resource-policy --secret-id "$SECRET" --query ResourcePolicy --output text >"$work/before.json"
jq -e . "$work/before.json" >/dev/null 2>&1 || stop "$SECRET has no resource policy. Nothing was changed; check again."
jq --arg action "$ACTION" --arg role "$PRINCIPAL" '
  def list: if type == "array" then . else [.] end;
  def matches: . as $pattern | ($pattern | gsub("\\*"; ".*") | gsub("\\?"; ".")) as $regex | $action | test("^" + $regex + "$"; "i");
  def spared: .Condition.ArnNotEquals["aws:PrincipalArn"] // [] | list;
  def narrowed: if .Effect == "Deny" and has("Action") and any(.Action | list | .[]; matches)
    then .Condition.ArnNotEquals["aws:PrincipalArn"] = (spared + [$role] | unique) else . end;
  def emptied: if (.Condition.ArnNotEquals // {}) == {} then del(.Condition.ArnNotEquals) else . end
    | if .Condition == {} then del(.Condition) else . end;
  def widened: if .Effect == "Deny" and any(spared[]; . == $role) then (spared - [$role]) as $rest
    | if $rest == [] then del(.Condition.ArnNotEquals["aws:PrincipalArn"]) | emptied
      else .Condition.ArnNotEquals["aws:PrincipalArn"] = $rest end
    else . end;
  .Statement |= (if type == "array" then map('"$CHANGE"') else '"$CHANGE"' end)' "$work/before.json" >"$work/after.json"
if same "$work/before.json" "$work/after.json"; then stop "The resource policy of $SECRET has no such Deny. Nothing was changed; check again."; fi
aws secretsmanager put-resource-policy --secret-id "$SECRET" --resource-policy "file://$work/after.json" --block-public-policy
