# The wait begins anew, with its thirty days.
aws kms schedule-key-deletion --key-id "$KEY" --pending-window-in-days 30 --query KeyState --output text
