# The profile's copy keeps its form.
jq --slurpfile document "$work/after.json" '
  if has("PolicyDocument") then .PolicyDocument = $document[0]
  elif has("PolicyVersion") then .PolicyVersion.Document = $document[0]
  else $document[0] end' "$COPY" >"$work/copy.json"
cat "$work/copy.json" >"$COPY"
