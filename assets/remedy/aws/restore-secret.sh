aws secretsmanager restore-secret --secret-id "$SECRET" --query ARN --output text
