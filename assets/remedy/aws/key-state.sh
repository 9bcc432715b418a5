state=$(aws kms describe-key --key-id "$KEY" --query KeyMetadata.KeyState --output text)
case $state in
Disabled) ;;
PendingDeletion) aws kms cancel-key-deletion --key-id "$KEY" --query KeyId --output text ;;
*) stop "The key is in the state $state, which this does not change; check again." ;;
esac
aws kms enable-key --key-id "$KEY"
