jq -n --arg key "$KEY" --arg service "$SERVICE" '{Version: "2012-10-17", Statement: [{Effect: "Allow",
  Action: "kms:Decrypt", Resource: $key, Condition: {StringEquals: {"kms:ViaService": $service}}}]}' >"$work/grant.json"
