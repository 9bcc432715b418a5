# The key's own policy comes first: where it neither names who reads nor leaves it to the account, no other policy counts.
key_changed=
aws kms get-key-policy --key-id "$KEY" --policy-name default --query Policy --output text >"$work/key-before.json"
jq --arg principal "$PRINCIPAL" --arg root "$ROOT" --arg account "$ACCOUNT" --arg service "$SERVICE" '
  def list: if type == "array" then . else [.] end;
  def allows: .Effect == "Allow" and (has("Condition") | not)
    and any(.Action // [] | list | .[]; . == "*" or . == "kms:*" or . == "kms:Decrypt")
    and (.Principal == "*" or any(.Principal.AWS? // [] | list | .[]; . == $principal or . == $root or . == $account or . == "*"));
  def grant: {Sid: "DecryptSecrets", Effect: "Allow", Principal: {AWS: $principal}, Action: "kms:Decrypt", Resource: "*",
    Condition: {StringEquals: {"kms:ViaService": $service}}};
  .Statement |= list
  | if any(.Statement[]; allows or . == grant) then . else .Statement += [grant] end' "$work/key-before.json" >"$work/key-after.json"
if ! jq -e -n --slurpfile a "$work/key-before.json" --slurpfile b "$work/key-after.json" '($a[0].Statement | if type == "array" then . else [.] end) == $b[0].Statement' >/dev/null; then
  aws kms put-key-policy --key-id "$KEY" --policy-name default --policy "file://$work/key-after.json"
  key_changed=yes
fi
