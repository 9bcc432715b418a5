aws secretsmanager describe-secret --secret-id "$SECRET" --query VersionIdsToStages --output json >"$work/now.json"
if jq -e '. != null and any(.[][]; . == "AWSCURRENT")' "$work/now.json" >/dev/null; then
  stop "$SECRET has a current value already. Nothing was written; check again."
fi
aws secretsmanager put-secret-value --secret-id "$SECRET" --secret-string "file://$work/value" --query VersionId --output text
