if [ -z "${KEY:-}" ]; then
  KEY=$(aws secretsmanager describe-secret --secret-id "$SECRET" --query KmsKeyId --output text)
fi
[ "$KEY" != None ] || stop "$SECRET is encrypted with the account's own key, which needs no permission. Nothing was changed."
KEY=$(aws kms describe-key --key-id "$KEY" --query KeyMetadata.Arn --output text)
