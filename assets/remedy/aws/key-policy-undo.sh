key_changed=
aws kms get-key-policy --key-id "$KEY" --policy-name default --query Policy --output text >"$work/key-before.json"
jq --arg principal "$PRINCIPAL" --arg service "$SERVICE" '.Statement |= (if type == "array" then . else [.] end)
  | .Statement -= [{Sid: "DecryptSecrets", Effect: "Allow", Principal: {AWS: $principal}, Action: "kms:Decrypt", Resource: "*",
    Condition: {StringEquals: {"kms:ViaService": $service}}}]' "$work/key-before.json" >"$work/key-after.json"
if ! same "$work/key-before.json" "$work/key-after.json"; then
  aws kms put-key-policy --key-id "$KEY" --policy-name default --policy "file://$work/key-after.json"
  key_changed=yes
fi
