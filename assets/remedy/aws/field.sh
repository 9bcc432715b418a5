jq -n -j --rawfile value "$work/value" --arg field "$FIELD" '{($field): $value} | tojson' >"$work/object"
mv "$work/object" "$work/value"
