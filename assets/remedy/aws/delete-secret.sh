# It can be taken back for thirty days.
aws secretsmanager delete-secret --secret-id "$SECRET" --recovery-window-in-days 30 --query ARN --output text
