aws kms disable-key --key-id "$KEY"
