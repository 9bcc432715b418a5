aws secretsmanager describe-secret --secret-id "$SECRET" --query VersionIdsToStages --output json >"$work/now.json"
current=$(jq -r '[to_entries[] | select(any(.value[]; . == "AWSCURRENT")) | .key] | first // empty' "$work/now.json")
jq '[to_entries[] | select(all(.value[]; . != "AWSCURRENT")) | .key]' "$work/now.json" >"$work/earlier.json"
case "$(jq length "$work/earlier.json")" in
  0) stop "$SECRET had no value before, and AWS keeps a current one once there is one. Nothing was changed." ;;
  1) earlier=$(jq -r '.[0]' "$work/earlier.json") ;;
  *) stop "$SECRET has several earlier versions, $(jq -r 'join(", ")' "$work/earlier.json"). Nothing was changed; make the one you mean current." ;;
esac
aws secretsmanager update-secret-version-stage --secret-id "$SECRET" --version-stage AWSCURRENT \
  --move-to-version-id "$earlier" --remove-from-version-id "$current" --query Name --output text
