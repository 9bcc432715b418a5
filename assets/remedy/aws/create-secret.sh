if aws secretsmanager describe-secret --secret-id "$SECRET" --query ARN --output text >/dev/null 2>&1; then
  stop "There is a secret $SECRET already. Nothing was written; check again."
fi
aws secretsmanager create-secret --name "$SECRET" --secret-string "file://$work/value" --query ARN --output text
