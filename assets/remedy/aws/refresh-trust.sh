# The profile's copy keeps its form.
if [ -f "$COPY" ]; then
  jq --slurpfile document "$work/after.json" '
    if has("Role") then .Role.AssumeRolePolicyDocument = $document[0]
    elif has("AssumeRolePolicyDocument") then .AssumeRolePolicyDocument = $document[0]
    else $document[0] end' <"$COPY" >"$work/copy.json"
  cat "$work/copy.json" >"$COPY"
else
  printf '%s\n' "$COPY is not here: fetch the policy into it again before the next check." >&2
fi
