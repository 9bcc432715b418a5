state=$(aws kms describe-key --key-id "$KEY" --query KeyMetadata.KeyState --output text)
[ "$state" = Enabled ] || stop "The key is in the state $state, not as the fix left it. Nothing was changed."
